"""The Wasserstein GAN.

Arjovsky et al., 'Wasserstein GAN', 2017, algorithm 1
(https://arxiv.org/abs/1701.07875), with D high on reals: minus the mean of
D's loss estimates the distance. D must be kept Lipschitz by something else:
the penalties `gradient_penalty` or `weight_clip`, or spectral normalisation.

  D: fake - real      G: -fake
"""

import jax


def d_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns D's loss of each example, [B], [B] -> [B]."""
  return fake_logits - real_logits  # [B]


def g_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]."""
  del real_logits
  return -fake_logits  # [B]
