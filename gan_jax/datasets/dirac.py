"""One point, the origin, for games whose networks are mere parameters.

Mescheder et al. 2018 (https://arxiv.org/abs/1801.04406), Section 2: the data of
the Dirac-GAN. Where G makes the data, the players of such a game are at rest.
"""

import numpy as np

from gan_jax import types
from gan_jax.data import memory
from gan_jax.types import Dataset, UserError


def load(*, dim: int = 1, size: int = 256) -> Dataset:
  """The origin, so many times: [size, dim].

  Args:
    dim: of the space.
    size: examples, all alike.

  Raises:
    UserError: a number below 1, or too large a size.
  """
  if dim < 1 or not 1 <= size < types.MAX_SIZE:
    raise UserError(
      f'data.dim={dim}, data.size={size}: expected at least 1, and a size below'
      f' {types.MAX_SIZE:,}.'
    )
  return memory.from_arrays('dirac', 'point', np.zeros((size, dim), np.float32))
