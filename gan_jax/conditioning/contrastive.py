"""The conditional contrastive loss (2C): samples of a class lie together.

Kang and Park 2020, ContraGAN (https://arxiv.org/abs/2006.12681), section 3.
With c the cosine, h_i the embedding of example i, p_i that of its class, its
proxy, and t the temperature, an example pays

  - log (e^(c(h_i, p_i)/t) + sum over alike j of e^(c(h_i, h_j)/t))
      / (e^(c(h_i, p_i)/t) + sum over all j of e^(c(h_i, h_j)/t))

with j the other examples of the global batch, `alike` those of its class: for
D of reals, for G of fakes. Where the batch has no other example of the class,
its proxy is left to be near. Constants are those of StudioGAN for CIFAR-10; for
ImageNet at 256 pixels it has embeddings of 1536.
"""

from typing import Any

import jax

from gan_jax.conditioning.shared import embeddings, twins

Head = embeddings.Head


def d_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 1.0,
  temperature: float = 1.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the term, in both players' losses.
    temperature: divides cosines.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the term of each example [B], and memo.
  """
  value = lambda near: contrast(near, temperature)
  return embeddings.term(twins.of_d, value, forward, axis_name, weight), memo


def g_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 1.0,
  temperature: float = 1.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss; see d_term."""
  value = lambda near: contrast(near, temperature)
  return embeddings.term(twins.of_g, value, forward, axis_name, weight), memo


def contrast(near: embeddings.Cosines, temperature) -> jax.Array:
  """The loss of each example, [b]."""
  proxy, pairs = near.proxy / temperature, near.pairs / temperature
  total = lambda among: embeddings.log_sum_exp(proxy, pairs, among)
  return total(near.other) - total(near.other & near.alike)
