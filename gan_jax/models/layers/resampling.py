"""Grids made larger and smaller."""

import jax.numpy as jnp

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
  rows, columns = x.shape[1] // 2, x.shape[2] // 2
  if not rows * columns:
    raise UserError(
      f'model.d: a grid of {x.shape[1]} x {x.shape[2]} is to be halved once'
      ' more; fewer stages or larger images would do.'
    )
  x = x[:, : 2 * rows, : 2 * columns]
  x = x.reshape(x.shape[0], rows, 2, columns, 2, x.shape[-1])
  return x.mean((2, 4))
