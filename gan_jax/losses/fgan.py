"""The f-GAN: any f-divergence as a game, by its variational bound.

Nowozin et al., 'f-GAN: Training Generative Neural Samplers using Variational
Divergence Minimization', 2016 (https://arxiv.org/abs/1606.00709): the
activations g_f of table 2 and the conjugates f* (Neyman in the supplement).

  D: -g_f(real) + f*(g_f(fake))
  G: 'minimax' -f*(g_f(fake));  'alternative' -g_f(fake) (section 3.2)

Minus the mean of D's loss is a lower bound of the divergence D_f(data || G);
a logit above the critical f'(1) speaks for real. Each divergence is the pair
(g_f, f* after g_f), composed by hand so that nothing cancels, no logarithm
sees zero and each is a polynomial, a softplus or one exponential of the logit.

What stable means where an exponential is meant: e^x is exact up to x = 30 and
goes on along its tangent there (slope e^30 = 1.07e13, rising, still convex).
The true values would overflow float32 at logits of 90; so at +-1e4, too,
values and gradients are finite, point the right way, and their squares, which
Adam stores, are finite as well.
"""

import math

import jax
import jax.numpy as jnp
from jax.nn import softplus

from gan_jax.types import UserError

TANGENT_FROM = 30.0
LOG_2 = math.log(2.0)


def _exp(x):
  """e^x, continued beyond TANGENT_FROM by its tangent."""
  inside = jnp.minimum(x, TANGENT_FROM)
  return jnp.exp(inside) * (1.0 + (x - inside))


# name: (g_f(v), f*(g_f(v))), both functions of the logit v.
DIVERGENCES = {
  'kl': (
    lambda v: v,  # f* = e^(t - 1)
    lambda v: _exp(v - 1.0),
  ),
  'reverse_kl': (
    lambda v: -_exp(-v),  # f* = -1 - log(-t)
    lambda v: v - 1.0,
  ),
  'pearson': (
    lambda v: v,  # f* = t^2 / 4 + t
    lambda v: jnp.square(v) / 4.0 + v,
  ),
  'neyman': (
    lambda v: 1.0 - _exp(-v),  # f* = 2 - 2 sqrt(1 - t)
    lambda v: 2.0 - 2.0 * _exp(-v / 2.0),
  ),
  'squared_hellinger': (
    lambda v: 1.0 - _exp(-v),  # f* = t / (1 - t)
    lambda v: _exp(v) - 1.0,
  ),
  'jensen_shannon': (
    lambda v: LOG_2 - softplus(-v),  # f* = -log(2 - e^t)
    lambda v: softplus(v) - LOG_2,
  ),
  'gan': (
    lambda v: -softplus(-v),  # f* = -log(1 - e^t)
    lambda v: softplus(v),
  ),
}

# What G plays with the pair of its divergence.
GENERATORS = {
  'minimax': lambda activation, conjugate, v: -conjugate(v),
  'alternative': lambda activation, conjugate, v: -activation(v),
}


def _lookup(table, option, name):
  if name not in table:
    exists = ', '.join(table)
    raise UserError(f'fgan has no {option} {name!r}; it has: {exists}')
  return table[name]


def d_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  divergence: str = 'jensen_shannon',
  generator: str = 'alternative',
) -> jax.Array:
  """Returns D's loss of each example.

  Args:
    real_logits: D's raw outputs on reals, [B].
    fake_logits: D's raw outputs on fakes, [B].
    divergence: one of DIVERGENCES.
    generator: one of GENERATORS: what G plays.

  Returns:
    [B].

  Raises:
    UserError: a name that does not exist.
  """
  _lookup(GENERATORS, 'generator', generator)
  activation, conjugate = _lookup(DIVERGENCES, 'divergence', divergence)
  return conjugate(fake_logits) - activation(real_logits)  # [B]


def g_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  divergence: str = 'jensen_shannon',
  generator: str = 'alternative',
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]; options as in d_loss."""
  del real_logits
  play = _lookup(GENERATORS, 'generator', generator)
  return play(*_lookup(DIVERGENCES, 'divergence', divergence), fake_logits)
