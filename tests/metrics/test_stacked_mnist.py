"""Stacked MNIST: the data set, its modes, and the digits of its channels."""

import os
import pathlib

import numpy as np
import pytest

from gan_jax.data import loading
from gan_jax.metrics import stacked_mnist
from gan_jax.metrics.features import base
from gan_jax.types import UserError
from tests import tiny_data

ALL = np.indices((10, 10, 10)).reshape(3, -1).T  # [1000, 3]


# Modes.


def test_every_mode_once():
  got = stacked_mnist.stacked_modes(ALL)
  assert got == {'stacked_modes': 1000, 'stacked_kl': 0}


def test_order_of_channels_matters():
  got = stacked_mnist.stacked_modes([[1, 2, 3], [3, 2, 1], [1, 2, 3]])
  p = np.array([2, 1]) / 3
  assert got['stacked_modes'] == 2
  want = np.sum(p * np.log(1000 * p))
  assert got['stacked_kl'] == pytest.approx(want, rel=1e-12)


def test_one_mode_is_the_worst():
  got = stacked_mnist.stacked_modes(np.full((50, 3), 9))
  assert got['stacked_modes'] == 1
  assert got['stacked_kl'] == pytest.approx(np.log(1000), rel=1e-12)


def test_half_of_the_modes():
  got = stacked_mnist.stacked_modes(ALL[::2])
  assert got['stacked_modes'] == 500
  assert got['stacked_kl'] == pytest.approx(np.log(2), rel=1e-12)


@pytest.mark.parametrize('min_count, seen', [(0, 1000), (1, 1000), (2, 300)])
def test_min_count_bears_on_modes_only(min_count, seen):
  labels = np.concatenate([ALL, ALL[:300]])
  got = stacked_mnist.stacked_modes(labels, min_count=min_count)
  assert got['stacked_modes'] == seen
  once = stacked_mnist.stacked_modes(labels)
  assert got['stacked_kl'] == once['stacked_kl'] > 0


def test_probabilities_count_by_the_largest():
  rng = np.random.default_rng(0)
  labels = rng.integers(4, size=(90, 3))
  probabilities = 0.5 * np.eye(4)[labels] + 0.125  # [90, 3, 4]
  got = stacked_mnist.stacked_modes(probabilities, 4)
  assert got == stacked_mnist.stacked_modes(labels, 4)


def test_divergence_of_even_draws_is_what_the_docstring_says():
  labels = np.random.default_rng(1).integers(10, size=(26_000, 3))
  got = stacked_mnist.stacked_modes(labels)
  assert got['stacked_modes'] == 1000
  assert got['stacked_kl'] == pytest.approx(999 / 52_000, rel=0.15)


# Digits of the channels.


def brightness(x):
  """A stand-in for a classifier: class k is a brightness of k."""
  level = np.asarray(x)[:, 0, 0, 0].astype(int)
  return base.Seen(x.reshape(len(x), -1), np.eye(10, dtype=np.float32)[level])


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_triple_labels_looks_at_each_channel(dtype):
  samples = np.broadcast_to(ALL[:, None, None], (1000, 2, 4, 3)).astype(dtype)
  got = stacked_mnist.triple_labels(brightness, samples)
  np.testing.assert_array_equal(got, ALL)


# The data set.


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  x = tiny_data.images(40, (28, 28, 1))
  splits = {'train': (x, np.arange(40) % 10), 'test': (x[:7], np.arange(7))}
  return str(
    tiny_data.write_tfds(tmp_path_factory.mktemp('tfds'), 'mnist', splits)
  )


def load(folder, **options):
  return loading.load('stacked_mnist', dir=folder, **{'size': 300, **options})


def test_channels_are_digits(folder):
  found = load(folder)
  x = loading.arrays(found)['x']
  assert x.shape == (300, 28, 28, 3) and x.dtype == np.uint8
  assert x.nbytes == found.nbytes and x.flags.c_contiguous
  assert (found.name, found.kind) == ('stacked_mnist', 'image')
  assert found.class_names == ()
  digits = loading.arrays(found.modes['channel'])
  row = {d.tobytes(): i for i, d in enumerate(digits['x'][..., 0])}
  drawn = [[row[i[..., c].tobytes()] for c in range(3)] for i in x]
  # Independent and uniform: all digits in all channels, 900 of 40.
  counts = np.bincount(np.ravel(drawn), minlength=40)
  assert counts.min() > 5 and counts.max() < 45
  assert (
    np.abs(np.corrcoef(np.transpose(drawn))[np.triu_indices(3, 1)]).max() < 0.2
  )
  assert digits['label'].shape == (40,)


