"""The interface of a feature net."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.types import UserError


class Seen(NamedTuple):
  """What a feature net makes of N samples, float32 on the host."""

  features: np.ndarray  # [N, D]
  probabilities: np.ndarray | None = None  # [N, C] if the net knows classes
  spatial: np.ndarray | None = None  # [N, S], what sFID compares


class Features(NamedTuple):
  """A map from samples to features, and what a score records about it.

  `apply` takes samples [N, ...], float in model range or uint8, and returns
  them as `Seen`.
  """

  name: str
  hash: str  # of the weights; of the preparation where there are none
  apply: Callable
  accuracy: float | None = None  # on held-out labelled examples
  resize: str = ''  # how pictures are brought to the net's size, if at all
  knows: tuple[str, ...] = ()  # what it gives beside the features, see spaces


def to_model_range(x):
  """Samples in model range: uint8 [0, 255] -> float32 [-1, 1]."""
  x = np.asarray(x)
  if x.dtype == np.uint8:
    return x.astype(np.float32) / 127.5 - 1
  return x.astype(np.float32)


def batch_size(per_device: int) -> int:
  """Samples per batch for all devices of this process, which divide it.

  Args:
    per_device: samples; the virtual devices of a CPU count as one.
  """
  n = jax.local_device_count()
  total = per_device * (1 if jax.default_backend() == 'cpu' else n)
  return -(-total // n) * n


def in_batches(see: Callable, samples, *, size: int) -> Seen:
  """Looks at any number of samples with a program of one batch size.

  Args:
    see: batch [size, ...] -> Seen of arrays [size, ...].
    samples: [N, ...]; the last batch is padded with zeros.
    size: samples per batch.

  Returns:
    Seen of N samples.

  Raises:
    UserError: no samples.
  """
  samples, parts = np.asarray(samples), []
  if not samples.size:
    raise UserError(f'no samples to look at: an array {list(samples.shape)}')
  for start in range(0, len(samples), size):
    x = samples[start : start + size]
    padding = [(0, size - len(x))] + [(0, 0)] * (x.ndim - 1)
    seen = jax.device_get(see(np.pad(x, padding)))
    parts.append([None if y is None else y[: len(x)] for y in seen])
  together = lambda y: None if y[0] is None else np.concatenate(y)
  return Seen(*map(together, zip(*parts, strict=True)))
