"""Keeps an encoder's codes near the prior N(0, I).

Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114), appendix B: of a
normal law with mean m and variance s^2 it is the divergence

  KL(N(m, s^2) || N(0, I)) = (m^2 + s^2 - log s^2 - 1) / 2, summed over a code.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import UserError


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def divergence(law: dict) -> jax.Array:
  """KL(law || N(0, I)) of each example, [B], in nats.

  Args:
    law: {'mean': [B, Z], 'log_variance': [B, Z]}.
  """
  mean, log_variance = law['mean'], law['log_variance']
  each = jnp.square(mean) + jnp.exp(log_variance) - log_variance - 1
  return each.sum(axis=-1) / 2


def e_term(
  forward: Any, memo: Any, *, weight: float = 1.0
) -> tuple[jax.Array, Any]:
  """Adds to E's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the divergence.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: the model's encoder gives no laws.
  """
  law = forward.also.get('code')
  if not isinstance(law, dict):
    raise UserError(
      'penalties.kl: needs a model whose encoder gives a mean and a variance:'
      ' vae_gan, ali.'
    )
  return weight * divergence(law), memo
