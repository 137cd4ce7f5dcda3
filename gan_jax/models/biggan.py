"""BigGAN: A. Brock et al., Large scale GAN training for high fidelity natural
image synthesis.

2019, https://arxiv.org/abs/1809.11096, appendix B, tables 4 to 6. Every weight
is orthogonal at first and under spectral norm, but for the classes' embedding.
The latent is cut into parts of like length: the first makes the first grid, one
each tells a block, beside the class's embedding, what scales and shifts its
norms have.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import blocks, norms, parts, residual, resnets
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
Row = resnets.Row
TRUNCATION = 'resample'  # of latents, as published
ORTHOGONAL = nn.initializers.orthogonal()
LARGEST = 64  # rows of the grid that attends, where the image is larger
SIZES = {  # in units
  32: Row((4, 4, 4, 4), (4, 4, 4, 4), 2),
  64: Row((16, 16, 8, 4, 2), (1, 2, 4, 8, 16), 4),
  128: Row((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5),
  256: Row((16, 16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6),
  512: Row((16, 16, 8, 8, 4, 2, 1, 1), (1, 1, 2, 4, 8, 8, 16, 16), 7),
}


def ignored(options: dict) -> str:
  """The option of config.model that has no effect beside the others, or ''."""
  g = options.get('g', {})
  for option in ('hierarchical', 'shared'):
    if option in g and not parts.normalises(g.get('norm', 'batch')):
      return f'g.{option}'
  return ''


def layers(net: nn.Module, train) -> parts.Parts:
  """The layers of a network."""
  return resnets.parts_of(net, train=train, init=ORTHOGONAL)


def classes(net: nn.Module, label):
  """The classes' embedding [B, shared] that all norms share, without a norm.

  Args:
    net: has `shared`, `num_classes` and `dtype`.
    label: [B], or None, of which there is none.
  """
  if label is None or not net.shared:
    return None
  own = {'dtype': net.dtype, 'init': ORTHOGONAL}
  return blocks.Embed(net.num_classes, net.shared, name='embed', **own)(label)


def beside(*vectors):
  """Those vectors [B, n] that there are, as one; None where there is none."""
  there = [v for v in vectors if v is not None]
  return jnp.concatenate(there, axis=-1) if there else None


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1]."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  unit: int = 96  # channels
  widths: tuple[
    int, ...
  ] = ()  # units, coarse to fine; () is sized to the image
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  hierarchical: bool = True  # each block has a part of the latent
  shared: int = 128  # of the classes' embedding; 0 is a table for each norm
  norm: str = 'spectral+batch'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = LARGEST  # () is the largest grid of at most so many rows

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    widths = self.widths or resnets.row(self, SIZES, self.shape).g
    grids = resnets.doubled_grids(self.shape, len(widths) - 1)
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    z, modulations = self._told(part, z, label, len(widths) - 1)
    stages = [
      [residual.Up(part.modulated(by), self.unit * width, name=f'block_{i}')]
      for i, (width, by) in enumerate(zip(widths[1:], modulations, strict=True))
    ]
    x = resnets.start(part, z, grid=grids[0], width=self.unit * widths[0])
    x = resnets.passed(part, x, stages, resnets.attending(self, grids))
    return resnets.image(part, x, self.shape)

  def _told(self, part, z, label, count):
    """What the first layer sees of z, and a modulation for each block."""
    if not part.has_norm:
      z = parts.with_class(part.embed, z, label, self.num_classes)
      return z, [None] * count
    first, each = z, [None] * count
    if self.hierarchical:
      length = z.shape[-1] // (count + 1)
      if not length:
        raise UserError(
          f'latent.dim={z.shape[-1]}: a hierarchical BigGAN of {count} blocks'
          f' cuts it into {count + 1} parts.'
        )
      first, *each = jnp.split(
        z, [z.shape[-1] - i * length for i in range(count, 0, -1)], axis=-1
      )
    shared = classes(self, label)
    if label is not None and not self.shared:
      table = functools.partial(blocks.Embed, dtype=self.dtype)
      by = norms.by_class(table, label, self.num_classes, spread=0.0)
      return first, [by] * count
    vectors = [beside(shared, own) for own in each]
    return first, [
      None if v is None else norms.by_vector(part.dense, v) for v in vectors
    ]


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the sum over pixels."""

  unit: int = 96  # channels
  widths: tuple[
    int, ...
  ] = ()  # units, fine to coarse; () is sized to the image
  halvings: int = 0  # how many blocks halve, the first ones; 0 is sized
  wide: bool = True  # the first convolution of a block widens, not the second
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  norm: str = 'spectral'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = LARGEST  # () is the largest grid of at most so many rows

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    sized = resnets.row(self, SIZES, sample.shape[1:])
    widths = self.widths or sized.d
    halvings = self.halvings or min(sized.halvings, len(widths))
    grids = resnets.halved_grids(sample.shape[1:], halvings)
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    down = functools.partial(residual.Down, part, wide=self.wide)
    stages = [
      [
        down(
          self.unit * n, halves=i < halvings, first=i == 0, name=f'block_{i}'
        )
      ]
      for i, n in enumerate(widths)
    ]
    x = resnets.passed(part, sample, stages, resnets.attending(self, grids))
    return parts.apply_head(self, part, nn.relu(x).sum((1, 2)), label)
