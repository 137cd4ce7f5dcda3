"""How many examples each class of a data set has."""

from collections.abc import Callable

import numpy as np

from gan_jax.types import Dataset, UserError

CHUNK = 1024  # examples whose labels are read at a time


def counts(dataset: Dataset) -> np.ndarray:
  """Examples of each class, [C] int64; [0] without classes.

  Examples of no class (a label below 0) are not counted. Where the data set
  does not know its counts, all its examples are read.

  Raises:
    UserError: a label that has no name, or no example that has a class.
  """
  num_classes = len(dataset.class_names)
  if not num_classes:
    return np.zeros(0, np.int64)
  count = dataset.count_classes or _by_reading(dataset)
  per_class = np.asarray(count(), np.int64)
  if per_class.shape != (num_classes,):
    raise UserError(
      f'{dataset.name}: labels up to {len(per_class) - 1}, but {num_classes}'
      ' names of classes.'
    )
  if not per_class.sum():
    raise UserError(f'{dataset.name}: no example has a class.')
  return per_class


def counter(
  read_labels: Callable, size: int, num_classes: int
) -> Callable | None:
  """What a data set's field `count_classes` holds.

  Args:
    read_labels: rows [n] -> their labels [n], at little cost.
    size: number of examples.
    num_classes: C; without any there is nothing to count.

  Returns:
    (rows [n] | None) -> [C] int64, of all examples for None; these are counted
    once and kept.
  """
  if not num_classes:
    return None
  kept = {}

  def count(rows=None):
    if rows is not None:
      return _count(read_labels, rows, num_classes)
    if 'all' not in kept:
      kept['all'] = _count(read_labels, np.arange(size), num_classes)
    return kept['all']

  return count


def _by_reading(dataset):
  read_labels = lambda rows: dataset.read(rows)['label']
  return counter(read_labels, dataset.size, len(dataset.class_names))


def _count(read_labels, rows, num_classes):
  """[C], or longer if a label is out of range."""
  total = np.zeros(num_classes, np.int64)
  for start in range(0, len(rows), CHUNK):
    labels = np.asarray(read_labels(rows[start : start + CHUNK]))
    per_class = np.bincount(labels[labels >= 0], minlength=len(total))
    per_class[: len(total)] += total
    total = per_class
  return total
