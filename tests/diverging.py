"""A penalty that breaks a run on purpose, from outside the package.

Its value is nothing, until its moment comes: then it is infinite, or NaN.
"""

import jax
import jax.numpy as jnp

from gan_jax.game import keys


def init():
  """How often it was asked."""
  return jnp.float32(0)  # a mean over devices makes floats of whole numbers


def penalty(
  critic,
  real,
  fake,
  memo,
  *,
  key,
  at: float = 0.0,
  above: float = 1.0,
  quiet: bool = False,
):
  """[B], and the count.

  Args:
    critic, real, fake, memo, key: as of any penalty.
    at: the call that breaks, whatever is drawn.
    above: a call breaks where a uniform draw exceeds it; so it depends on the
      key whether and when.
    quiet: only the value is broken, no gradient.
  """
  draws = jax.vmap(jax.random.uniform)(keys.example_keys(key, len(real)))  # [B]
  breaks = (memo + 1 == at) | (draws > above)
  if quiet:
    return jnp.where(breaks, jnp.nan, 0.0), memo + 1
  return jnp.where(breaks, jnp.inf, 0.0) * critic(fake), memo + 1
