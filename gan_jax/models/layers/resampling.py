"""Grids made larger and smaller.

The smooth ways are by the filter [1, 3, 3, 1], outer product with itself, with
zeros around the grid: a linear interpolation and its transpose.
"""

import jax.numpy as jnp
from jax import lax

from gan_jax.types import UserError


def doubled(x):
  """Each pixel as a square of four: [B, H, W, C] -> [B, 2 H, 2 W, C]."""
  return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def halved(x):
  """Means of squares of four: [B, H, W, C] -> [B, H // 2, W // 2, C].

  An odd last row or column is left out.

  Raises:
    UserError: there is but one row or column.
  """
  rows, columns = _halves(x)
  x = x[:, : 2 * rows, : 2 * columns]
  x = x.reshape(x.shape[0], rows, 2, columns, 2, x.shape[-1])
  return x.mean((2, 4))


def smoothly_doubled(x):
  """Between pixels, three parts of the nearer to one of the farther.

  Args:
    x: [B, H, W, C].

  Returns:
    [B, 2 H, 2 W, C].
  """
  for axis in (1, 2):
    before, after = _neighbours(x, axis)
    pair = (before + 3 * x) / 4, (3 * x + after) / 4
    size = [n * (1 + (i == axis)) for i, n in enumerate(x.shape)]
    x = jnp.stack(pair, axis=axis + 1).reshape(size)
  return x


def smoothly_halved(x):
  """Weighted means of four by four pixels, a pair of rows apart.

  The weights are 1, 3, 3, 1 of 8 along rows and columns; an odd last row or
  column counts as a neighbour only.

  Args:
    x: [B, H, W, C].

  Returns:
    [B, H // 2, W // 2, C].

  Raises:
    UserError: there is but one row or column.
  """
  for axis, half in zip((1, 2), _halves(x), strict=True):
    before, after = _neighbours(x, axis)
    take = lambda y, first, n=half, axis=axis: lax.slice_in_dim(
      y, first, first + 2 * n - 1, stride=2, axis=axis
    )
    inner = take(x, 0) + take(x, 1)
    x = (take(before, 0) + 3 * inner + take(after, 1)) / 8
  return x


def spread(x, features: int):
  """Twice as fine: each channel in turn fills the pixels of a square.

  Of as many channels this is `doubled`; of fewer, a square's pixels are of
  different channels (a pixel shuffle of repeated channels).

  Args:
    x: [B, H, W, C].
    features: of the result; four times as many are a multiple of C.

  Returns:
    [B, 2 H, 2 W, features].

  Raises:
    UserError: they are not.
  """
  batch, rows, columns, channels = x.shape
  x = jnp.repeat(x, _times(4 * features, channels), axis=-1)
  x = x.reshape(batch, rows, columns, features, 2, 2)
  x = x.transpose(0, 1, 4, 2, 5, 3)
  return x.reshape(batch, 2 * rows, 2 * columns, features)


def gathered(x, features: int):
  """Half as fine: means of channels and pixels that `spread` fills alike.

  Args:
    x: [B, H, W, C].
    features: of the result; a divisor of 4 C.

  Returns:
    [B, H // 2, W // 2, features].

  Raises:
    UserError: it is none, or there is but one row or column.
  """
  rows, columns = _halves(x)
  batch, channels = x.shape[0], x.shape[-1]
  each = _times(4 * channels, features)
  x = x[:, : 2 * rows, : 2 * columns]
  x = x.reshape(batch, rows, 2, columns, 2, channels)
  x = x.transpose(0, 1, 3, 5, 2, 4)
  return x.reshape(batch, rows, columns, features, each).mean(-1)


def _times(many: int, few: int) -> int:
  """How often few are in many; UserError if that is no whole number."""
  if many % few:
    raise UserError(
      f'widths: the {many} pixels and channels of a square cannot be shared by'
      f' {few} channels; expected widths of which each divides 4 times its'
      ' neighbours.'
    )
  return many // few


def check_halved(x):
  """Refuses grids that have no half; UserError."""
  _halves(x)


def _halves(x) -> tuple[int, int]:
  """Rows and columns of half the size; UserError where there would be none."""
  rows, columns = x.shape[1] // 2, x.shape[2] // 2
  if not rows * columns:
    raise UserError(
      f'model.d: a grid of {x.shape[1]} x {x.shape[2]} is to be halved once'
      ' more; fewer stages or larger images would do.'
    )
  return rows, columns


def _neighbours(x, axis: int):
  """What stands before each pixel of an axis, and after it; zeros beyond."""
  edge = lambda before, after: [
    (before, after, 0) if i == axis else (0, 0, 0) for i in range(x.ndim)
  ]
  zero = jnp.zeros((), x.dtype)
  return lax.pad(x, zero, edge(1, -1)), lax.pad(x, zero, edge(-1, 1))
