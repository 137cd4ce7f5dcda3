"""Multi-layer perceptrons, for points and small images."""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import parts

KINDS = ('image', 'point')  # of samples
INIT = nn.initializers.he_normal()


def ignored(options: dict) -> str:
  """The option of config.model that has no effect beside the others, or ''."""
  g, d = (options.get(player, {}) for player in 'gd')
  for player, own, usual in (('g', g, 'relu'), ('d', d, 'leaky_relu')):
    layers = own.get('hidden', (0, 0))
    if not layers and own.get('activation', usual) != usual:
      return f'{player}.activation'
  # There is no norm on what sees the sample.
  alone = len(d.get('hidden', (0, 0))) < 2
  if alone and parts.normalises(d.get('norm', 'none')):
    return 'd.norm'
  return ''


class Generator(nn.Module):
  """Latent vectors to samples: images through tanh, points as they are.

  Class-conditional by conditional batch norm; without batch norm, by the
  class's embedding beside the latent vector.
  """

  shape: tuple[int, ...]  # of a sample, (2,) or (H, W, C)
  hidden: tuple[int, ...] = (128, 128)
  activation: str = 'relu'
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns samples [B, *shape] float32 of z [B, Z] and label [B]."""
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, label=label, kernel_init=INIT)
    act = parts.activation(self.activation)
    x = z
    if not part.has_norm:
      x = parts.with_class(part.embed, z, label, self.num_classes)
    for i, width in enumerate(self.hidden):
      bias = not part.has_norm
      x = part.dense(width, use_bias=bias, name=f'hidden_{i}')(x)
      x = act(part.norm(name=f'norm_{i}')(x))  # [B, width]
    x = part.dense(math.prod(self.shape), name='sample')(x)
    x = x.astype(jnp.float32).reshape(-1, *self.shape)
    return jnp.tanh(x) if len(self.shape) == 3 else x


class Discriminator(nn.Module):
  """Samples to logits; the head sees the last hidden layer."""

  hidden: tuple[int, ...] = (128, 128)
  activation: str = 'leaky_relu'
  norm: str = 'none'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of samples [B, ...] and label [B]."""
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=INIT)
    act = parts.activation(self.activation)
    x = sample.reshape(sample.shape[0], -1)
    for i, width in enumerate(self.hidden):
      plain = i == 0  # as DCGAN: no norm on what sees the sample
      bias = plain or not part.has_norm
      x = part.dense(width, use_bias=bias, name=f'hidden_{i}')(x)
      x = act(x if plain else part.norm(name=f'norm_{i}')(x))  # [B, width]
    return parts.apply_head(self, part, x, label)
