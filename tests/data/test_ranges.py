"""Ranges of values are used, given or asked about, never guessed in silence."""

import numpy as np
import pytest
from PIL import Image

from gan_jax import data
from gan_jax.data import kinds, ranges
from gan_jax.datasets import npz
from gan_jax.types import UserError
from tests.odd_pictures import chunk, png

SHARES = np.linspace(0, 1, 3 * 8 * 8).reshape(3, 8, 8)  # black to white


def of_array(tmp_path, x, **options):
  np.savez(tmp_path / 'a.npz', x=x)
  return data.load('npz', path=str(tmp_path / 'a.npz'), **options)


def of_files(tmp_path, x, ending='png', **options):
  """A folder with a file for each of x [N, H, W]."""
  for i, image in enumerate(x):
    Image.fromarray(image).save(tmp_path / f'{i}.{ending}')
  return data.load('folder', dir=str(tmp_path), channels=1, **options)


def seen(dataset):
  """What the networks see, as shares of white [N, H, W]."""
  x = kinds.in_model_range(dataset, data.arrays(dataset)['x'])
  return (np.asarray(x)[..., 0] + 1) / 2


def levels(most, kind=np.uint8):
  return np.rint(SHARES * most).astype(kind)


@pytest.mark.parametrize(
  'x',
  [
    levels(255), levels(255, np.int64), levels(255, np.uint16), levels(200),
    (2 * SHARES - 1).astype(np.float32), 1.8 * SHARES - 0.9, SHARES > 0.5,
    levels(0), 100 + levels(50),
  ],
)  # fmt: skip
def test_arrays_that_use_their_range_are_taken_at_their_word(
  tmp_path, capsys, x
):
  found = seen(of_array(tmp_path, x))
  low, high = {'b': (0, 1), 'f': (-1, 1)}.get(x.dtype.kind, (0, 255))
  expected = (x - np.float64(low)) / (high - low)
  np.testing.assert_allclose(found, expected, atol=1e-6)
  assert not capsys.readouterr().err


@pytest.mark.parametrize(
  'x, limits, word',
  [
    (SHARES.astype(np.float32), (0, 1), r'in \[0, 1\]: data.range=0,1 if 0 is'),
    (levels(1), (0, 1), 'up to 1 of 255: data.range=0,1 if'),
    (levels(1, np.int64), (0, 1), 'data.range=0,255 if they are as dark'),
    (levels(15), (0, 15), 'data.range=0,15'),
    (levels(16), (0, 16), 'data.range=0,16'),
    (levels(4090, np.uint16), (0, 4090), r'expected uint16 .*\[0, 4090\]'),
    (levels(65535, np.int32), (0, 65535), 'data.range=LOW,HIGH'),
    (levels(255, float), (0, 255), r'expected float64 images in \[-1, 1\]'),
    (4 * SHARES - 2, (-2, 2), r'they are in \[-2, 2\]; data.range='),
    (levels(254, np.int16) - 127, (-127, 127), 'expected int16 images'),
  ],
)
def test_arrays_that_may_be_of_another_range_are_refused_until_it_is_given(
  tmp_path, x, limits, word
):
  with pytest.raises(UserError, match=word):
    of_array(tmp_path, x)
  found = seen(of_array(tmp_path, x, range=limits))
  low, high = limits
  np.testing.assert_allclose(found, (x - low) / (high - low), atol=1e-6)


@pytest.mark.parametrize(
  'x, word',
  [
    (SHARES - 0.5, 'floats in [-0.5, 0.5]'),
    (SHARES / 5 - 0.1, 'floats in [-0.1, 0.1]: data.range='),
    (levels(100), 'up to 100 of 255: data.range=0,100'),
    (levels(127), 'up to 127 of 255: data.range=0,127'),
  ],
)
def test_arrays_that_use_half_their_range_at_most_are_asked_about(
  tmp_path, capsys, x, word
):
  data.arrays(of_array(tmp_path, x))
  said = capsys.readouterr().err
  assert said.startswith('warning: ') and said.count('\n') == 1
  assert word in said
  usual = ranges.MODEL if x.dtype.kind == 'f' else ranges.LEVELS
  of_array(tmp_path, x, range=usual)
  assert not capsys.readouterr().err


