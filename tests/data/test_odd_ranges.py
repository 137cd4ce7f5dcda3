"""Ranges that are nearly the usual one, mixed, not numbers, or of TFDS."""

import functools
import io
import sys

import numpy as np
import pytest
from PIL import Image

from gan_jax import data
from gan_jax.data import ranges, use
from gan_jax.datasets import tfds_images
from gan_jax.types import UserError
from tests import tiny_data
from tests.data.test_ranges import SHARES, levels, of_array, of_files, seen


@pytest.mark.parametrize(
  'x',
  [
    1.001 * SHARES - 0.001,  # resized: a little below black
    np.append(SHARES, np.full((1, 8, 8), -1e-7), 0),
    (1.2 * SHARES - 0.2).astype(np.float16),
    np.where(SHARES > 0.5, 1.0, -0.01),
  ],
)
def test_floats_that_are_hardly_negative_are_refused(tmp_path, x):
  with pytest.raises(UserError, match='hardly below 0: if 0 is black, cut'):
    of_array(tmp_path, x)
  found = seen(of_array(tmp_path, x, range=(-1, 1)))
  np.testing.assert_allclose(found, (x + 1) / 2, atol=1e-3)


@pytest.mark.parametrize('low, high', [(-0.3, 0.9), (-1, 0.2), (-0.2, 0.4)])
def test_floats_of_a_lopsided_range_are_asked_about(
  tmp_path, capsys, low, high
):
  of_array(tmp_path, low + (high - low) * SHARES)
  said = capsys.readouterr().err
  assert said.startswith('warning: ') and f'[{low}, {high}]' in said


@pytest.mark.parametrize(
  'given',
  ['0,1', '(0, 1)', '[0,1]', (np.float32(0), np.int64(1)), [0.0, 1]],
)
def test_a_range_may_be_a_text_or_numbers_of_numpy(tmp_path, given):
  found = seen(of_array(tmp_path, SHARES, range=given))
  np.testing.assert_allclose(found, SHARES, atol=1e-6)


@pytest.mark.parametrize('given', ['0', '0,x', '1,0', '0,,1', (True, False)])
def test_other_texts_are_none(given):
  with pytest.raises(UserError, match='data.range=.*expected the lowest and'):
    ranges.parse(given)


def test_a_hair_outside_of_a_range_is_told_in_enough_digits(tmp_path):
  x = 2 * SHARES - 1
  x[2, 7, 7] += 2e-9
  with pytest.raises(UserError, match=r'they are in \[-1, 1.000000002\]; data'):
    of_array(tmp_path, x)
  with pytest.raises(UserError, match=r'values in \[-1, 1.000000002\]'):
    of_array(tmp_path, x, range=(-1, 1))


@pytest.mark.parametrize('odd', [np.nan, np.inf, -np.inf])
def test_files_with_values_that_are_no_numbers(tmp_path, odd):
  x = SHARES.astype(np.float32)
  x[1, 2, 3] = odd
  with pytest.raises(UserError, match='files of 32 bits'):
    of_files(tmp_path, x, 'tif')
  found = of_files(tmp_path, x, 'tif', range=(0, 1), memory_mb=0)
  with pytest.raises(UserError, match='1.tif: data.range=0,1: there are val'):
    data.arrays(found)


def test_a_few_deep_files_among_others_are_found(tmp_path, capsys):
  for i in range(150):
    few = i in (7, 141)
    x = levels(4095, np.uint16)[0] if few else levels(255)[2]
    Image.fromarray(x).save(tmp_path / f'{i:03}.png')
  with pytest.raises(UserError, match='of 65535: data.range='):
    data.load('folder', dir=str(tmp_path), channels=1)
  assert not capsys.readouterr().err
  data.load('folder', dir=str(tmp_path), channels=1, range=(0, 4095))
  said = capsys.readouterr().err
  assert 'files of 8 and of 16 bits; data.range=0,4095 is taken' in said


def test_files_that_are_opened_by_functions(tmp_path):
  """As those of TFDS, which lie in no folder."""
  of_files(tmp_path, levels(255))
  paths = sorted(tmp_path.glob('*.png'))
  opened = [functools.partial(io.BytesIO, p.read_bytes()) for p in paths]
  use.judge(opened, None, 'here')
  Image.fromarray(levels(9)[2]).save(tmp_path / 'dark.png')
  dark = (tmp_path / 'dark.png').read_bytes()
  with pytest.raises(UserError, match='here: values up to 9 of 255'):
    use.judge([functools.partial(io.BytesIO, dark)], None, 'here')


def test_a_data_set_of_tfds_is_judged_too(tmp_path):
  x = tiny_data.images(6, (28, 28, 1)) // 90  # 0, 1, 2
  splits = {'train': (x, np.arange(6))}
  tiny_data.write_tfds(tmp_path, 'mnist', splits)
  options = {'dir': str(tmp_path)}
  with pytest.raises(UserError, match="'mnist': values up to 2 of 255: data.r"):
    data.load('mnist', **options)
  found = data.load('mnist', **options, range=(0, 2))
  assert set(np.unique(data.arrays(found)['x'])) == {0, 128, 255}
  with pytest.raises(UserError, match="'mnist': data.range=0,1: there are"):
    data.arrays(data.load('mnist', **options, range=(0, 1)))
  as_ever = data.load('mnist', **options, range=(0, 255))
  assert as_ever.fingerprint != found.fingerprint


def test_floats_of_tfds_are_refused():
  import tensorflow_datasets as tfds

  image = tfds.features.Image(shape=(4, 4, 1), dtype=np.float32)
  info = type('Info', (), {'features': {'image': image}})
  builder = type('Builder', (), {'info': info})
  with pytest.raises(UserError, match="'depth': its 'image' holds floats"):
    tfds_images._image_feature(builder, 'depth', 0, 0)


OWN = """
import pathlib
import numpy as np
from gan_jax.data import memory
def load():
  x = np.load(pathlib.Path(__file__).with_suffix('.npy'))
  return memory.from_arrays('mine', 'image', x)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
  """x -> the data set of one's own that gives it."""
  folder = tmp_path / 'own_ranges'
  folder.mkdir()
  (folder / 'mine.py').write_text(OWN)
  monkeypatch.syspath_prepend(tmp_path)

  def load(x):
    np.save(folder / 'mine.npy', x[..., None])
    return data.load('own_ranges.mine')

  yield load
  sys.modules.pop('own_ranges.mine', None)
  sys.modules.pop('own_ranges', None)


@pytest.mark.parametrize(
  'x, word',
  [
    (levels(255, np.int32), 'images of int32; expected uint8'),
    (levels(4095, np.uint16), 'images of uint16'),
    (SHARES > 0.5, 'images of bool'),
    (255 * SHARES, r'images in \[0, 255\]; expected floats in \[-1, 1\]'),
  ],
)
def test_images_of_ones_own_that_no_network_expects_are_refused(own, x, word):
  with pytest.raises(UserError, match=f"'own_ranges.mine': {word}"):
    own(x)


@pytest.mark.parametrize(
  'x, asks',
  [
    (SHARES, True), (levels(9), True), (1.1 * SHARES - 0.1, True),
    (levels(255), False), (2 * SHARES - 1, False), (0 * SHARES, False),
  ],
)  # fmt: skip
def test_images_of_ones_own_are_asked_about(own, x, asks, capsys):
  own(x)
  said = capsys.readouterr().err
  assert said.startswith("warning: data.name='own_ranges.mine'") == asks
  assert bool(said) == asks
