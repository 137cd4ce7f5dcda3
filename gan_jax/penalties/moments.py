"""Mean and spread of what G makes are to be those of the real samples.

Of each number of a sample over the batch, as in the code of TimeGAN (Yoon et
al. 2019): weight (mean |std - std'| + mean |mean - mean'|).
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.terms import samples_of

WHOLE_BATCH = True
TINY = 1e-6  # in the root of the variance


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def g_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 100.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """The same for all examples.

  Args:
    forward: game.terms.Forward; samples are also['samples'] where D is shown
      something else.
    memo: passed through.
    weight: of the sum of both distances.
    axis_name: mesh axis over which the batch is spread, if it is.

  Returns:
    the term [B], and memo.
  """
  fake = forward.also.get('samples', samples_of(forward.fake))
  sides = [_moments(x, axis_name) for x in (forward.batch['x'], fake)]
  gaps = [jnp.abs(a - b).mean() for a, b in zip(*sides, strict=True)]
  return jnp.full(len(fake), weight * sum(gaps)), memo


def _moments(x, axis_name):
  """(mean, standard deviation) of each number over the batch."""
  over = lambda x: jax.lax.pmean(x, axis_name) if axis_name else x
  mean = over(x.mean(axis=0))
  variance = over(jnp.square(x - mean[None]).mean(axis=0))
  return mean, jnp.sqrt(variance + TINY)
