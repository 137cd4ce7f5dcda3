"""R3GAN2: R3GAN of layers that keep the variance of what goes through them.

IFeelBloated/R3GAN2, 2026, of which no paper and no scores are published; after
Huang et al. 2024 (https://arxiv.org/abs/2501.05441) and Karras et al. 2024
(https://arxiv.org/abs/2312.02696). Written from a description and from the
number of parameters at five configurations, which tell the heads: of three
layers as the blocks have them, whose middle one makes a grid of 4 x 4 pixels in
G, and one place of it in D.

Neither tells all. Here the smallest grid is computed in float32, as in R3GAN;
biases and noise are in the first layer of a block; grids of as many channels
are doubled and halved without a filter, which is what the change of channels
amounts to there; D's first layer is not centred, as it would not see what is
grey; G's images have a gain that begins as 1. The layers of D's conditioning
and the embeddings are normalised where they are used, but not set back after an
update.

Any size from 8 to 256 pixels, also not square: the first grid of G is the
image, halved as often as G doubles it.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning import inner_product
from gan_jax.game import latents
from gan_jax.models.layers import blocks, magnitude, parts, resampling, resnets
from gan_jax.types import UserError

KINDS = ('image',)  # of samples


def _row(*widths: int) -> resnets.Row:
  return resnets.Row(widths, widths[::-1], len(widths))


TRUNCATION = 'scale'  # of latents, as there are no styles
SIZES = {  # the row of 128 is ours
  32: _row(512, 512, 512),
  64: _row(512, 512, 512, 512),
  128: _row(512, 512, 512, 512, 256),
  256: _row(512, 512, 512, 512, 256, 128),
}


def make_prior(name: str = 'normal', *, dim: int = 64) -> Callable:
  """Returns prior(key) -> {'z': [dim] float32, 'noise': [2] uint32}.

  The noise is the key of G's pictures of noise, one for each block, whose sizes
  only G knows.

  Args:
    name: of the prior of z, see game/latents.
    dim: length of z.
  """
  of_code = latents.maker(name)(dim=dim)

  def prior(key):
    own, noise = jax.random.split(key)
    return {'z': of_code(own), 'noise': jax.random.key_data(noise)}

  return prior


def project(params: Any) -> Any:
  """A network's parameters as they are set back after each update."""
  return magnitude.forced(params)


def alike(key, shape, dtype=jnp.float32):
  """Initialiser of classes [K, F]: one vector for all of them."""
  one = magnitude.NORMAL(key, (1, shape[-1]), dtype)
  return jnp.broadcast_to(one, shape)


def layers(norm: Callable) -> parts.Parts:
  """What classes and heads are made of; `norm` is that of a class's vector."""
  of_kernels = lambda *, name: magnitude.unit
  of_classes = lambda *, name: lambda table: norm(table.T, centred=False).T
  part = parts.make_parts('none', train=False, dtype=jnp.float32)
  own = {'use_bias': False, 'kernel_init': magnitude.NORMAL}
  return part._replace(
    dense=functools.partial(part.dense, **own | {'kernel_norm': of_kernels}),
    embed=functools.partial(blocks.Embed, init=alike, kernel_norm=of_classes),
  )


def block(net: nn.Module, dtype, name: str, *, noisy: bool) -> nn.Module:
  """One of a network's blocks."""
  own = {'noisy': noisy, 'dtype': dtype}
  make = functools.partial(
    magnitude.FeedForward, net.group, net.expansion, **own
  )
  return magnitude.Residual(make, name=name)


def check_group(net: nn.Module, widths: tuple[int, ...]):
  """UserError where the channels of a block are no multiple of `group`."""
  for hidden in (net.expansion * width for width in widths):
    if net.group < 1 or hidden % net.group:
      raise UserError(
        f'group={net.group}: a block of {hidden} channels cannot be cut into'
        ' groups of so many; expected a divisor.'
      )


