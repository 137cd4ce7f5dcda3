"""The relativistic average hinge GAN (RaHingeGAN).

Jolicoeur-Martineau, 'The relativistic discriminator: a key element missing
from standard GAN', 2018 (https://arxiv.org/abs/1807.00734). With r = real -
mean(fake) and f = fake - mean(real):

  D: scale (max(0, 1 - r) + max(0, 1 + f))
  G: scale (max(0, 1 + r) + max(0, 1 - f))

The default halves are those of the author's code. The means are over the
batch given, so the logits must be those of the whole global batch, which the
step gathers; the gradient flows through the means.
"""

import jax
from jax.nn import relu

from gan_jax.losses.ragan import relative

WHOLE_BATCH = True  # an example's loss depends on the others


def d_loss(
  real_logits: jax.Array, fake_logits: jax.Array, *, scale: float = 0.5
) -> jax.Array:
  """Returns D's loss of each example.

  Args:
    real_logits: D's raw outputs on the global batch of reals, [B].
    fake_logits: D's raw outputs on the global batch of fakes, [B].
    scale: factor of the sum, in both losses.

  Returns:
    [B].
  """
  real, fake = relative(real_logits, fake_logits)
  return scale * (relu(1.0 - real) + relu(1.0 + fake))  # [B]


def g_loss(
  real_logits: jax.Array, fake_logits: jax.Array, *, scale: float = 0.5
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]: the roles exchanged."""
  return d_loss(fake_logits, real_logits, scale=scale)  # [B]
