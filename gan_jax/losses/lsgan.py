"""The least-squares GAN.

Mao et al., 'Least Squares Generative Adversarial Networks', 2017, section 3
(https://arxiv.org/abs/1611.04076), on raw logits:

  D: scale (real - b)^2 + scale (fake - a)^2
  G: scale (fake - c)^2

The halves are the paper's. Its 0-1 coding (a, b, c) = (0, 1, 1) is the
default; (-1, 1, 0) is its coding that minimises the Pearson divergence.
"""

import jax
import jax.numpy as jnp


def d_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  a: float = 0.0,
  b: float = 1.0,
  c: float = 1.0,
  scale: float = 0.5,
) -> jax.Array:
  """Returns D's loss of each example.

  Args:
    real_logits: D's raw outputs on reals, [B].
    fake_logits: D's raw outputs on fakes, [B].
    a: D's target for fakes.
    b: D's target for reals.
    c: G's target for fakes.
    scale: factor of every square, in both losses.

  Returns:
    [B].
  """
  del c
  squares = jnp.square(real_logits - b) + jnp.square(fake_logits - a)
  return scale * squares  # [B]


def g_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  a: float = 0.0,
  b: float = 1.0,
  c: float = 1.0,
  scale: float = 0.5,
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]; options as in d_loss."""
  del real_logits, a, b
  return scale * jnp.square(fake_logits - c)  # [B]
