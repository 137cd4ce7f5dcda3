"""What follows a moment is learned from real series, step by step.

Yoon et al. 2019, TimeGAN, equation 9, in the form of the authors' code: G pays
the root of the squared distance between an embedding and what its supervisor
says of the moment before, which does not move E; E pays the square, so that its
embeddings can be foretold.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import UserError

TINY = 1e-8  # the root has no slope at 0


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def _distance(forward, name):
  """Mean squares [B] over moments and numbers."""
  if name not in forward.also:
    raise UserError(
      'penalties.supervised: this model has no supervisor; timegan has one.'
    )
  code = forward.also['code'][:, 1:]
  if name == 'next_of_fixed':
    code = jax.lax.stop_gradient(code)
  gap = code - forward.also[name][:, :-1]
  return jnp.square(gap).mean(axis=(1, 2))


def g_term(
  forward: Any, memo: Any, *, g_weight: float = 100.0
) -> tuple[jax.Array, Any]:
  """Returns the term of G [B], and memo.

  Args:
    forward: game.terms.Forward, of the model timegan.
    memo: passed through.
    g_weight: of the root of the mean square of a series.

  Raises:
    UserError: another model.
  """
  return g_weight * jnp.sqrt(_distance(forward, 'next_of_fixed') + TINY), memo


def e_term(
  forward: Any, memo: Any, *, e_weight: float = 0.1
) -> tuple[jax.Array, Any]:
  """Returns the term of E [B], and memo; as g_term, but of the mean square."""
  return e_weight * _distance(forward, 'next'), memo
