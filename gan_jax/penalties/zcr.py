"""Latent consistency: near latents look alike to D, and unlike in G's samples.

Zhao et al. 2021, Improved Consistency Regularization for GANs
(https://arxiv.org/abs/2002.04724); with z' = z + sigma n,
n ~ N(0, I):

  D: d_weight (D(G(z)) - D(G(z')))^2
  G: -g_weight mean (G(z) - G(z'))^2

G makes both samples in evaluation mode, and D judges both with the same draw of
the augmentation; D's term does not reach G.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game import keys, latents
from gan_jax.game.terms import with_samples
from gan_jax.penalties.shared import consistency
from gan_jax.types import G, Tree


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def pair_of(forward: Any, key: jax.Array, sigma: float) -> tuple[Tree, Tree]:
  """What G makes of the latents, and of latents near them.

  Raises:
    UserError: what is near to such a latent is not known.
  """
  z = latents.code_of(forward.latent, flag='penalties.zcr')
  near = z + sigma * keys.draw_like(key, z, jax.random.normal)
  both = forward.latent, latents.with_code(forward.latent, near)
  label = forward.batch.get('label')
  return tuple(forward.net(G, latent, label) for latent in both)


def d_term(
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  sigma: float = 0.05,
  d_weight: float = 20.0,
  all_heads: bool = False,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    sigma: how far a latent is moved.
    d_weight: of the squared difference of D's logits.
    all_heads: whether D's class logits and embeddings count as well.

  Returns:
    the term of each example [B], and memo.
  """
  pair = jax.lax.stop_gradient(pair_of(forward, key, sigma))
  shown = [with_samples(forward.fake, x) for x in pair]
  gap = consistency.distance(forward, *shown, all_heads=all_heads)
  return d_weight * gap, memo


def g_term(
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  sigma: float = 0.05,
  g_weight: float = 0.5,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    sigma: how far a latent is moved.
    g_weight: of the mean square between both samples, which is to grow.

  Returns:
    the term of each example [B], and memo.
  """
  one, other = pair_of(forward, key, sigma)
  gap = jnp.square(one - other)
  return -g_weight * gap.reshape(len(gap), -1).mean(axis=1), memo
