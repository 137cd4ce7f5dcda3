"""Orthogonal regularisation: the filters of a layer are to be at right angles.

Brock et al. 2019, Large Scale GAN Training (https://arxiv.org/abs/1809.11096),
equation 3, over all kernels W [out, in] of a player, their lengths left free:

  weight |W W^T (1 - I)|^2

Tables of classes, as the embedding that all norms share, are no kernels and
stay out. The authors' program uses half of this gradient: weight=5e-5 is what
it does with 1e-4.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import D, G, Tree, UserError

KERNEL = 'kernel'  # name of a layer's weights


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def kernels_of(params: Tree) -> list[jax.Array]:
  """The kernels [..., in, out] among parameters."""
  there = jax.tree.leaves_with_path(params)
  is_kernel = lambda path: KERNEL in jax.tree_util.keystr(path[-1:])
  return [x for path, x in there if is_kernel(path) and x.ndim > 1]


def correlations(kernel: jax.Array) -> jax.Array:
  """Squared products of the filters of a kernel [..., in, out], summed: []."""
  filters = kernel.reshape(-1, kernel.shape[-1])
  products = filters.T @ filters  # [out, out]
  return jnp.square(products * (1 - jnp.eye(len(products)))).sum()


def _term(forward, player, *, weight):
  kernels = kernels_of(forward.params[player])
  if not kernels:
    raise UserError(
      f'penalties.orthogonal: the network of player {player!r} has no kernels.'
    )
  count = len(forward.on_fake['logits'])
  return jnp.full(count, weight * sum(map(correlations, kernels)))


def g_term(
  forward: Any, memo: Any, *, weight: float = 1e-4, player: str = G
) -> tuple[jax.Array, Any]:
  """Adds to G's loss, if it is meant.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: the paper's beta.
    player: whose kernels they are; the other one has no such term.

  Returns:
    the term [B], the same for all examples, and memo.

  Raises:
    UserError: the player has no kernels.
  """
  del player
  return _term(forward, G, weight=weight), memo


def d_term(
  forward: Any, memo: Any, *, weight: float = 1e-4, player: str = G
) -> tuple[jax.Array, Any]:
  """Adds to D's loss, if it is meant; see g_term."""
  del player
  return _term(forward, D, weight=weight), memo
