"""Improved consistency: bCR and zCR together.

Zhao et al. 2021, Improved Consistency Regularization for GANs
(https://arxiv.org/abs/2002.04724); see `bcr` and `zcr`.
"""

from typing import Any

import jax

from gan_jax.game import keys
from gan_jax.penalties import bcr, zcr

g_term = zcr.g_term


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def d_term(
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  real_weight: float = 10.0,
  fake_weight: float = 10.0,
  sigma: float = 0.05,
  d_weight: float = 20.0,
  augment: str = '',
  all_heads: bool = False,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss: the terms of both, see there.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    real_weight: of bCR's distance of real samples.
    fake_weight: of that of fake ones.
    sigma: how far zCR moves a latent.
    d_weight: of zCR's distance.
    augment: name of a file of augment/ that is T; '' is the papers' T.
    all_heads: whether D's class logits and embeddings count as well.
  """
  balanced, _ = bcr.d_term(
    forward,
    memo,
    key=key,
    real_weight=real_weight,
    fake_weight=fake_weight,
    augment=augment,
    all_heads=all_heads,
  )
  latent, _ = zcr.d_term(
    forward,
    memo,
    key=keys.fold_each(key, 2),  # bcr has 0 and 1
    sigma=sigma,
    d_weight=d_weight,
    all_heads=all_heads,
  )
  return balanced + latent, memo
