"""The relativistic paired logistic GAN (RSGAN, RpGAN).

Jolicoeur-Martineau, 'The relativistic discriminator: a key element missing
from standard GAN', 2018 (https://arxiv.org/abs/1807.00734). The i-th real is
paired with the i-th fake of the batch; sp = softplus:

  D: sp(-(real - fake))      G: sp(-(fake - real))
"""

import jax
from jax.nn import softplus


def d_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns D's loss of each pair, [B], [B] -> [B]."""
  return softplus(fake_logits - real_logits)  # [B]


def g_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns G's loss of each pair, [B], [B] -> [B]: D's, roles exchanged."""
  return d_loss(fake_logits, real_logits)  # [B]
