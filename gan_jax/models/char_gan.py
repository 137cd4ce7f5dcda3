"""Residual convolutions along a text: the character model of WGAN-GP.

I. Gulrajani et al., Improved training of Wasserstein GANs (2017),
https://arxiv.org/abs/1704.00028, section 5.5, with the constants of the code
published with it (gan_language.py): five blocks, .3 of each is added, G ends
with a softmax and draws nothing. D sees real characters as one-hot vectors.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import parts
from gan_jax.types import UserError

KINDS = ('text',)  # of samples
# Uniform, of variance 4 / (fan-in + fan-out): "He" there.
INIT = nn.initializers.variance_scaling(2.0, 'fan_avg', 'uniform')


def check_shape(shape: tuple[int, ...]):
  """Refuses samples that are no characters [T, V].

  Raises:
    UserError: names the shape.
  """
  if len(shape) != 2:
    raise UserError(
      f'model.name: samples are {tuple(shape)}; expected text, (characters,'
      ' letters of the alphabet).'
    )


def _along(part, x, features, *, width, name):
  """A convolution along the text: [B, T, C] -> [B, T, features]."""
  conv = part.conv(
    features,
    kernel_size=(width, 1),
    strides=(1, 1),
    padding='SAME',
    name=name,
  )
  return conv(x[:, :, None])[:, :, 0]


def _block(part, x, index, scale):
  """x [B, T, C] and a part of what two convolutions make of it."""
  y = x
  for k in (0, 1):
    y = nn.relu(part.norm(name=f'norm_{index}_{k}')(y))
    y = _along(part, y, x.shape[-1], width=5, name=f'block_{index}_{k}')
  return x + scale * y


class Generator(nn.Module):
  """Latent vectors to distributions over characters at each place."""

  shape: tuple[int, ...]  # (T, V)
  dim: int = 512  # channels
  blocks: int = 5
  scale: float = 0.3  # of what a block adds
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns samples [B, T, V] float32 of z [B, Z] and label [B]."""
    check_shape(self.shape)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, label=label, kernel_init=INIT)
    if not part.has_norm:
      z = parts.with_class(part.embed, z, label, self.num_classes)
    length, letters = self.shape
    x = part.dense(length * self.dim, name='start')(z)
    x = x.reshape(-1, length, self.dim)
    for index in range(self.blocks):
      x = _block(part, x, index, self.scale)
    x = _along(part, x, letters, width=1, name='letters')  # [B, T, V]
    return nn.softmax(x.astype(jnp.float32))


class Discriminator(nn.Module):
  """Characters to logits: the same blocks, then all places at once."""

  dim: int = 512
  blocks: int = 5
  scale: float = 0.3
  norm: str = 'none'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of samples [B, T, V] and label [B]."""
    check_shape(sample.shape[1:])
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=INIT)
    x = _along(part, sample, self.dim, width=1, name='letters')
    for index in range(self.blocks):
      x = _block(part, x, index, self.scale)
    x = x.reshape(-1, math.prod(x.shape[1:]))
    return parts.apply_head(self, part, x, label)
