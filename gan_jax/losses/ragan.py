"""The relativistic average GAN (RaSGAN): cross-entropy beside the average.

Jolicoeur-Martineau, 'The relativistic discriminator: a key element missing
from standard GAN', 2018 (https://arxiv.org/abs/1807.00734). With r = real -
mean(fake), f = fake - mean(real) and sp = softplus:

  D: sp(-r) + sp(f)      G: sp(r) + sp(-f)

A sum over real and fake, as the paper writes it; `scale=0.5` gives the
halves that its author's code has. The means are over the batch given, so the
logits must be those of the whole global batch, which the step gathers; the
gradient flows through the means.
"""

import jax
from jax.nn import softplus

WHOLE_BATCH = True  # an example's loss depends on the others


def relative(
  real_logits: jax.Array, fake_logits: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """Measures each logit [B] from the other side's batch mean: [B], [B]."""
  return real_logits - fake_logits.mean(), fake_logits - real_logits.mean()


def d_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  smoothing: float = 0.0,
  scale: float = 1.0,
) -> jax.Array:
  """Returns D's loss of each example.

  Args:
    real_logits: D's raw outputs on the global batch of reals, [B].
    fake_logits: D's raw outputs on the global batch of fakes, [B].
    smoothing: a real is to beat the average fake with probability
      1 - smoothing; the fakes' target stays 0 and G's loss is not smoothed.
    scale: factor of the sum, in both losses.

  Returns:
    [B].
  """
  real, fake = relative(real_logits, fake_logits)
  on_real = (1.0 - smoothing) * softplus(-real) + smoothing * softplus(real)
  return scale * (on_real + softplus(fake))  # [B]


def g_loss(
  real_logits: jax.Array,
  fake_logits: jax.Array,
  *,
  smoothing: float = 0.0,
  scale: float = 1.0,
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]: the roles exchanged."""
  del smoothing
  return d_loss(fake_logits, real_logits, scale=scale)  # [B]
