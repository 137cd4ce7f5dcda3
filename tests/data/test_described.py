"""What data sets say without their files is what these hold."""

import numpy as np
import pytest

from gan_jax.data import loading
from gan_jax.datasets import tfds_images
from gan_jax.types import UserError
from tests import tiny_data

SHAPE = 28, 28, 1


@pytest.fixture(scope='module')
def root(tmp_path_factory):
  """Small files of each kind; not to be changed."""
  root = tmp_path_factory.mktemp('files')
  digits = tiny_data.images(10, SHAPE), np.arange(10)
  tiny_data.write_tfds(root / 'tfds', 'mnist', {'train': digits})
  tiny_data.write_spoken_digits(root / 'spoken', [np.arange(64)] * 3)
  tiny_data.write_folder(root / 'images', tiny_data.images(4))
  tiny_data.write_sounds(root / 'sounds')
  return root


@pytest.mark.parametrize(
  'name, place, options',
  [
    ('mnist', 'tfds', {}),
    ('mnist', 'tfds', {'image_size': 8, 'channels': 3}),
    ('mnist_rows', 'tfds', {}),
    ('stacked_mnist', 'tfds', {'size': 20}),
    ('folder', 'images', {'image_size': 8}),
    ('folder', 'images', {'image_size': 16, 'channels': 1}),
    ('sounds', 'sounds', {'length': 32}),
    ('spoken_digit', 'spoken', {'length': 64}),
  ],
)
def test_it_is_what_the_files_hold(name, place, options, root):
  known = loading.describe(name, dir='/nowhere', memory_mb=1, **options)
  there = loading.load(name, dir=str(root / place), **options)
  _check_alike(known, there)
  with pytest.raises(UserError, match='of a description'):
    known.read(np.arange(2))


@pytest.mark.parametrize('values', ['returns', 'ohlc', 'prices'])
def test_prices(values, tmp_path, monkeypatch):
  tiny_data.write_stocks(tmp_path, monkeypatch)
  known = loading.describe('stocks', values=values)
  _check_alike(known, loading.load('stocks', values=values))


def _check_alike(known, there):
  assert (known.kind, known.shape) == (there.kind, there.shape)
  assert len(known.class_names) == len(there.class_names)
  if known.name == there.name == 'stacked_mnist':
    assert (known.size, known.nbytes) == (there.size, there.nbytes)


def test_data_that_are_made_are_loaded():
  data = loading.describe('ring8', size=50)
  assert data.size == 50 and len(data.read(np.arange(3))['x']) == 3


def test_plays():
  data = loading.describe('tiny_shakespeare', length=16)
  assert data.nbytes == data.size * 16
  assert data.shape == (16, 65) and data.size == 1_003_854 // 16


@pytest.mark.parametrize(
  'name, options, words',
  [
    ('nothing', {}, 'known only from its files'),
    ('imagenet2012', {}, 'data.image_size=0'),
    ('mnist', {'colour': 1}, 'data.colour: unknown'),
    ('folder', {}, 'data.image_size=N'),
    ('sounds', {}, 'data.length=0'),
    ('stocks', {'index': 'dax'}, 'data.index'),
    ('npz', {}, 'data.path'),
  ],
)
def test_only_the_files_know(name, options, words):
  with pytest.raises(UserError, match=words):
    loading.describe(name, **options)


@pytest.mark.parametrize('name', tfds_images.CATALOG)
def test_the_catalog_is_that_of_the_library(name, tmp_path):
  tfds = pytest.importorskip('tensorflow_datasets')
  height, width, channels, _, classes = tfds_images.CATALOG[name]
  features = tfds.builder(name, data_dir=str(tmp_path)).info.features
  assert features['image'].shape == (height or None, width or None, channels)
  there = features['label'].num_classes if 'label' in features else 0
  assert there == classes
  known = loading.describe(name, image_size=8).attributes
  assert known == tuple(dict(features).get('attributes', ()))
