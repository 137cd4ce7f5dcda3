"""InfoGAN's networks: X. Chen et al. 2016, https://arxiv.org/abs/1606.03657.

Appendix C.1, for MNIST: two dense layers and two transposed convolutions, and D
their mirror. The codes are a part of the latent (`latent.categories`,
`latent.continuous`), what guesses them is conditioning/infogan.

Any size from 8 pixels, also not square.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import blocks, parts, resnets

KINDS = ('image',)  # of samples
SLOPE = 0.1  # of D's leaky ReLU


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1]."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  hidden: tuple[int, ...] = (1024,)
  widths: tuple[int, ...] = (128, 64)  # coarse to fine
  norm: str = 'batch'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    resnets.check_image(self, self.shape)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(
      self, train=train, label=label, kernel_init=blocks.DCGAN_INIT
    )
    if not part.has_norm:
      z = parts.with_class(part.embed, z, label, self.num_classes)
    grid = resnets.doubled_grids(self.shape, len(self.widths))[0]
    bias, x = not part.has_norm, z
    for i, width in enumerate((*self.hidden, math.prod(grid) * self.widths[0])):
      x = part.dense(width, use_bias=bias, name=f'dense_{i}')(x)
      x = nn.relu(part.norm(name=f'norm_dense_{i}')(x))
    x = x.reshape(-1, *grid, self.widths[0])
    for i, width in enumerate(self.widths[1:]):
      x = part.conv_transpose(width, use_bias=bias, name=f'up_{i}')(x)
      x = nn.relu(part.norm(name=f'norm_{i}')(x))
    x = part.conv_transpose(self.shape[-1], name='image')(x)
    return resnets.squashed(x, self.shape)


class Discriminator(nn.Module):
  """Images to logits, and whatever else the head reads from its features."""

  widths: tuple[int, ...] = (64, 128)  # fine to coarse
  hidden: tuple[int, ...] = (1024,)
  norm: str = 'batch'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    resnets.check_image(self, sample.shape[1:])
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=blocks.DCGAN_INIT)
    x = sample
    for i, width in enumerate(self.widths):
      plain = i == 0  # no norm on what sees the sample
      bias = plain or not part.has_norm
      x = part.conv(width, use_bias=bias, name=f'down_{i}')(x)
      x = x if plain else part.norm(name=f'norm_{i}')(x)
      x = nn.leaky_relu(x, SLOPE)
    x = x.reshape(x.shape[0], -1)
    for i, width in enumerate(self.hidden):
      x = part.dense(width, use_bias=not part.has_norm, name=f'dense_{i}')(x)
      x = nn.leaky_relu(part.norm(name=f'norm_dense_{i}')(x), SLOPE)
    return parts.apply_head(self, part, x, label)
