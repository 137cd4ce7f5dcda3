"""A number for each sample that depends on its content alone.

Scores must not depend on the order in which samples come: of a folder sorted by
classes, say. What a metric does at random (groups that are left out in turn,
splits, blocks, subsets) is drawn by these numbers in place of positions.
"""

import functools

import numpy as np

from gan_jax.metrics.features import base
from gan_jax.types import Dataset

BITS = 12  # of a value of size 1 that count
SMALL = 2.0**-6  # a sample of smaller values is seen through a magnifying glass
_ROWS = 2**22  # values that are hashed at a time
AFFORDABLE = 2**30  # bytes of a data set that is read whole to choose rows
CHUNK = 4096  # examples that are read for it at a time


def keys(samples) -> np.ndarray:
  """64 bits of each sample, as good as random: [N, ...] -> [N] uint64.

  Args:
    samples: in model range or uint8. Values count up to a rounding that leaves
      alike what differs by the type of a file only: uint8, float32 and float64
      of the same levels have the same numbers.
  """
  samples = np.asarray(samples)
  step = max(1, _ROWS // max(1, int(np.prod(samples.shape[1:]))))
  parts = [
    _hash(_rounded(base.to_model_range(samples[i : i + step])))
    for i in range(0, len(samples), step)
  ]
  return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def labelled(keys, labels) -> np.ndarray:
  """Numbers [N] uint64 of samples with labels, of both their own [N]."""
  return _hash(np.stack([keys.view(np.int64), np.asarray(labels)], axis=1))


def _rounded(x):
  """[N, ...] float32 -> [N, D] whole numbers."""
  x = np.nan_to_num(x.reshape(len(x), -1).astype(np.float64))
  largest = np.abs(x).max(axis=1, keepdims=True, initial=0)
  # The borders of powers of two are kept away from 1, a usual maximum.
  _, exponent = np.frexp(1.5 * largest / SMALL)
  scale = np.where((largest > 0) & (largest < SMALL), exponent - 7, 0)
  whole = np.rint(np.ldexp(x, BITS - scale))
  return np.clip(whole, -(2.0**62), 2.0**62).astype(np.int64)


def _hash(x):
  """[N, D] int64 -> [N] uint64, by random weights and SplitMix64's finish."""
  weights = _weights(x.shape[1])
  z = (x.view(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
  z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return z ^ (z >> np.uint64(31))


@functools.lru_cache(4)
def _weights(count):
  rng = np.random.default_rng(0)
  return rng.integers(2**63, size=count, dtype=np.uint64) * np.uint64(2) + (
    np.uint64(1)
  )


def order(samples, labels, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
  """An order of labelled samples [N], and of their classes [C].

  Args:
    samples: as of keys.
    labels: [N] int below num_classes.
    num_classes: C; those without a sample are the last.

  Returns:
    the rows of the samples in their order [N], and the place of each class [C].
  """
  own = keys(samples)
  of = lambda c: own[labels == c].sum(dtype=np.uint64)
  sums = np.array([of(c) for c in range(num_classes)])
  empty = np.bincount(labels, minlength=num_classes) == 0
  place = np.argsort(np.lexsort((sums, empty)))
  return np.lexsort((place[labels], own)), place


def chosen(dataset: Dataset, most: int) -> np.ndarray:
  """A fixed draw of at most so many rows of a data set, ascending.

  By content where the examples might come in any order, as long as all of them
  fit into memory; else by position.
  """
  size = dataset.size
  if chooses(dataset, most):
    own = [
      keys(dataset.read(np.arange(start, min(start + CHUNK, size)))['x'])
      for start in range(0, size, CHUNK)
    ]
    order = np.argsort(np.concatenate(own), kind='stable')
  else:
    order = np.random.default_rng(0).permutation(size)
  return np.sort(order[:most])


def chooses(dataset: Dataset, most: int) -> bool:
  """Whether `chosen` goes by content."""
  affordable = dataset.nbytes <= AFFORDABLE
  return dataset.any_order and affordable and dataset.size > most


class Occurrences:
  """Numbers the samples of one content: 0 for the first, 1 for the next, ..."""

  def __init__(self):
    """Has seen none."""
    self._seen: dict[int, int] = {}

  def __call__(self, keys: np.ndarray) -> np.ndarray:
    """[B] keys -> [B] int, how often each has been seen before."""
    before = np.empty(len(keys), np.int64)
    for i, key in enumerate(keys.tolist()):
      before[i] = self._seen.get(key, 0)
      self._seen[key] = before[i] + 1
    return before
