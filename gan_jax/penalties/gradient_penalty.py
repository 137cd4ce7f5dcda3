"""The gradient penalty of WGAN-GP.

Gulrajani et al., 'Improved Training of Wasserstein GANs', 2017, equation 3
(https://arxiv.org/abs/1704.00028):

  weight (|grad D(x^)| - target)^2,   x^ = x + alpha (G(z) - x)

The norm is over all axes of a sample, alpha ~ U[0, 1) is one number per
sample. One-sided, only norms above the target are penalised (WGAN-LP:
Petzka et al., 2018, https://arxiv.org/abs/1709.08894).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.gradients import input_gradient, interpolate, safe_norm

PER_EXAMPLE = True


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def penalty(
  critic: Callable,
  real: jax.Array,
  fake: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  weight: float = 10.0,
  target: float = 1.0,
  one_sided: bool = False,
) -> tuple[jax.Array, Any]:
  """Penalises D's slope between the reals and the fakes.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...].
    fake: samples [B, ...]; no gradient reaches them.
    memo: passed through.
    key: a typed key [], or one for each example [B].
    weight: the paper's lambda.
    target: the norm that costs nothing.
    one_sided: whether smaller norms cost nothing either.

  Returns:
    the penalty of each example [B], and memo.
  """
  x = interpolate(key, real, jax.lax.stop_gradient(fake))  # [B, ...]
  excess = safe_norm(input_gradient(critic, x)) - target  # [B]
  if one_sided:
    excess = jax.nn.relu(excess)
  return weight * jnp.square(excess), memo
