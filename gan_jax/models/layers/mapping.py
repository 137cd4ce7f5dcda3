"""The mapping network: a latent and a class to what tells a network its style.

Karras et al. 2019, https://arxiv.org/abs/1812.04948, section 2; with labels as
in Karras et al. 2020, https://arxiv.org/abs/2006.06676.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models.layers import blocks, equalised, leaky

RATE = 0.01  # of learning, beside that of other layers


def normalised(x):
  """Vectors [B, N] whose mean square is 1."""
  return x * jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-8)


class Mapping(nn.Module):
  """Latents, labels or both to vectors w, in float32 whatever the network."""

  num_classes: int
  features: int
  layers: int = 8

  @nn.compact
  def __call__(self, label=None, z=None):
    """w [B, features] of label [B] int, [B, num_classes]
    float or None, and z [B, Z] or None."""
    inputs = []
    if z is not None:
      inputs.append(normalised(z.astype(jnp.float32)))
    if label is not None:
      condition = blocks.as_vector(label, self.num_classes)
      embed = blocks.Dense(self.features, name='embed', **equalised.fields())
      inputs.append(normalised(embed(condition)))
    x = jnp.concatenate(inputs, axis=-1)
    for i in range(self.layers):
      own = {'name': f'dense_{i}', **equalised.fields(RATE)}
      x = leaky.leaky_relu(blocks.Dense(self.features, **own)(x))
    return x
