"""The residual networks of SNGAN, and with other options of WGAN-GP.

T. Miyato et al., Spectral normalization for generative adversarial networks
(2018), https://arxiv.org/abs/1802.05957, tables 4 to 6, with the projection
head and conditional batch norm of Miyato and Koyama 2018
(https://arxiv.org/abs/1802.05637). I. Gulrajani et al. 2017
(https://arxiv.org/abs/1704.00028), appendix F, is the same with G half as wide
and D without spectral norm, whose features are means.

Any size from 8 to 256 pixels, also not square: the first grid of G is the
image, halved as often as G doubles it.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import parts, residual, resnets
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
Row = resnets.Row
SIZES = {  # the row of 256's D is ours: the paper has no such
  32: Row((256,) * 4, (128,) * 4, 2),
  48: Row((512, 256, 128, 64), (64, 128, 256, 512, 1024), 4),
  64: Row((1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), 5),
  128: Row((1024, 1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024, 1024), 5),
  256: Row(
    (1024, 1024, 512, 512, 256, 128, 64),
    (64, 128, 256, 512, 512, 1024, 1024),
    6,
  ),
}
POOLS = {
  'sum': lambda x: nn.relu(x).sum((1, 2)),
  'mean': lambda x: nn.relu(x).mean((1, 2)),
  'none': lambda x: x.reshape(x.shape[0], -1),  # nor a ReLU
}


def ignored(options: dict) -> str:
  """The option of config.model that has no effect beside the others, or ''."""
  g = options.get('g', {})
  if 'modulation' in g and not parts.normalises(g.get('norm', 'batch')):
    return 'g.modulation'
  return ''


def layers(net: nn.Module, train) -> parts.Parts:
  """The layers of a network: Glorot's weights, the norms' epsilon of 2e-5."""
  return resnets.parts_of(net, train=train, init=resnets.GLOROT, epsilon=2e-5)


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1]."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the image
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  norm: str = 'batch'
  modulation: str = 'class'  # see parts.modulated
  first_bias: bool = True  # of the first convolution of a block
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = 0  # the most rows of a grid that attends where () is sized

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    sized = resnets.row(self, SIZES, self.shape)
    widths = self.widths or sized.g
    grids = resnets.doubled_grids(self.shape, len(widths) - 1)
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    part, z = parts.modulated(self, part, z, label)
    up = functools.partial(
      residual.Up, part, inner=resnets.RELU_INIT, first_bias=self.first_bias
    )
    stages = [
      [up(width, name=f'block_{i}')] for i, width in enumerate(widths[1:])
    ]
    x = resnets.start(part, z, grid=grids[0], width=widths[0])
    x = resnets.passed(part, x, stages, resnets.attending(self, grids))
    return resnets.image(part, x, self.shape)


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the pooled features."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  halvings: int = 0  # how many blocks halve, the first ones; 0 is sized
  stem: bool = False  # a 3 x 3 convolution before the first block
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  pool: str = 'sum'  # see POOLS
  norm: str = 'spectral'
  first_bias: bool = True  # of the first convolution of a block
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = 0  # the most rows of a grid that attends where () is sized

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    if self.pool not in POOLS:
      raise UserError(f"pool '{self.pool}': expected one of {', '.join(POOLS)}")
    sized = resnets.row(self, SIZES, sample.shape[1:])
    widths = self.widths or sized.d
    halvings = self.halvings or min(sized.halvings, len(widths))
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    x = sample
    if self.stem:
      x = residual.conv3(part, widths[0], name='stem')(x)
    down = functools.partial(
      residual.Down, part, inner=resnets.RELU_INIT, first_bias=self.first_bias
    )
    first = lambda i: i == 0 and not self.stem
    stages = [
      [down(n, halves=i < halvings, first=first(i), name=f'block_{i}')]
      for i, n in enumerate(widths[self.stem :])
    ]
    grids = resnets.halved_grids(sample.shape[1:], halvings)
    x = resnets.passed(part, x, stages, resnets.attending(self, grids))
    x = POOLS[self.pool](x)
    return parts.apply_head(self, part, x, label)
