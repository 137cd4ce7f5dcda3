"""Gradient normalisation: what reaches G by D has a size that stays.

Lin et al. 2025, Adversarial Flow Models (https://arxiv.org/abs/2511.22475): the
gradient of the adversarial loss at G's samples is divided by the root of a
moving average of its square,

  target / sqrt(average of n mean |g_i|^2),   g_i the gradient [n] at sample i

with n the numbers of a sample: the size of the gradient of a mean over them. So
other terms of G's, say optimal_transport, keep their share whatever D's slope.

It is one number for all samples, by which G's loss pulls more or less; the loss
that is reported is as it was. The average begins without a pull to 0, which the
authors' code has. It costs a pass of D forward and back. The slope is that of D
in evaluation mode.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.gradients import squared_norm

TINY = 1e-8  # beside the root
WHOLE_BATCH = True


def init() -> dict:
  """Returns the memo: the average, uncorrected, and its count."""
  return {'square': jnp.float32(0), 'count': jnp.int32(0)}


def g_change(
  loss: Callable,
  forward: Any,
  memo: dict,
  *,
  decay: float = 0.9,
  target: float = 1.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, dict]:
  """Takes the place of G's loss.

  Args:
    loss: Forward -> [B].
    forward: game.terms.Forward.
    memo: see init.
    decay: of the average, for each move of G.
    target: the size that the gradient is given.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the loss of each example [B], and the average with this batch.
  """
  fake, keep = jax.lax.stop_gradient(forward.fake), jax.lax.stop_gradient

  def total(fake):
    seen = forward._replace(fake=fake, on_fake=forward.critic(fake))
    return loss(seen).sum()

  slope = keep(jax.grad(total)(fake))  # each example's own: [B, ...]
  size = sum(x[0].size for x in jax.tree.leaves(fake))
  square = size * squared_norm(slope).mean()
  square = jax.lax.pmean(square, axis_name) if axis_name else square
  after = {
    'square': decay * memo['square'] + (1 - decay) * square,
    'count': memo['count'] + 1,
  }
  known = 1 - decay ** after['count'].astype(jnp.float32)
  factor = target / (jnp.sqrt(after['square'] / known) + TINY)
  usual = loss(forward)
  return keep(usual) + factor * (usual - keep(usual)), after
