"""The convolutional networks of SNGAN: DCGAN with 3 x 3 between its stages.

T. Miyato et al., Spectral normalization for generative adversarial networks
(2018), https://arxiv.org/abs/1802.05957, table 3. With batch norm in D too it
is what several libraries call DCGAN.

Any size from 8 pixels, also not square: the first grid of G is the image,
halved as often as G doubles it.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import blocks, parts, residual, resnets

KINDS = ('image',)  # of samples
SLOPE = 0.1  # of D's leaky ReLU


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1]."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  widths: tuple[int, ...] = (512, 256, 128, 64)  # coarse to fine
  norm: str = 'batch'
  modulation: str = 'class'  # see parts.modulated
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    resnets.check_image(self, self.shape)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=blocks.DCGAN_INIT)
    part, z = parts.modulated(self, part, z, label)
    grids = resnets.doubled_grids(self.shape, len(self.widths) - 1)
    x = resnets.start(part, z, grid=grids[0], width=self.widths[0])
    for i, width in enumerate(self.widths[1:]):
      x = part.conv_transpose(width, name=f'up_{i}')(x)
      x = nn.relu(part.norm(name=f'norm_{i}')(x))
    x = residual.conv3(part, self.shape[-1], name='image')(x)
    return resnets.squashed(x, self.shape)


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the sum over pixels."""

  widths: tuple[int, ...] = (64, 128, 256, 512)  # fine to coarse
  norm: str = 'spectral'
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

    def layer(x, conv, width, name):
      x = part.norm(name=f'norm_{name}')(conv(width, name=name)(x))
      return nn.leaky_relu(x, SLOPE)

    x, same = sample, functools.partial(residual.conv3, part)
    for i, width in enumerate(self.widths[:-1]):
      x = layer(x, same, width, f'same_{i}')
      x = layer(x, part.conv, width, f'down_{i}')
    x = layer(x, same, self.widths[-1], 'last')
    return parts.apply_head(self, part, x.sum((1, 2)), label)
