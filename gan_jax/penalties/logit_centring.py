"""Logit centring: a real and a fake logit are to be opposite.

Lin et al. 2025, Adversarial Flow Models (https://arxiv.org/abs/2511.22475):

  weight (D(x) + D(G(z)))^2

of the i-th real and the i-th fake. A relativistic loss sees only differences of
logits, and leaves free what is added to all of them; this holds it.
"""

from typing import Any

import jax
import jax.numpy as jnp


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def d_term(
  forward: Any, memo: Any, *, weight: float = 0.01
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the square.

  Returns:
    the term of each example [B], and memo.
  """
  total = forward.on_real['logits'] + forward.on_fake['logits']
  return weight * jnp.square(total), memo
