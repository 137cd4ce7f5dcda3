"""R3GAN: Huang et al. 2024, The GAN is dead; long live the GAN!

NeurIPS 2024, https://arxiv.org/abs/2501.05441, section 3 and appendix D: two
networks that mirror each other, of blocks without norms. A grid begins as a
basis that is learned, each of whose channels a latent scales; D ends by the
same: a weighted sum of the last grid's pixels for each channel. Between grids
stand the filter [1, 3, 3, 1] and, where channels change, 1 x 1 convolutions.

The classes' part of D is conditioning/inner_product.py. The loss is `rpgan`
with `r1` and `r2` in every step. The smallest grids are computed in float32
whatever the dtype, and images have no bounds: nothing squashes them.

Any size from 8 to 256 pixels, also not square: the first grid of G is the
image, halved as often as G doubles it. ImageNet's networks are twice as wide:
`widths` of 1536 at every size, `group` of 32.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import inner_product
from gan_jax.models.layers import inverted, parts, resampling, residual, resnets

KINDS = ('image',)  # of samples
TRUNCATION = 'scale'  # of latents, as there are no styles
LINEAR = nn.initializers.variance_scaling(1.0, 'fan_in', 'normal')


def _row(*widths: int) -> resnets.Row:
  return resnets.Row(widths, widths[::-1], len(widths) - 1)


SIZES = {  # the row of 128 is ours: the paper has no such
  32: _row(768, 768, 768, 768),
  64: _row(768, 768, 768, 768, 384),
  128: _row(768, 768, 768, 768, 384, 192),
  256: _row(768, 768, 768, 768, 384, 192, 96),
}


def unit_classes(key, shape, dtype=jnp.float32):
  """Initialiser of D's classes [K, F]: of length 1 / sqrt(K)."""
  return LINEAR(key, shape, dtype) / math.sqrt(shape[-1])


def layers(net: nn.Module, train, **kw) -> tuple[parts.Parts, parts.Parts]:
  """(Of the smallest grid, in float32; of the others)."""
  make = functools.partial(
    parts.of_network, net, train=train, kernel_init=LINEAR, **kw
  )
  return make(dtype=jnp.float32), make()


def block(net: nn.Module, part: parts.Parts, widths, name: str) -> nn.Module:
  """One of the blocks of a network of these widths."""
  count = net.depth * len(widths)
  return inverted.Block(part, count, net.group, net.expansion, name=name)


class Generator(nn.Module):
  """Latent vectors to images; a class's embedding stands beside the latent."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the image
  depth: int = 2  # blocks for each size
  group: int = 16  # channels of each group of the 3 x 3 convolutions
  expansion: int = 2  # how much wider a block is inside
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    widths = self.widths or resnets.row(self, SIZES, self.shape).g
    first = resnets.doubled_grids(self.shape, len(widths) - 1)[0]
    label = parts.check_label(label, self.num_classes)
    coarse, fine = layers(self, train, embed_init=LINEAR)
    z = parts.with_class(coarse.embed, z, label, self.num_classes)
    normal = nn.initializers.normal(1.0)
    basis = self.param('basis', normal, (*first, widths[0]), jnp.float32)
    x = coarse.dense(widths[0], use_bias=False, name='start')(z)
    x = x[:, None, None] * basis[None]
    for i, width in enumerate(widths):
      part = fine if i else coarse
      if i:
        x = x.astype(self.dtype)
        x = resampling.smoothly_doubled(_changed(part, x, width, f'to_{i}'))
      for k in range(self.depth):
        x = block(self, part, widths, f'block_{i}_{k}')(x)
    channels = self.shape[-1]
    x = residual.conv1(fine, channels, use_bias=False, name='image')(x)
    return resnets.centre(x, self.shape).astype(jnp.float32)


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the pooled features."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  depth: int = 2  # blocks for each size
  group: int = 16  # channels of each group of the 3 x 3 convolutions
  expansion: int = 2  # how much wider a block is inside
  norm: str = 'none'
  num_classes: int = 0
  head: Callable = inner_product.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    widths = self.widths or resnets.row(self, SIZES, sample.shape[1:]).d
    label = parts.check_label(label, self.num_classes)
    coarse, fine = layers(self, train, embed_init=unit_classes)
    coarse = coarse._replace(
      dense=functools.partial(coarse.dense, use_bias=False)
    )
    x = residual.conv1(fine, widths[0], use_bias=False, name='image')(sample)
    for i, width in enumerate(widths):
      part = fine if i < len(widths) - 1 else coarse
      if i:
        x = _changed(part, resampling.smoothly_halved(x), width, f'to_{i}')
      for k in range(self.depth):
        x = block(self, part, widths, f'block_{i}_{k}')(x)
    grid = x.shape[1:3]
    init = nn.initializers.normal(1 / math.sqrt(math.prod(grid)))
    basis = self.param('basis', init, x.shape[1:], jnp.float32)
    x = (x.astype(jnp.float32) * basis[None]).sum((1, 2))
    return parts.apply_head(self, coarse, x, label)


def _changed(part: parts.Parts, x, width: int, name: str):
  """A grid of so many channels, by a 1 x 1 convolution where it has others."""
  if x.shape[-1] == width:
    return x
  return residual.conv1(part, width, use_bias=False, name=name)(x)
