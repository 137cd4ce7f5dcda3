"""Ways from one latent to another."""

import jax
import jax.numpy as jnp

SMALL = 1e-6  # a sine below which a sphere's way is as good as straight


def lerp(a, b, share):
  """Between a and b [Z] on a straight line: a + share (b - a), share []."""
  return a + share * (b - a)


def slerp(a, b, share):
  """Between a and b [Z] along the great circle through both, share [].

  Shoemake 1985, Animating rotation with quaternion curves: with W the angle
  between a and b, (sin((1 - t) W) a + sin(t W) b) / sin W. A normal latent in
  many dimensions has a typical length, which this way keeps and a straight one
  does not. Where the two are parallel, or one is 0, the way is straight.
  """
  norm = jnp.linalg.norm(a) * jnp.linalg.norm(b)
  cosine = jnp.dot(a, b) / jnp.maximum(norm, jnp.finfo(a.dtype).tiny)
  angle = jnp.arccos(jnp.clip(cosine, -1, 1))
  sine = jnp.sin(angle)
  straight = (sine < SMALL) | (norm == 0)
  safe = jnp.where(straight, 1, sine)
  of_a = jnp.sin((1 - share) * angle) / safe
  of_b = jnp.sin(share * angle) / safe
  return jnp.where(straight, lerp(a, b, share), of_a * a + of_b * b)


PATHS = {'slerp': slerp, 'lerp': lerp}


def walk(a, b, steps: int, *, path: str):
  """Ways between the rows of a and b [P, ...], both ends among the steps.

  Args:
    a: [P, ...]; all that follows the first axis is one vector.
    b: likewise.
    steps: of each way, 2 or more.
    path: one of PATHS.

  Returns:
    [P, steps, ...].
  """
  shape = a.shape[1:]
  flat = lambda x: x.reshape(len(x), -1)
  shares = jnp.linspace(0, 1, steps, dtype=a.dtype)
  along = jax.vmap(PATHS[path], in_axes=(None, None, 0))
  made = jax.vmap(along, in_axes=(0, 0, None))(flat(a), flat(b), shares)
  return made.reshape(len(a), steps, *shape)