def test_a_file_may_say_its_range_itself(tmp_path, capsys):
  x = (SHARES / 100).astype(np.float32)
  like = data.load('digits')
  also = npz.beside(like, np.array([2, 0, 2]))
  np.savez(tmp_path / 'b.npz', samples=x, **also)
  found = data.load('npz', path=str(tmp_path / 'b.npz'))
  np.testing.assert_array_equal(data.arrays(found)['x'][..., 0], x)
  assert found.class_names == like.class_names
  assert data.arrays(found)['label'].tolist() == [2, 0, 2]
  assert not capsys.readouterr().err
  assert npz.beside(data.load('ring8', size=9)) == {}
  np.savez(tmp_path / 'b.npz', x=levels(4095, np.int32), range=[0, 4095])
  found = data.load('npz', path=str(tmp_path / 'b.npz'))
  np.testing.assert_allclose(seen(found), SHARES, atol=1e-3)
  np.savez(tmp_path / 'b.npz', x=x, range=[0])
  with pytest.raises(UserError, match='its array `range` to be two numbers'):
    data.load('npz', path=str(tmp_path / 'b.npz'))


def test_dark_pictures_are_dark_for_who_says_so(tmp_path):
  x = levels(20)
  found = data.arrays(of_array(tmp_path, x, range=(0, 255)))['x']
  assert found.dtype == np.uint8
  np.testing.assert_array_equal(found[..., 0], x)


@pytest.mark.parametrize('bits', [10, 12, 14])
def test_few_bits_in_sixteen_are_asked_about(tmp_path, bits):
  most = 2**bits - 1
  x = levels(most, np.uint16)
  with pytest.raises(UserError, match=f'of 65535: data.range=0,{most} if'):
    of_files(tmp_path, x)
  found = seen(of_files(tmp_path, x, range=(0, most)))
  np.testing.assert_allclose(found, SHARES, atol=0.6 / 255)
  for ending in ('tif', 'pgm'):  # of a .pgm Pillow scales to 16 bits
    folder = tmp_path / ending
    folder.mkdir()
    with pytest.raises(UserError, match=f'data.range=0,{most} if'):
      of_files(folder, x, ending)


def test_all_of_sixteen_bits_are_scaled_as_ever(tmp_path, capsys):
  x = levels(65535, np.uint16)
  found = data.arrays(of_files(tmp_path, x))['x'][..., 0]
  np.testing.assert_array_equal(found, x >> 8)
  assert not capsys.readouterr().err


def test_the_set_is_judged_and_no_single_picture(tmp_path, capsys):
  """Seven of eight pictures are nearly black; one among them is bright."""
  x = np.repeat(levels(900, np.uint16), 3, 0)
  x[7] = levels(40000, np.uint16)[0] + 25000
  assert of_files(tmp_path, x).size == 9
  assert not capsys.readouterr().err
  (tmp_path / '7.png').unlink()
  with pytest.raises(UserError, match='values up to 900 of 65535'):
    of_files(tmp_path, x[:7])


@pytest.mark.parametrize(
  'x, ending, limits',
  [
    (SHARES.astype(np.float32), 'tif', (0, 1)),
    (levels(4095, np.int32), 'tiff', (0, 4095)),
    ((1000 * SHARES - 500).astype(np.float32), 'tif', (-500, 500)),
  ],
)
def test_files_of_32_bits_need_a_range(tmp_path, x, ending, limits):
  with pytest.raises(UserError, match='files of 32 bits with values in'):
    of_files(tmp_path, x, ending)
  found = seen(of_files(tmp_path, x, ending, range=limits))
  np.testing.assert_allclose(found, SHARES, atol=0.6 / 255)


def test_masks_of_eight_bits_are_asked_about_and_those_of_one_are_not(tmp_path):
  x = levels(1)
  with pytest.raises(UserError, match='data.range=0,1 if'):
    of_files(tmp_path, x)
  assert set(seen(of_files(tmp_path, x, range=(0, 1))).ravel()) == {0, 1}
  for i, image in enumerate(x):
    Image.fromarray(image.astype(bool)).save(tmp_path / f'{i}.png')
  for own in ({}, {'range': (0, 1)}):
    found = data.load('folder', dir=str(tmp_path), channels=1, **own)
    np.testing.assert_array_equal(seen(found), x)


