"""The saturating minimax game of the original GAN.

Goodfellow et al., 'Generative Adversarial Networks', 2014, equation 1
(https://arxiv.org/abs/1406.2661). D plays as in cross_entropy.py; G takes the
other side of the same game, so its gradient fades where D is sure of a fake:

  G: log(1 - D(G(z)))  =  -sp(fake),   sp = softplus
"""

import jax
from jax.nn import softplus

from gan_jax.losses.cross_entropy import LOG_RATIO, d_loss

__all__ = ['LOG_RATIO', 'd_loss', 'g_loss']


def g_loss(
  real_logits: jax.Array, fake_logits: jax.Array, *, smoothing: float = 0.0
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]; never smoothed."""
  del real_logits, smoothing
  return -softplus(fake_logits)  # [B]
