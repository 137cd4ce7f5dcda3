"""Top-k: G learns of its best samples alone.

Sinha et al. 2020, Top-k Training of GANs (https://arxiv.org/abs/2002.06224):
G's loss is the mean over the k samples that D takes for the most real, and k
falls from the whole batch B,

  k = max(gamma^n B, nu B),   n the epochs so far

rounded down. What an epoch is, `decay_every` says in steps.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.changes import of_device
from gan_jax.game.forward import make_means
from gan_jax.types import UserError

WHOLE_BATCH = True


def g_change(
  loss: Callable,
  forward: Any,
  memo: Any,
  *,
  gamma: float = 0.99,
  nu: float = 0.5,
  decay_every: int = 1000,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Takes the place of G's loss.

  Args:
    loss: Forward -> [B].
    forward: game.terms.Forward.
    memo: passed through.
    gamma: what is left of k after each epoch.
    nu: the least share of the batch.
    decay_every: steps of an epoch.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the loss of each example [B], 0 of those that are left out and B / k times
    that of the others, so that its mean is that of these; and memo.

  Raises:
    UserError: an epoch of no steps.
  """
  if decay_every < 1:
    raise UserError(
      f'penalties.top_k.decay_every={decay_every}: expected at least 1.'
    )
  own = jax.lax.stop_gradient(forward.on_fake['logits'])
  every = make_means(axis_name)[1](own)  # of the global batch
  size, epochs = len(every), forward.batch['step'] // decay_every
  share = jnp.maximum(gamma ** epochs.astype(jnp.float32), nu)
  k = jnp.clip(jnp.floor(share * size), 1, size)
  # Of equal logits the first ones: a stable order.
  rank = jnp.argsort(jnp.argsort(-every))
  rank = of_device(rank, len(own), axis_name)
  kept = (rank < k).astype(own.dtype)
  return loss(forward) * kept * size / k, memo


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()
