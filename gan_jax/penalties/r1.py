"""R1: the squared gradient of D at the reals.

Mescheder et al., 'Which Training Methods for GANs do actually Converge?',
2018, section 4.1 (https://arxiv.org/abs/1801.04406), with the paper's half:

  gamma / 2 |grad D(x)|^2
"""

from collections.abc import Callable
from typing import Any

import jax

from gan_jax.game.gradients import input_gradient, squared_norm

PER_EXAMPLE = True
AT = 'real'  # where the slope is; R1 and R2 share a backward pass


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def of_gradient(gradient: Any, *, gamma: float = 10.0) -> jax.Array:
  """The penalty [B] of D's slopes at these samples, [B, ...]."""
  return gamma / 2.0 * squared_norm(gradient)


def penalty(
  critic: Callable,
  real: jax.Array,
  fake: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  gamma: float = 10.0,
) -> tuple[jax.Array, Any]:
  """Penalises D's slope at the reals.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...].
    fake: unused.
    memo: passed through.
    key: unused, nothing is random.
    gamma: weight; half of it multiplies the squared norm.

  Returns:
    the penalty of each example [B], and memo.
  """
  del fake, key
  return of_gradient(input_gradient(critic, real), gamma=gamma), memo