def test_rows_do_not_depend_on_anything_else(folder):
  whole = loading.arrays(load(folder))['x']
  rows = np.array([5, 0, 299, 5])
  for other in (load(folder, memory_mb=0), load(folder, size=100_000)):
    np.testing.assert_array_equal(other.read(rows)['x'], whole[rows])
  reseeded = loading.arrays(load(folder, data_seed=1))['x']
  assert (reseeded != whole).any(axis=(1, 2, 3)).mean() > 0.9


def test_fingerprint_follows_the_content(folder):
  same = load(folder, memory_mb=0).fingerprint
  options = [
    {},
    {'data_seed': 1},
    {'size': 299},
    {'split': 'test'},
    {'image_size': 5},
  ]
  prints = [load(folder, **o).fingerprint for o in options]
  assert prints[0] == same and len(set(prints)) == len(options)
  assert len(same) == 64


def test_default_size_is_of_the_paper(folder):
  found = loading.load('stacked_mnist', dir=folder, image_size=8)
  assert found.size == 128_000 and found.shape == (8, 8, 3)
  assert found.read(np.array([127_999]))['x'].shape == (1, 8, 8, 3)


@pytest.mark.parametrize(
  'options, told',
  [
    ({'size': 0}, 'data.size=0'),
    ({'data_seed': -1}, 'data.data_seed=-1'),
    ({'split': 'trian'}, "'trian'.*splits: train, test"),
    ({'image_size': -1}, 'data.image_size=-1'),
    ({'channels': 1}, 'data.channels: unknown; stacked_mnist takes dir'),
    ({'dir': '/nowhere'}, 'to prepare it'),
  ],
)
def test_mistakes_of_the_data_set(folder, options, told):
  with pytest.raises(UserError, match=told) as e:
    loading.load('stacked_mnist', **{'dir': folder, **options})
  assert '\n' not in str(e.value)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: stacked_mnist.stacked_modes([[1, 2, 10]]), 'from 1 to 10'),
    (lambda: stacked_mnist.stacked_modes([[1, -1, 0]]), 'from -1 to 1'),
    (lambda: stacked_mnist.stacked_modes([[1, 2]]), r'int64 \[1, 2\]'),
    (lambda: stacked_mnist.stacked_modes([[1.0, 2.0, 3.0]]), 'integer digits'),
    (lambda: stacked_mnist.stacked_modes(np.zeros((0, 3), int)), r'\[0, 3\]'),
    (lambda: stacked_mnist.stacked_modes(np.zeros((2, 3, 9))), r'\[N, 3, 10\]'),
    (lambda: stacked_mnist.stacked_modes(np.full((2, 3, 10), np.nan)), 'NaN'),
    (
      lambda: stacked_mnist.triple_labels(brightness, np.zeros((2, 4, 4, 1))),
      r'\[N, H, W, 3\], got \[2, 4, 4, 1\]',
    ),
    (
      lambda: stacked_mnist.triple_labels(base.Seen, np.zeros((2, 4, 4, 3))),
      'needs a classifier',
    ),
    (
      lambda: stacked_mnist.triple_labels(
        lambda x: base.Seen(x, np.full((2, 10), np.nan)),
        np.zeros((2, 4, 4, 3)),
      ),
      '2 of 2.*NaN',
    ),
  ],
)
def test_mistakes_of_the_metric(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)


REAL = pathlib.Path(os.environ.get('GAN_JAX_DATA', '/nowhere'))


@pytest.mark.skipif(
  not (REAL / 'mnist').is_dir(), reason=f'no mnist in GAN_JAX_DATA={REAL}'
)
def test_real_digits_have_all_the_modes():
  found = loading.load('stacked_mnist', dir=str(REAL), size=26_000)
  label = loading.arrays(found.modes['channel'])
  known = {x.tobytes(): y for x, y in zip(*label.values(), strict=True)}
  x = loading.arrays(found)['x']
  triples = [[known[i[..., c].tobytes()] for c in range(3)] for i in x]
  got = stacked_mnist.stacked_modes(np.array(triples))
  # 26,000 even draws alone would give .019; the digits are not quite even.
  assert got['stacked_modes'] == 1000 and 0.02 < got['stacked_kl'] < 0.05
