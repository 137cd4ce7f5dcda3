"""What a head that recognises classes adds to the losses of both players.

D learns the class of reals, and G is to make what D recognises. That alone
makes G neglect what lies between classes; a second judgement repairs it, which
D learns on fakes and which G is to make fail:

  D: first(real) + second(fake)      G: first(fake) - second(fake)

TAC (Gong et al. 2019, https://arxiv.org/abs/1907.02690) has a second classifier
of its own, ADC (Hou et al. 2022, https://arxiv.org/abs/2107.10060) asks one
classifier for the class and whether the sample is real: 2 K classes.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import optax

from gan_jax.types import UserError

AUXILIARY = 'none', 'adc', 'tac'


def check_auxiliary(name: str):
  """Refuses what is not one of AUXILIARY; UserError."""
  if name not in AUXILIARY:
    raise UserError(
      f'conditioning.auxiliary={name!r}: expected one of'
      f' {", ".join(AUXILIARY)}.'
    )


def cross_entropy(logits: jax.Array, label: jax.Array) -> jax.Array:
  """-log softmax of the label's logit: [B, K], [B] -> [B]."""
  return optax.softmax_cross_entropy_with_integer_labels(logits, label)


def of_d(judge: Callable, forward: Any, *, weight, twin_weight) -> jax.Array:
  """What D pays, [B].

  Args:
    judge: (heads, twin=False) -> [B], the first judgement or the second.
    forward: game.terms.Forward.
    weight: of the first judgement.
    twin_weight: of the second; None where there is none.
  """
  value = weight * judge(forward.on_real)
  if twin_weight is None:
    return value
  return value + twin_weight * judge(forward.on_fake, twin=True)


def of_g(judge: Callable, forward: Any, *, weight, twin_weight) -> jax.Array:
  """What G pays, [B]; see of_d."""
  value = weight * judge(forward.on_fake)
  if twin_weight is None:
    return value
  return value - twin_weight * judge(forward.on_fake, twin=True)


def classifier_terms(class_loss: Callable) -> tuple[Callable, Callable]:
  """(d_term, g_term) of a conditioning, by class_loss(heads, label, twin)."""

  def d_term(
    forward: Any,
    memo: Any,
    *,
    d_weight: float = 1.0,
    twin_d_weight: float = 1.0,
  ) -> tuple[jax.Array, Any]:
    judge = functools.partial(class_loss, label=forward.batch['label'])
    own = {'weight': d_weight, 'twin_weight': twin_d_weight}
    return of_d(judge, forward, **own), memo

  def g_term(
    forward: Any,
    memo: Any,
    *,
    g_weight: float = 1.0,
    twin_g_weight: float = 1.0,
  ) -> tuple[jax.Array, Any]:
    judge = functools.partial(class_loss, label=forward.batch['label'])
    own = {'weight': g_weight, 'twin_weight': twin_g_weight}
    return of_g(judge, forward, **own), memo

  return d_term, g_term
