"""Real examples are arranged as the samples are."""

import types

import numpy as np
import pytest

from gan_jax.data import memory
from gan_jax.run import shown


def _setup(labels, names):
  x = np.repeat(labels, 16).reshape(-1, 4, 4, 1).astype(np.uint8)
  dataset = memory.from_arrays('tiny', 'image', x, labels, class_names=names)
  return types.SimpleNamespace(dataset=dataset, num_classes=len(names))


@pytest.mark.parametrize(
  'num, classes, expected',
  [(100, 10, 100), (100, 3, 99), (100, 47, 100), (100, 1000, 100), (4, 9, 9)],
)
def test_whole_rows_of_evenly_chosen_classes(num, classes, expected):
  labels = shown.grid_labels(num, classes)
  assert len(labels) == expected
  columns = min(classes, 20)
  rows = labels.reshape(-1, columns)
  assert (rows == rows[:1]).all() and (np.diff(rows[0]) > 0).all()
  assert (rows[0, 0], rows[0, -1]) == (0, classes - 1)


def test_without_classes_there_are_no_columns():
  assert shown.grid_labels(100, 0) is None


@pytest.mark.parametrize('order', ['sorted', 'mixed'])
def test_a_real_example_for_each_sample(order):
  labels = np.repeat(np.arange(5), 40)
  if order == 'mixed':
    labels = np.random.default_rng(1).permutation(labels)
  setup = _setup(labels, tuple('abcde'))
  x, found = shown.real_of(setup, shown.grid_labels(20, 5))
  assert found.tolist() == list(range(5)) * 4
  levels = np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int)
  assert levels.tolist() == found.tolist()


def test_there_are_fewer_of_a_rare_class():
  labels = np.array([0] * 50 + [1] * 2 + [2] * 50)
  _, found = shown.real_of(_setup(labels, tuple('abc')), np.arange(12) % 3)
  assert found.tolist() == [0, 1, 2, 0, 1, 2, 0, 2, 0, 2]
