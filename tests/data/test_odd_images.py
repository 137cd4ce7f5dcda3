"""Pictures that are merely odd: turned, packed, named in rare ways. They work.

What they become is said in examples.decode and in datasets/folder.
"""

import os

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import loading
from tests import tiny_data
from tests.odd_pictures import noise, png, saved


@pytest.fixture
def here(tmp_path):
  """A place with an empty folder."""
  (tmp_path / 'odd').mkdir()
  return tmp_path


def read(folder, **options):
  """The pictures of a folder, [N, H, W, C]."""
  return loading.arrays(loading.load('folder', dir=str(folder), **options))


def one(here, name, raw, **options):
  """The only picture of a folder, [H, W, C] int."""
  (here / 'odd' / name).write_bytes(raw)
  return read(here / 'odd', **options)['x'][0].astype(int)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_photograph_is_turned_upright(orientation, here):
  image = noise(size=(12, 8))
  turns = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x.swapaxes(0, 1)[::-1],
  }
  exif = Image.Exif()
  exif[0x0112] = orientation
  found = one(here, 'a.png', saved(image, 'PNG', exif=exif))
  np.testing.assert_array_equal(found, turns[orientation](np.asarray(image)))


def test_sixteen_bits_are_scaled_not_clipped(here):
  ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
  for channels in (1, 3):
    x = np.repeat(ramp[..., None], channels, -1)
    found = one(here, 'a.png', png(x), channels=channels)
    np.testing.assert_array_equal(found, x // 256)
    assert np.abs(found - x / 257).max() < 1
    assert (found.min(), found.max()) == (0, 255)


def test_a_palette_is_looked_up(here):
  image = noise('L')
  image = image.point(lambda v: v % 4).convert('P')
  colours = [(0, 0, 0), (255, 0, 0), (0, 200, 10), (1, 2, 3)]
  image.putpalette([v for colour in colours for v in colour])
  index = np.asarray(image)
  for bits in (2, 4, 8):
    found = one(here, 'a.png', saved(image, 'PNG', bits=bits))
    np.testing.assert_array_equal(found, np.array(colours)[index])


def test_one_bit_is_black_and_white(here):
  x = np.asarray(noise('L')) > 127
  found = one(here, 'a.png', saved(Image.fromarray(x), 'PNG'), channels=1)
  np.testing.assert_array_equal(found[..., 0], 255 * x)


def test_cmyk_becomes_rgb(here):
  inks = {
    (0, 0, 0, 0): (255, 255, 255),
    (255, 0, 0, 0): (0, 255, 255),
    (0, 255, 0, 0): (255, 0, 255),
    (0, 0, 255, 0): (255, 255, 0),
    (0, 0, 0, 255): (0, 0, 0),
    (0, 0, 0, 128): (127, 127, 127),
  }
  for ink, colour in inks.items():
    image = Image.new('CMYK', (8, 8), ink)
    found = one(here, 'a.jpg', saved(image, 'JPEG', quality=100))
    assert np.abs(found - colour).max() <= 3, ink


def over_white(x, opacity):
  """x [H, W, C] and opacity [H, W], both 0 to 255."""
  opacity = opacity[..., None] / 255
  return x * opacity + 255 * (1 - opacity)


def test_what_is_transparent_lies_on_white(here):
  x = np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype(np.uint8)
  x[0, 0], x[0, 1] = (9, 9, 9, 0), (9, 9, 9, 255)
  for channels in (1, 3):
    with_alpha = np.concatenate([x[..., :channels], x[..., 3:]], -1)
    found = one(here, 'a.png', png(with_alpha), channels=channels)
    expected = over_white(x[..., :channels], x[..., 3])
    assert np.abs(found - expected).max() <= 0.5
    assert found[0, 0, 0] == 255 and found[0, 1, 0] == 9


def test_one_colour_may_be_transparent(here):
  """Named by a chunk, in a palette, in grey and in colour."""
  x = np.full((8, 8, 3), 10, np.uint8)
  x[3, 4] = 200
  expected = x.copy()
  expected[3, 4] = 255
  image = Image.fromarray(x)
  key = {'transparency': (200, 200, 200)}
  palette = image.quantize(2)
  clear = {'transparency': palette.getpixel((4, 3))}
  for raw in (
    saved(image, 'PNG', **key),
    saved(image.convert('L'), 'PNG', transparency=200),
    saved(palette, 'PNG', **clear),
    saved(palette, 'GIF', **clear),
  ):
    np.testing.assert_array_equal(one(here, 'a.png', raw), expected)


def test_interlaced_is_the_same_picture(here):
  for shape in ((8, 8, 3), (5, 13, 1), (1, 1, 3)):
    x = tiny_data.images(1, shape)[0]
    found = one(here, 'a.png', png(x, interlaced=True), channels=shape[-1])
    np.testing.assert_array_equal(found, x)
  (here / 'odd' / 'a.png').unlink()
  image = noise(size=(32, 32)).resize((64, 64))
  plain, progressive = (
    one(here, 'a.jpg', saved(image, 'JPEG', quality=90, progressive=p))
    for p in (False, True)
  )
  np.testing.assert_array_equal(plain, progressive)


@pytest.mark.parametrize('kind', ['GIF', 'PNG', 'WEBP'])
def test_of_an_animation_the_first_frame_counts(kind, here):
  frames = [Image.new('RGB', (8, 8), c) for c in ((250, 0, 0), (0, 0, 250))]
  lossless = {'lossless': True} if kind == 'WEBP' else {}
  raw = saved(
    frames[0], kind, save_all=True, append_images=frames[1:], **lossless
  )
  found = one(here, f'a.{kind.lower()}', raw)
  with Image.open(here / 'odd' / f'a.{kind.lower()}') as opened:
    assert opened.n_frames == 2
  np.testing.assert_array_equal(found, np.asarray(frames[0]))


def test_names_may_be_anything(here):
  x = tiny_data.images(4)
  names = [b'a\xff.png', b'b\n.PNG', 'ü\u3000.png'.encode(), b'z\'".png']
  for name, image in zip(names, x, strict=True):
    (here / 'odd' / os.fsdecode(name)).write_bytes(png(image))
  folder = os.fsdecode(b'f\xfe')
  (here / 'odd').rename(here / folder)
  found = loading.load('folder', dir=str(here / folder))
  assert found.name == 'f\\udcfe' and len(found.fingerprint) == 64
  got = loading.arrays(found)['x']
  assert {i.tobytes() for i in got} == {i.tobytes() for i in x}


def test_classes_may_be_called_anything(here):
  x = tiny_data.images(4)
  names = [b'a\xff', b'b\nc', b'<script>', b'empty']
  for name, image in zip(names, x, strict=True):
    folder = here / 'odd' / os.fsdecode(name)
    folder.mkdir()
    if name != b'empty':  # a class without pictures is none
      (folder / 'x.png').write_bytes(png(image))
  found = loading.load('folder', dir=str(here / 'odd'))
  assert found.class_names == ('<script>', 'a\\udcff', 'b c')
  batch = loading.arrays(found)
  assert batch['label'].tolist() == [0, 1, 2]
  np.testing.assert_array_equal(batch['x'], x[[2, 0, 1]])


def test_a_folder_called_like_a_picture_and_a_link_to_one(here):
  x = tiny_data.images(3)
  (here / 'odd' / 'x.png').mkdir()
  (here / 'odd' / 'x.png' / '0.png').write_bytes(png(x[0]))
  (here / 'odd' / 'y').mkdir()
  (here / 'kept.png').write_bytes(png(x[1]))
  (here / 'odd' / 'y' / '1.png').symlink_to(here / 'kept.png')
  found = loading.load('folder', dir=str(here / 'odd'))
  assert found.class_names == ('x.png', 'y')
  np.testing.assert_array_equal(loading.arrays(found)['x'], x[:2])


def test_an_ending_that_lies_and_one_picture(here):
  image = noise(size=(16, 16)).resize((64, 64))
  found = one(here, 'a.png', saved(image, 'JPEG', quality=95))
  with Image.open(here / 'odd' / 'a.png') as opened:
    np.testing.assert_array_equal(found, np.asarray(opened))


def test_grey_and_colour_in_one_folder(here):
  x = tiny_data.images(1, (8, 8, 1))[0]
  (here / 'odd' / 'a.png').write_bytes(png(x))
  (here / 'odd' / 'b.png').write_bytes(png(np.repeat(x, 3, -1)))
  a, b = read(here / 'odd')['x']
  np.testing.assert_array_equal(a, b)
  a, b = read(here / 'odd', channels=1)['x'].astype(int)
  assert np.abs(a - b).max() <= 1
