"""Instance noise: D sees reals and fakes with noise, so that they overlap.

Sonderby et al. 2017, Amortised MAP Inference for Image Super-resolution
(https://arxiv.org/abs/1610.04490), Section 3.3; Arjovsky, Bottou 2017, Towards
Principled Methods for Training GANs (https://arxiv.org/abs/1701.04862). It is
usual to let it vanish, by a schedule in the place of sigma.
"""

from typing import Any

import jax

from gan_jax.augment.shared import checks


def apply(
  x: jax.Array, memo: Any, *, key: jax.Array, sigma: float = 0.1
) -> jax.Array:
  """Adds normal noise.

  Args:
    x: samples [B, ...] of any kind.
    memo: unused.
    key: one for each example [B].
    sigma: standard deviation, in model range.
  """
  del memo
  noise = jax.vmap(lambda k, x: jax.random.normal(k, x.shape, x.dtype))
  return (x + sigma * noise(key, x)).astype(x.dtype)


def check(flag: str, options: dict):
  """Refuses what is no standard deviation; UserError."""
  checks.check_range(flag, options, None, 'sigma')
