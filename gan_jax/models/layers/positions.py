"""Where the places of a grid are, as vectors and as turns; of any grid.

The tokens of a grid stand row by row.
"""

import jax.numpy as jnp
import numpy as np

LONGEST = 10000.0  # the wave lengths are 2 pi to 2 pi times so many places


def waves(grid: tuple[int, int], features: int) -> np.ndarray:
  """A fixed vector for each place: sines and cosines of its coordinates.

  Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), section 3.5, along
  two axes: the first half of the features is for the column, the other for the
  row; in each half the sines come first.

  Args:
    grid: rows and columns.
    features: a multiple of four.

  Returns:
    [rows * columns, features] float32.
  """
  row, column = (np.ravel(axis) for axis in np.indices(grid))
  half = lambda place: (
    f(place[:, None] * _rates(features // 2)) for f in (np.sin, np.cos)
  )
  return np.concatenate([*half(column), *half(row)], 1).astype(np.float32)


def turned(x, grid: tuple[int, int]):
  """Pairs of features turned by angles that grow with row and column: RoPE.

  Su et al. 2021 (https://arxiv.org/abs/2104.09864), equation 15, along two
  axes: products of two turned vectors depend on how far apart their places
  are. The first half of the pairs is for the row, the other for the column.
  Tokens before those of the grid are left as they are.

  Args:
    x: [B, T, heads, F] with F a multiple of four.
    grid: rows and columns, at most T places.

  Returns:
    the same shape.
  """
  row, column = (np.ravel(axis)[:, None] for axis in np.indices(grid))
  rates = _rates(x.shape[-1] // 2)
  angle = np.concatenate([row * rates, column * rates], axis=1)  # [places, F/2]
  angle = np.pad(angle, ((x.shape[1] - len(angle), 0), (0, 0)))
  cos, sin = (
    jnp.asarray(f(angle)[None, :, None], x.dtype) for f in (np.cos, np.sin)
  )
  a, b = x[..., ::2], x[..., 1::2]
  both = jnp.stack([a * cos - b * sin, a * sin + b * cos], axis=-1)
  return both.reshape(x.shape)


def _rates(features: int) -> np.ndarray:
  """How far each pair of so many features turns from a place to the next."""
  pairs = features // 2
  return LONGEST ** -(np.arange(pairs) / pairs)
