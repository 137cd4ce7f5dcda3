"""What the two-dimensional toys share: finite data sets, drawn by seed."""

import math

import numpy as np

from gan_jax import types
from gan_jax.data import memory
from gan_jax.types import Dataset, UserError


def generator(*, size: int, data_seed: int, std: float) -> np.random.Generator:
  """The generator of a toy's points, once its options are checked."""
  if not 1 <= size < types.MAX_SIZE:
    raise UserError(
      f'data.size={size}: expected at least 1 point, and fewer than'
      f' {types.MAX_SIZE:,}.'
    )
  if not 0 < std < math.inf:
    raise UserError(f'data.std={std}: expected a positive number.')
  if data_seed < 0:
    raise UserError(f'data.data_seed={data_seed}: expected 0 or more.')
  return np.random.Generator(np.random.PCG64(data_seed))


def mixture(
  name: str,
  kind: str,
  centers: np.ndarray,
  std: float,
  *,
  size: int,
  data_seed: int,
) -> Dataset:
  """Draws from equally likely round Gaussians; the label is the mode.

  Args:
    name: of the data set.
    kind: of its samples.
    centers: [M, D].
    std: of every mode, along every axis.
    size: number of points.
    data_seed: of the points, apart from the seed of the training.

  Raises:
    UserError: an option out of range.
  """
  rng = generator(size=size, data_seed=data_seed, std=std)
  label = rng.integers(len(centers), size=size)
  x = centers[label] + std * rng.standard_normal((size, centers.shape[-1]))
  return memory.from_arrays(
    name,
    kind,
    x.astype(np.float32),
    label,
    class_names=tuple(str(k) for k in range(len(centers))),
    modes={'centers': centers.astype(np.float32), 'std': std},
  )
