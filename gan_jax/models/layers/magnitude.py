"""Layers that keep the variance of what goes through them.

Karras et al. 2024 (https://arxiv.org/abs/2312.02696), section 2.3, as R3GAN2
has it (IFeelBloated/R3GAN2): the weights of an output are centred and have
length 1, a leaky ReLU is divided by the standard deviation of what it makes of
N(0, 1), and a sum by the root of its parts' variances. As weights are centred,
the mean that a leaky ReLU gives all features alike has no effect. A bias, and
the strength of noise, are weights of the same output, of an input that is 1 or
the noise.

Gradients are orthogonal to such weights, which would grow with every update and
so learn ever more slowly: `forced` sets them back after each.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models.layers import convolutions, equalised

SLOPE = 0.2  # of leaky ReLU
GAIN = ((1 + SLOPE**2) / 2 - (1 - SLOPE) ** 2 / (2 * math.pi)) ** -0.5
EPSILON = 1e-4
NORMAL = nn.initializers.normal(1.0)
# Names of weights: of features, and of pixels, whose mean is what is seen.
WEIGHT, PIXELS = 'weight', 'pixels'


def scaled(weight, *, centred: bool = True):
  """Weights [..., inputs, outputs], of mean square 1 for each output.

  Args:
    weight: the weights.
    centred: whether they are to have mean 0 too; that of a single input, which
      would be nothing else, stays.
  """
  count = equalised.fan_in(weight)
  inputs = tuple(range(weight.ndim - 1))
  if centred and count > 1:
    weight = weight - weight.mean(inputs, keepdims=True)
  square = jnp.square(weight).sum(inputs, keepdims=True)
  # At 0, as of an output that is not used, a root has no slope.
  length = jnp.sqrt(jnp.maximum(square, 1e-20)) / math.sqrt(count)
  return weight / (EPSILON + length)


def unit(weight, *, centred: bool = True):
  """The same of length 1: what an output is computed with."""
  own = scaled(weight, centred=centred)
  return own / math.sqrt(equalised.fan_in(weight))


def forced(params: Any) -> Any:
  """Parameters of a network, the weights of these layers `scaled`."""

  def of(path, x):
    name = path[-1].key
    return scaled(x, centred=name == WEIGHT) if name in (WEIGHT, PIXELS) else x

  return jax.tree_util.tree_map_with_path(of, params)


def leaky_relu(x):
  """Of N(0, 1) it has variance 1."""
  return GAIN * nn.leaky_relu(x, SLOPE)


class Linear(nn.Module):
  """A linear map of features, and of columns beside them."""

  features: int
  pixels: bool = False  # whether its inputs are those, so that none is centred
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *columns):
    """[..., inputs] -> [..., features].

    Args:
      x: the inputs.
      *columns: an input more each: 1, or [..., 1]; None has a weight, too.
    """
    inputs, name = x.shape[-1], PIXELS if self.pixels else WEIGHT
    shape = inputs + len(columns), self.features
    weight = self.param(name, NORMAL, shape, jnp.float32)
    weight = unit(weight, centred=not self.pixels).astype(self.dtype)
    y = jnp.dot(x.astype(self.dtype), weight[:inputs])
    for column, row in zip(columns, weight[inputs:], strict=True):
      if column is not None:
        row = row.reshape((1,) * (y.ndim - 1) + (-1,))
        y += jnp.asarray(column, self.dtype) * row
    return y


class Grouped(nn.Module):
  """A convolution of each group of channels by itself, to as many channels."""

  group: int  # channels of each
  kernel_size: tuple[int, int] = (3, 3)
  padding: str = 'SAME'  # or 'VALID'
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, H', W', C]."""
    shape = *self.kernel_size, self.group, x.shape[-1]
    weight = self.param(WEIGHT, NORMAL, shape, jnp.float32)
    weight = unit(weight).astype(self.dtype)
    groups = x.shape[-1] // self.group
    own = {'padding': self.padding, 'groups': groups}
    return convolutions.conv(x.astype(self.dtype), weight, **own)


class Spread(nn.Module):
  """Vectors to grids: the transpose of a grouped convolution to one place."""

  group: int  # channels of each
  grid: tuple[int, int]
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x):
    """[B, C] -> [B, *grid, C]; each place has weights of its own."""
    channels = x.shape[-1]
    places = math.prod(self.grid)
    shape = self.group, places * channels
    weight = self.param(WEIGHT, NORMAL, shape, jnp.float32)
    weight = unit(weight).astype(self.dtype)
    groups = channels // self.group
    weight = weight.reshape(self.group, places, groups, self.group)
    x = x.reshape(-1, groups, self.group).astype(self.dtype)
    y = jnp.einsum('bni,ipno->bpno', x, weight)
    return y.reshape(-1, *self.grid, channels)


class FeedForward(nn.Module):
  """Widens, looks at the neighbours in each group of channels, narrows.

  A leaky ReLU follows the first two. The first has a bias and, where there is
  noise, its strength for each feature.
  """

  group: int = 32  # channels of each group
  expansion: int = 2  # how much wider it is inside
  noisy: bool = False
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, noise=None):
    """[B, H, W, C] and noise [B, H, W, 1] or None -> [B, H, W, C]."""
    columns = (1.0, noise) if self.noisy else (1.0,)
    hidden = self.expansion * x.shape[-1]
    y = Linear(hidden, dtype=self.dtype, name='widen')(x, *columns)
    y = leaky_relu(y)
    y = Grouped(self.group, dtype=self.dtype, name='grouped')(y)
    return Linear(x.shape[-1], dtype=self.dtype, name='narrow')(leaky_relu(y))


class Residual(nn.Module):
  """Adds a part of what a layer makes, and says how large the sum is.

  The part begins as 0 for each channel. The layer is given its input divided
  by the root of the variance that it has, so that what it makes has variance 1.
  """

  make: Callable  # makes the layer, of a name

  @nn.compact
  def __call__(self, x, variance, *inputs):
    """x [B, H, W, C] and its variance [C] -> those of the sum."""
    zeros = nn.initializers.zeros
    part = jnp.tanh(self.param('part', zeros, variance.shape, jnp.float32))
    y = self.make(name='layer')(divided(x, variance), *inputs)
    own = part.astype(x.dtype).reshape(1, 1, 1, -1)
    return x + own * y, variance + jnp.square(part)


def divided(x, variance):
  """[B, H, W, C] by the root of its variance [C]: of variance 1."""
  return x * jax.lax.rsqrt(variance).astype(x.dtype).reshape(1, 1, 1, -1)