class Generator(nn.Module):
  """Latent vectors to images; a class's embedding stands beside the latent."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the image
  depth: int = 4  # blocks for each size
  group: int = 32  # channels of each group of the 3 x 3 convolutions
  expansion: int = 2  # how much wider a block is inside
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, latent, label=None, *, train):
    """Returns images [B, H, W, C] float32.

    Args:
      latent: {'z': [B, Z], 'noise': [B, 2]} as make_prior draws it, or z alone,
        without noise.
      label: [B] int, or None.
      train: changes nothing.
    """
    del train
    if not isinstance(latent, dict):
      latent = {'z': latent}
    widths = self.widths or resnets.row(self, SIZES, self.shape).g
    check_group(self, widths)
    label = parts.check_label(label, self.num_classes)
    embed = layers(magnitude.scaled).embed
    z = parts.with_class(embed, latent['z'], label, self.num_classes)
    noise = functools.partial(_noise, latent.get('noise'))
    x = self._first_grid(z, widths)
    for i, width in enumerate(widths):
      x = resampling.spread(x.astype(self.dtype), width)
      variance = jnp.ones(width)
      for k in range(self.depth):
        own = noise(i * self.depth + k, x.shape[1:3])
        residual = block(self, self.dtype, f'block_{i}_{k}', noisy=True)
        x, variance = residual(x, variance, own)
      x = magnitude.divided(x, variance)
    to_image = magnitude.Linear(self.shape[-1], dtype=self.dtype, name='image')
    x = resnets.centre(to_image(x), self.shape).astype(jnp.float32)
    return x * self.param('gain', nn.initializers.ones, (), jnp.float32)

  def _first_grid(self, z, widths):
    """[B, Z] -> [B, h, w, widths[0]]."""
    grid = resnets.doubled_grids(self.shape, len(widths))[0]
    hidden = self.expansion * widths[0]
    x = magnitude.Linear(hidden, name='start_widen')(z, 1.0)
    x = magnitude.leaky_relu(x)
    x = magnitude.Spread(self.group, grid, name='start_spread')(x)
    x = magnitude.leaky_relu(x)
    return magnitude.Linear(widths[0], name='start_narrow')(x)


def _noise(keys, index: int, grid: resnets.Grid):
  """N(0, 1) of a grid for each of the keys [B, 2]: [B, *grid, 1], or None."""
  if keys is None:
    return None

  def picture(data):
    key = jax.random.fold_in(jax.random.wrap_key_data(data), index)
    return jax.random.normal(key, (*grid, 1))

  return jax.vmap(picture)(keys)


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the pooled features."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  depth: int = 4  # blocks for each size
  group: int = 32  # channels of each group of the 3 x 3 convolutions
  expansion: int = 2  # how much wider a block is inside
  num_classes: int = 0
  head: Callable = inner_product.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    del train
    widths = self.widths or resnets.row(self, SIZES, sample.shape[1:]).d
    check_group(self, widths)
    label = parts.check_label(label, self.num_classes)
    first = magnitude.Linear(
      widths[0], pixels=True, dtype=self.dtype, name='image'
    )
    x = first(sample)
    for i, width in enumerate(widths):
      x = resampling.gathered(x, width) if i else x
      variance = jnp.ones(width)
      for k in range(self.depth):
        residual = block(self, self.dtype, f'block_{i}_{k}', noisy=False)
        x, variance = residual(x, variance)
      x = magnitude.divided(x, variance)
    x = resampling.gathered(x, widths[-1]).astype(jnp.float32)
    # A class's vector has length 1, so that its logit has variance 1.
    part = layers(magnitude.unit)
    return parts.apply_head(self, part, self._features(x), label)

  def _features(self, x):
    """[B, h, w, C] -> [B, expansion * C], of the whole grid."""
    hidden = self.expansion * x.shape[-1]
    grid = x.shape[1:3]
    x = magnitude.leaky_relu(magnitude.Linear(hidden, name='end_widen')(x, 1.0))
    own = {'padding': 'VALID', 'name': 'end_gather'}
    x = magnitude.Grouped(self.group, grid, **own)(x)
    return magnitude.leaky_relu(x)[:, 0, 0]
