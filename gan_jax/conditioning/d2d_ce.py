"""The data-to-data cross-entropy (D2D-CE): away from samples of other classes.

Kang et al. 2021, ReACGAN (https://arxiv.org/abs/2111.01118), section 3. With c
the cosine, h_i the embedding of example i, p_i that of its class, its proxy, t
the temperature and m the margin, an example pays

  - log e^(a_i/t) / (e^(a_i/t) + sum over unlike j of e^(b_ij/t)),
  a_i = min(0, c(h_i, p_i) - m),  b_ij = max(0, c(h_i, h_j) - (1 - m))

with j the examples of other classes in the global batch: for D of reals, for G
of fakes. A sample nearer to its proxy than m pays no more for that, nor does a
pair that is further apart than 1 - m; in a batch of one class nobody pays.

StudioGAN's code, by which the paper's figures came about, takes the row's
largest (c(h_i, h_j) - (1 - m))/t, of whichever class, from the exponents of the
pairs alone: its value is another one, by variant='studiogan'. Constants are its
for CIFAR-10; for ImageNet margin .90, temperature .25, embeddings of 2048.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.conditioning.shared import embeddings, twins
from gan_jax.types import UserError

Head = embeddings.Head


def d_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 0.5,
  temperature: float = 0.5,
  margin: float = 0.98,
  variant: str = 'paper',
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the term, in both players' losses.
    temperature: divides cosines.
    margin: of a sample and its proxy; that of pairs is 1 - margin.
    variant: one of VARIANTS.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: an unknown variant.
  """
  value = _value(variant, temperature, margin)
  return embeddings.term(twins.of_d, value, forward, axis_name, weight), memo


def g_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 0.5,
  temperature: float = 0.5,
  margin: float = 0.98,
  variant: str = 'paper',
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss; see d_term."""
  value = _value(variant, temperature, margin)
  return embeddings.term(twins.of_g, value, forward, axis_name, weight), memo


def _value(variant, temperature, margin):
  if variant not in VARIANTS:
    raise UserError(
      f'conditioning.variant={variant!r}: expected one of'
      f' {", ".join(VARIANTS)}.'
    )
  value = VARIANTS[variant]
  return functools.partial(value, temperature=temperature, margin=margin)


def paper(near: embeddings.Cosines, *, temperature, margin) -> jax.Array:
  """The loss of each example [b], as the paper has it."""
  proxy = jnp.minimum(near.proxy - margin, 0) / temperature
  pairs = jax.nn.relu(near.pairs - (1 - margin)) / temperature
  return embeddings.log_sum_exp(proxy, pairs, ~near.alike) - proxy


def studiogan(near: embeddings.Cosines, *, temperature, margin) -> jax.Array:
  """The loss of each example [b], as StudioGAN has it."""
  proxy = jnp.minimum(near.proxy - margin, 0) / temperature
  pairs = (near.pairs - (1 - margin)) / temperature
  # Of all others; a batch of one example has none.
  most = jnp.where(near.other, pairs, -jnp.inf).max(1, keepdims=True)
  most = jax.lax.stop_gradient(jnp.where(jnp.isfinite(most), most, 0))
  pairs = jax.nn.relu(pairs) - most
  return embeddings.log_sum_exp(proxy, pairs, ~near.alike) - proxy


VARIANTS = {'paper': paper, 'studiogan': studiogan}
