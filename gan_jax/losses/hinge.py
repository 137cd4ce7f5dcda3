"""The hinge (geometric) GAN.

Lim & Ye, 'Geometric GAN', 2017 (https://arxiv.org/abs/1705.02894); Miyato et
al., 'Spectral Normalization for Generative Adversarial Networks', 2018
(https://arxiv.org/abs/1802.05957):

  D: max(0, 1 - real) + max(0, 1 + fake)      G: -fake
"""

import jax
from jax.nn import relu


def d_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns D's loss of each example, [B], [B] -> [B]."""
  return relu(1.0 - real_logits) + relu(1.0 + fake_logits)  # [B]


def g_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]."""
  del real_logits
  return -fake_logits  # [B]
