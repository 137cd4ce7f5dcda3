"""Label flips: now and then D takes a real for a fake, and a fake for a real.

Chintala et al. 2016, How to Train a GAN (https://github.com/soumith/ganhacks),
tip 6. With probability p, D's judgements of the i-th real and of the i-th fake
change places in D's loss, so that D is never sure of itself. How often the text
does not say; the usual p is ours.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def d_change(
  loss: Callable,
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  p: float = 0.05,
) -> tuple[jax.Array, Any]:
  """Takes the place of D's loss.

  Args:
    loss: Forward -> [B].
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    p: probability of a flip.

  Returns:
    the loss of each example [B], and memo.
  """
  count = len(forward.on_real['logits'])
  each = key[:: len(key) // count]  # of packs of samples, the first's
  flipped = jax.vmap(lambda key: jax.random.uniform(key) < p)(each)  # [B]

  def swapped(one, other):
    mask = flipped.reshape(-1, *(1,) * (one.ndim - 1))
    return jnp.where(mask, other, one)

  pair = forward.on_real, forward.on_fake
  on_real = jax.tree.map(swapped, *pair)
  on_fake = jax.tree.map(swapped, *pair[::-1])
  return loss(forward._replace(on_real=on_real, on_fake=on_fake)), memo
