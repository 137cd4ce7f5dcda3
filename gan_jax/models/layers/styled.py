"""The layers of StyleGAN2's synthesis network: a style tells each its scales.

Karras et al. 2020, https://arxiv.org/abs/1912.04958, sections 2 and 4.1.
"""

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import (
  blocks,
  convolutions,
  equalised,
  filters,
  leaky,
  modulated,
)

NORMAL = nn.initializers.normal(1.0)


def style_of(w, features: int):
  """A scale for each feature: an affine map of w, [B, W] -> [B, features]."""
  own = equalised.fields(bias=1.0)
  return blocks.Dense(features, name='affine', **own)(w.astype(jnp.float32))


class Conv(nn.Module):
  """A modulated 3 x 3 convolution, noise, a bias, a leaky ReLU."""

  features: int
  doubles: bool = False
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, w, noise=None):
    """[B, H, W, C] -> [B, H, W, features], twice as fine where it doubles.

    Args:
      x: [B, H, W, C].
      w: [B, W].
      noise: a picture [B, H, W] of the result's size for each example, which
        is added to all features alike; or None.
    """
    shape = 3, 3, x.shape[-1], self.features
    kernel = self.param('kernel', NORMAL, shape, jnp.float32)
    style = style_of(w, x.shape[-1])
    convolve = filters.conv_doubled if self.doubles else convolutions.conv
    x = modulated.conv(x.astype(self.dtype), kernel, style, convolve=convolve)
    zeros = nn.initializers.zeros
    strength = self.param('noise_strength', zeros, (), jnp.float32)
    if noise is not None:
      x += (strength * noise[..., None]).astype(self.dtype)
    bias = self.param('bias', zeros, (self.features,), jnp.float32)
    x += bias.astype(self.dtype)[None, None, None]
    return leaky.leaky_relu(x, bound=leaky.bound_of(self.dtype))


class ToImage(nn.Module):
  """Colours of features: a modulated 1 x 1 convolution, not demodulated."""

  channels: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, w):
    """[B, H, W, C] and w [B, W] -> [B, H, W, channels] float32."""
    shape = 1, 1, x.shape[-1], self.channels
    kernel = self.param('kernel', NORMAL, shape, jnp.float32)
    style = style_of(w, x.shape[-1]) / math.sqrt(x.shape[-1])
    x = modulated.conv(x.astype(self.dtype), kernel, style, demodulate=False)
    zeros = nn.initializers.zeros
    bias = self.param('bias', zeros, (self.channels,), jnp.float32)
    x += bias.astype(self.dtype)[None, None, None]
    return leaky.clipped(x, leaky.bound_of(self.dtype)).astype(jnp.float32)
