"""Max-GP: the steepest place between the reals and the fakes.

Zhou et al. 2019, Lipschitz Generative Adversarial Nets
(https://arxiv.org/abs/1902.05687):

  weight max over the batch of |grad D(x^)|^2,   x^ = x + alpha (G(z) - x)

with one alpha ~ U[0, 1) per sample, as in `gradient_penalty`. The maximum is of
the global batch, so that its expectation grows with the batch.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.forward import make_means
from gan_jax.game.gradients import input_gradient, interpolate, squared_norm

PER_EXAMPLE = True
WHOLE_BATCH = True


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
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Penalises D's largest slope between the reals and the fakes.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...].
    fake: samples [B, ...]; no gradient reaches them.
    memo: passed through.
    key: a typed key [], or one for each example [B].
    weight: of the largest squared norm.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the penalty [B], the same for all examples, and memo.
  """
  x = interpolate(key, real, jax.lax.stop_gradient(fake))  # [B, ...]
  square = squared_norm(input_gradient(critic, x))  # [B]
  _, gather = make_means(axis_name)
  return jnp.full(len(square), weight * gather(square).max()), memo
