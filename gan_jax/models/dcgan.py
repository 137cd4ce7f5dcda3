"""DCGAN: Radford et al. 2016, https://arxiv.org/abs/1511.06434, section 3.

Square images of 8 to 128 pixels. With n stages the smallest picture has
ceil(size / 2^n) pixels; G doubles it n times and crops the centre, D halves
n times by SAME convolutions, so 28 is made from 7 and 30 from 8.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import blocks, parts, stages
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
SIZES = (8, 128)  # smallest and largest
FIRST, LAST = 64, 512  # narrowest and widest stage by default


def default_widths(size: int) -> tuple[int, ...]:
  """Channels of each stage from fine to coarse, down to 4 (or 2) pixels.

  Args:
    size: of the image's side in pixels.

  Returns:
    one width per stage: 8 -> (64, 128), 32 -> (64, 128, 256).
  """
  stages = max(2, (size // 4).bit_length() - 1)
  return tuple(min(FIRST * 2**i, LAST) for i in range(stages))


def base_size(shape: tuple[int, ...], stages: int) -> int:
  """Side of the smallest picture; UserError names a shape none can make."""
  low, high = SIZES
  if len(shape) != 3 or shape[0] != shape[1] or not low <= shape[0] <= high:
    raise UserError(
      f'model dcgan: cannot make samples of shape {tuple(shape)};'
      f' it makes square images (H, H, C) with H from {low} to {high}'
    )
  if not 1 <= stages <= math.log2(shape[0]):
    raise UserError(
      f'model dcgan: {stages} widths for size {shape[0]};'
      f' give 1 to {int(math.log2(shape[0]))} (each halves the image)'
    )
  return -(-shape[0] // 2**stages)


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1].

  Class-conditional by conditional batch norm; without batch norm, by the
  class's embedding beside the latent vector.
  """

  shape: tuple[int, ...]  # of a sample (H, H, C)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the image
  norm: str = 'batch'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, H, C] float32 of z [B, Z] and label [B]."""
    widths = self.widths or default_widths(self.shape[0])[::-1]
    base_size(self.shape, len(widths))
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(
      self, train=train, label=label, kernel_init=blocks.DCGAN_INIT
    )
    x = stages.grown(
      part,
      z,
      shape=self.shape,
      widths=widths,
      label=label,
      num_classes=self.num_classes,
    )
    return jnp.tanh(x.astype(jnp.float32))  # [B, H, H, C]


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the sum over pixels."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  norm: str = 'batch'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, H, C] and label [B]."""
    shape = sample.shape[1:]
    widths = self.widths or default_widths(shape[0])
    base_size(shape, len(widths))
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=blocks.DCGAN_INIT)
    x = stages.shrunk(part, sample, widths=widths)
    flat = x.reshape(x.shape[0], -1)
    pooled = x.sum((1, 2))  # [B, widths[-1]]
    return parts.apply_head(self, part, flat, label, pooled)