def test_a_palette_of_few_colours_uses_its_range(tmp_path, capsys):
  colours = Image.fromarray(levels(255).reshape(24, 8)).quantize(4)
  colours.save(tmp_path / 'a.png')
  assert data.load('folder', dir=str(tmp_path)).size == 1
  assert not capsys.readouterr().err


@pytest.mark.parametrize('channels, interlaced', [(3, 0), (3, 1), (4, 0)])
def test_colours_of_sixteen_bits_are_read_whole(tmp_path, channels, interlaced):
  x = levels(4095, np.uint16).reshape(24, 8, 1)
  x = np.concatenate([x, x[::-1], x[:, ::-1]], -1)
  clear = np.full((24, 8, channels - 3), 65535, np.uint16)
  raw = png(np.concatenate([x, clear], -1), interlaced=bool(interlaced))
  (tmp_path / 'a.png').write_bytes(raw)
  with pytest.raises(UserError, match='up to 4095 of 65535: data.range=0,4095'):
    data.load('folder', dir=str(tmp_path))
  found = data.load('folder', dir=str(tmp_path), range=(0, 4095))
  expected = np.rint(x / 4095 * 255)
  np.testing.assert_array_equal(data.arrays(found)['x'][0], expected)
  with pytest.raises(
    UserError, match=r'a.png: data.range=0,255: .*\[0, 4095\]'
  ):
    data.load('folder', dir=str(tmp_path), range=(0, 255))


def test_colours_of_sixteen_bits_are_turned_too(tmp_path):
  x = np.repeat(levels(65535, np.uint16).reshape(24, 8, 1), 3, -1)
  exif = Image.Exif()
  exif[0x0112] = 6
  also = chunk(b'eXIf', exif.tobytes().removeprefix(b'Exif\0\0'))
  (tmp_path / 'a.png').write_bytes(png(x, also=also))
  usual, given = (
    data.arrays(data.load('folder', dir=str(tmp_path), **own))['x'].astype(int)
    for own in ({}, {'range': (0, 65535)})
  )
  assert usual.shape == given.shape == (1, 8, 24, 3)
  assert np.abs(usual - given).max() <= 1


def test_of_grey_with_opacity_the_upper_bits_count(tmp_path):
  x = levels(40000, np.uint16).reshape(24, 8, 1)
  clear = np.full_like(x, 65535)
  (tmp_path / 'a.png').write_bytes(png(np.concatenate([x, clear], -1)))
  usual = data.arrays(data.load('folder', dir=str(tmp_path)))['x'][0]
  np.testing.assert_array_equal(usual, np.repeat(x >> 8, 3, -1))
  given = data.load('folder', dir=str(tmp_path), range=(0, 40100))
  np.testing.assert_allclose(seen(given)[0], x[..., 0] / 40100, atol=1 / 128)


def test_a_range_is_part_of_what_is_trained_on_and_no_range_is_not(tmp_path):
  bare = of_files(tmp_path, levels(255)).fingerprint
  given = of_files(tmp_path, levels(255), range=(-9, 255)).fingerprint
  assert bare != given
  assert of_files(tmp_path, levels(255), range=(0, 255)).fingerprint == bare
  assert of_files(tmp_path, levels(255), range='').fingerprint == bare


@pytest.mark.parametrize(
  'given',
  ['unit', (0,), (1, 0), (0, 0), (0, 1, 2), ('a', 'b'), 255, [0, 1e999]],
)
def test_what_is_no_range_is_refused(given):
  with pytest.raises(UserError, match='data.range=.*expected the lowest and'):
    ranges.parse(given)


def test_values_outside_of_the_range_are_refused(tmp_path):
  with pytest.raises(UserError, match=r'data.range=0,200: there .*\[0, 255\]'):
    of_array(tmp_path, levels(255), range=(0, 200))
  for skip in (False, True):  # such a file is not corrupt
    with pytest.raises(UserError, match=r'0.png: data.range=0,9: .* values in'):
      of_files(tmp_path, levels(255), range=[0, 9], skip_corrupt=skip)
  np.savez(tmp_path / 'p.npz', x=np.zeros((3, 2)))
  with pytest.raises(UserError, match='points, which have no range'):
    data.load('npz', path=str(tmp_path / 'p.npz'), range=(0, 1))
