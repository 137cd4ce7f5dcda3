"""A model with a third player, for tests: a BiGAN of two-layer perceptrons.

Donahue et al. 2017 (https://arxiv.org/abs/1605.09782): D judges pairs, of a
real sample and its code, or of what G makes of a code and that code. It also
remembers something of each kind: batch statistics in E, spectral vectors in D.
"""

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import parts


class Generator(nn.Module):
  """z [B, Z] -> [B, *shape]."""

  shape: tuple[int, ...]
  axis_name: str | None = None

  @nn.compact
  def __call__(self, z, label=None, *, train):
    return nn.Dense(self.shape[-1])(jnp.tanh(nn.Dense(6)(z)))


class Encoder(nn.Module):
  """x [B, D] -> code [B, Z]."""

  code: int = 8
  hidden: int = 6
  slope: float = 0.2
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, *, train):
    norm = nn.BatchNorm(
      use_running_average=not train, axis_name=self.axis_name, momentum=0.9
    )
    x = norm(nn.Dense(self.hidden)(x))
    return nn.Dense(self.code)(nn.leaky_relu(x, self.slope))


class Discriminator(nn.Module):
  """(sample [B, D], code [B, Z]) -> logits [B]."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, pair, label=None, *, train):
    part = parts.make_parts('spectral', train=train, dtype=jnp.float32)
    x = jnp.tanh(part.dense(6, name='first')(jnp.concatenate(pair, -1)))
    return part.dense(1, name='logits')(x)[:, 0]


def play(run, net, batch, latent):
  """D sees pairs."""
  real = batch['x'], run('e', batch['x'])
  fake = run('g', latent, batch.get('label')), latent
  return real, fake, latent
