"""StyleGAN2: T. Karras et al., Analyzing and improving the image quality of
StyleGAN.

2020, https://arxiv.org/abs/1912.04958; class-conditional, and D for CIFAR-10,
as in Karras et al. 2020, https://arxiv.org/abs/2006.06676. A mapping network
makes w of the latent and the class; w tells each convolution of G how much each
of its features counts. The latent has a picture of noise for each convolution.

Any size of 4 pixels or more, also not square: the first grid of G is the image,
halved until its shorter side has at most 4 pixels.
"""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import mapped_projection
from gan_jax.models.layers import (
  blocks,
  equalised,
  filters,
  leaky,
  mapping,
  minibatch,
  parts,
  residual,
  resnets,
  running,
  styled,
)
from gan_jax.models.layers.style_prior import (
  FIRST,
  grids_of,
  make_prior,  # noqa: F401
)
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
# How a discriminator's grids are connected: by residual blocks, by a smaller
# image beside each of them, or by convolutions alone.
ARCHITECTURES = ('resnet', 'skip', 'orig')
DECAY = 0.998  # of the average w, with each update


def widths_of(base: int, most: int, count: int) -> list[int]:
  """Channels of `count` grids, coarse to fine; UserError if there are none."""
  widths = [min(base // (FIRST * 2**i), most) for i in range(count)]
  if min(widths) < 1:
    raise UserError(
      f'channel_base={base}, channel_max={most}: a grid of'
      f' {FIRST * 2 ** (count - 1)} pixels has min(channel_base / pixels,'
      ' channel_max) channels, which are to be 1 or more.'
    )
  return widths


class Synthesis(nn.Module):
  """Styles, one for each layer, and noise to images."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  channel_base: int
  channel_max: int
  dtype: Any

  @property
  def styles(self) -> int:
    """How many styles it takes: two for each grid."""
    return 2 * len(grids_of(self.shape))

  @nn.compact
  def __call__(self, ws, noise=None, *, train):
    """Returns images [B, H, W, C] float32.

    A grid's image takes the style that the next grid's first layer takes.

    Args:
      ws: [B, styles, W].
      noise: [B, h, w] for each convolution, see make_prior; None is none.
      train: changes nothing.
    """
    del train
    first, *finer = grids_of(self.shape)
    first_width, *widths = widths_of(
      self.channel_base, self.channel_max, 1 + len(finer)
    )
    w = iter(jnp.moveaxis(ws, 1, 0))
    noise = itertools.repeat(None) if noise is None else iter(noise)
    conv = functools.partial(styled.Conv, dtype=self.dtype)
    to_image = functools.partial(styled.ToImage, self.shape[-1], self.dtype)
    constant = (1, *first, first_width)
    x = self.param('constant', styled.NORMAL, constant, jnp.float32)
    x = jnp.broadcast_to(x, (len(ws), *constant[1:]))
    x = conv(first_width, name='conv_0')(x, next(w), next(noise))
    last = next(w)
    image = to_image(name='image_0')(x, last)
    for i, width in enumerate(widths, 1):
      up = conv(width, doubles=True, name=f'up_{i}')
      x = up(x, last, next(noise))
      x = conv(width, name=f'conv_{i}')(x, next(w), next(noise))
      last = next(w)
      image = filters.doubled(image) + to_image(name=f'image_{i}')(x, last)
    return resnets.centre(image, self.shape)


class Generator(nn.Module):
  """Latents to images, which lie in [-1, 1] as far as G has learned that."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  channel_base: int = 32768  # a grid of n pixels has as many / n channels,
  channel_max: int = 512  # but at most so many
  features: int = 512  # of w
  mapping_layers: int = 8
  truncation: float = 1.0  # how far w is from its average, but in training
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  def setup(self):
    """Makes the two networks, and the average w."""
    self.mapping = mapping.Mapping(
      self.num_classes, self.features, self.mapping_layers
    )
    self.average = running.Running(axis_name=self.axis_name)
    self.synthesis = self._synthesis()

  def _synthesis(self):
    return Synthesis(
      self.shape, self.channel_base, self.channel_max, self.dtype
    )

  def __call__(self, latent, label=None, *, train):
    """Returns images [B, H, W, C] float32.

    Args:
      latent: {'z': [B, Z], 'noise': ...} as make_prior draws it, or z alone.
      label: [B] int, or None.
      train: whether averages are updated, w is not truncated, and styles are
        mixed where the latent says so.
    """
    if not isinstance(latent, dict):
      latent = {'z': latent}
    ws = self.styles(latent['z'], label, train=train)
    if train:
      ws = self._mixed(ws, latent, label)
    return self.images(ws, latent.get('noise'), train=train)

  def training_styles(self, latent, label=None):
    """Styles [B, layers, features] as training has them; nothing is updated."""
    if not isinstance(latent, dict):
      latent = {'z': latent}
    label = parts.check_label(label, self.num_classes)
    w = self.mapping(label, latent['z'])
    return self._mixed(self._for_layers(w), latent, label)

  def _mixed(self, ws, latent, label):
    """The styles, from some layer on those of the other z; see make_prior."""
    if 'mixed' not in latent:
      return ws
    count = ws.shape[1]
    at = 1 + jnp.floor((count - 1) * latent['mixed']['at'])  # [B]
    other = self._for_layers(self.mapping(label, latent['mixed']['z']))
    first = jnp.arange(count)[None] < at[:, None]  # [B, layers]
    return jnp.where(first[..., None], ws, other)

  def _for_layers(self, w):
    return jnp.repeat(w[:, None], self.synthesis.styles, axis=1)

  def styles(self, z, label=None, *, train):
    """Styles [B, layers, features], alike for all layers, of z and label."""
    label = parts.check_label(label, self.num_classes)
    w = self.mapping(label, z)
    average = self.average(w.mean(0), decay=DECAY, train=train)[None]
    if not train:
      w = average + self.truncation * (w - average)
    return self._for_layers(w)

  def centre(self):
    """The average style [features]."""
    none = jnp.zeros(self.features, jnp.float32)
    return self.average(none, decay=1.0, train=False)

  def images(self, ws, noise=None, *, train):
    """Images [B, H, W, C] of styles [B, layers, features]; see Synthesis."""
    return self.synthesis(ws, noise, train=train)


def layers(dtype: Any, mapping_layers: int) -> parts.Parts:
  """A discriminator's layers, equalised; a mapping network embeds classes."""
  own = {'dtype': dtype, **equalised.fields()}
  return parts.make_parts('none', train=False, dtype=dtype)._replace(
    dense=functools.partial(blocks.Dense, **own),
    conv=functools.partial(blocks.Conv, **own),
    embed=functools.partial(mapping.Mapping, layers=mapping_layers),
  )


class Down(nn.Module):
  """Two 3 x 3 convolutions, the second of which halves the grid."""

  part: parts.Parts
  features: int
  bound: float | None
  shortcut: bool

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, H // 2, W // 2, features]."""
    part, gain = self.part, math.sqrt(0.5) if self.shortcut else 1.0
    y = residual.conv3(part, x.shape[-1], name='conv_0')(x)
    y = leaky.leaky_relu(y, bound=self.bound)
    halves = {'kernel_size': (3, 3), 'padding': 'VALID', 'name': 'conv_1'}
    y = part.conv(self.features, **halves)(filters.padded(y))
    bound = self.bound and gain * self.bound
    y = leaky.leaky_relu(y, gain=gain * leaky.GAIN, bound=bound)
    if not self.shortcut:
      return y
    own = {'use_bias': False, 'name': 'shortcut'}
    return y + gain * residual.conv1(part, self.features, **own)(
      filters.halved(x)
    )


class Discriminator(nn.Module):
  """Images to logits; the head compares a label's mapping with the features."""

  architecture: str = 'resnet'  # see ARCHITECTURES
  channel_base: int = 32768  # a grid of n pixels has as many / n channels,
  channel_max: int = 512  # but at most so many
  group: int = 4  # examples whose deviation it sees
  mapping_layers: int = 8  # of the label's
  num_classes: int = 0
  head: Callable = mapped_projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    del train
    if self.architecture not in ARCHITECTURES:
      there = ', '.join(ARCHITECTURES)
      raise UserError(
        f"architecture '{self.architecture}': expected one of {there}"
      )
    label = parts.check_label(label, self.num_classes)
    count = len(grids_of(sample.shape[1:]))
    widths = widths_of(self.channel_base, self.channel_max, count)[::-1]
    part = layers(self.dtype, self.mapping_layers)
    x = self._grids(part, sample, widths)
    last = layers(jnp.float32, self.mapping_layers)
    x = minibatch.with_deviation(x.astype(jnp.float32), self.group)
    x = leaky.leaky_relu(residual.conv3(last, widths[-1], name='conv')(x))
    x = last.dense(widths[-1], name='dense')(x.reshape(len(x), -1))
    return parts.apply_head(self, last, leaky.leaky_relu(x), label)

  def _grids(self, part, image, widths):
    """The coarsest grid [B, h, w, widths[-1]] of images."""
    bound = leaky.bound_of(self.dtype)

    def of_image(i):
      x = residual.conv1(part, widths[i], name=f'image_{i}')(image)
      return leaky.leaky_relu(x, bound=bound)

    x = of_image(0)
    shortcut = self.architecture == 'resnet'
    for i, width in enumerate(widths[1:], 1):
      x = Down(part, width, bound, shortcut, name=f'down_{i}')(x)
      if self.architecture == 'skip':
        image = filters.halved(image)
        x += of_image(i)
    return x
