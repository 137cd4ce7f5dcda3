"""Matrices that move, scale and turn points, in homogeneous coordinates."""

import jax
import jax.numpy as jnp

HIGHEST = jax.lax.Precision.HIGHEST  # accelerators default to a lower one


def product(*matrices: jax.Array) -> jax.Array:
  """Their product, in full precision."""
  made = matrices[0]
  for matrix in matrices[1:]:
    made = jnp.matmul(made, matrix, precision=HIGHEST)
  return made


def translate(x, y) -> jax.Array:
  """Moves points of the plane by (x, y), [3, 3]."""
  return _rows([1, 0, x], [0, 1, y], [0, 0, 1])


def scale(x, y) -> jax.Array:
  """Multiplies both coordinates, [3, 3]."""
  return _rows([x, 0, 0], [0, y, 0], [0, 0, 1])


def rotate(angle) -> jax.Array:
  """Turns points of the plane, [3, 3]."""
  c, s = jnp.cos(angle), jnp.sin(angle)
  return _rows([c, -s, 0], [s, c, 0], [0, 0, 1])


def _rows(*rows):
  as_float = lambda x: jnp.asarray(x, jnp.float32)
  return jnp.stack([jnp.stack([as_float(x) for x in row]) for row in rows])
