"""Consistency: D says the same of a real sample and of a changed copy of it.

Zhang et al. 2020, Consistency Regularization for GANs
(https://arxiv.org/abs/1910.12027), of D's logits:

  weight (D(x) - D(T(x)))^2

T is described in shared/consistency: mirrored images, moved by an eighth at
most, or a file of augment/.
"""

from typing import Any

import jax

from gan_jax.penalties.shared import consistency


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def d_term(
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  weight: float = 10.0,
  augment: str = '',
  all_heads: bool = False,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B].
    weight: the paper's lambda.
    augment: name of a file of augment/ that is T; '' is the paper's T.
    all_heads: whether D's class logits and embeddings count as well.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: there is no T of such samples.
  """
  real = forward.real
  flag = 'penalties.cr'
  near = consistency.transform(real, key, augment=augment, flag=flag)
  gap = consistency.distance(forward, real, near, all_heads=all_heads)
  return weight * gap, memo
