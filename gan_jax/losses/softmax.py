"""Softmax GAN: the samples of a batch share a probability of one.

Lin, 'Softmax GAN', 2017 (https://arxiv.org/abs/1704.06191): cross-entropy of
the softmax over the logits of all reals and fakes of a batch. D is to give all
of it to the reals, in equal parts, and G as much to each sample of either side;
with log Z = log sum exp over both sides,

  D: log Z - mean(real)      G: log Z - (mean(real) + mean(fake)) / 2

Where all logits are alike G has reached its aim, and has no slope. The sum is
over the batch given, so the logits must be those of the whole global batch,
which the step gathers.
"""

import jax
import jax.numpy as jnp
from jax.nn import logsumexp

WHOLE_BATCH = True  # an example's loss depends on the others


def _surprise(real_logits, fake_logits):
  """-log of each sample's probability, [B], [B]; in float32 at least."""
  both = jnp.stack([real_logits, fake_logits])
  wide = both.astype(jnp.promote_types(both.dtype, jnp.float32))
  return logsumexp(wide) - wide


def d_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns D's loss of each real, [B], [B] -> [B]."""
  on_real, _ = _surprise(real_logits, fake_logits)
  return on_real.astype(real_logits.dtype)  # [B]


def g_loss(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Returns G's loss of each real and fake, [B], [B] -> [B]."""
  both = _surprise(real_logits, fake_logits)
  return both.mean(axis=0).astype(fake_logits.dtype)  # [B]
