"""Balanced consistency: of real samples, and of fake ones.

Zhao et al. 2021, Improved Consistency Regularization for GANs
(https://arxiv.org/abs/2002.04724):

  real_weight (D(x) - D(T(x)))^2 + fake_weight (D(G(z)) - D(T(G(z))))^2

T as in `cr`, which has the first part alone. Nothing of it reaches G.
"""

from typing import Any

import jax

from gan_jax.game import keys
from gan_jax.penalties.shared import consistency


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
  augment: str = '',
  all_heads: bool = False,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    real_weight: of the distance of real samples.
    fake_weight: of that of fake ones.
    augment: name of a file of augment/ that is T; '' is the papers' T.
    all_heads: whether D's class logits and embeddings count as well.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: there is no T of such samples.
  """

  def gap(x, stream):
    own = keys.fold_each(key, stream)
    flag = 'penalties.bcr'
    near = consistency.transform(x, own, augment=augment, flag=flag)
    return consistency.distance(forward, x, near, all_heads=all_heads)

  fake = jax.lax.stop_gradient(forward.fake)
  value = real_weight * gap(forward.real, 0) + fake_weight * gap(fake, 1)
  return value, memo
