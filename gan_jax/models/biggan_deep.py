"""BigGAN-deep: A. Brock et al., Large scale GAN training for high fidelity
natural image synthesis.

2019, https://arxiv.org/abs/1809.11096, appendix B, tables 7 to 9: two narrow
blocks for each size in G and in D. The latent is not cut: with the class's
embedding it makes the first grid and tells every norm its scales and shifts.
Features are summed over the pixels, as in the authors' code, not averaged.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models import biggan
from gan_jax.models.layers import bottleneck, norms, parts, residual, resnets

KINDS = ('image',)  # of samples
TRUNCATION = biggan.TRUNCATION
Row = resnets.Row
SIZES = {  # in units; D's first is its input's
  32: Row((4, 4, 4, 4), (4, 4, 4, 4), 2),
  64: Row((16, 8, 4, 2, 1), (1, 2, 4, 8, 16), 4),
  128: Row((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5),
  256: Row((16, 16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6),
  512: Row((16, 16, 8, 8, 4, 2, 1, 1), (1, 1, 2, 4, 8, 8, 16, 16), 7),
}


class Generator(nn.Module):
  """Latent vectors to images in [-1, 1]."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  unit: int = 128  # channels
  widths: tuple[
    int, ...
  ] = ()  # units, coarse to fine; () is sized to the image
  depth: int = 2  # blocks for each size
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  shared: int = 128  # of the classes' embedding
  learned_shortcut: bool = False
  norm: str = 'spectral+batch'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = biggan.LARGEST  # () is the largest grid of at most so many rows

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, W, C] float32 of z [B, Z] and label [B]."""
    widths = self.widths or resnets.row(self, SIZES, self.shape).g
    grids = resnets.doubled_grids(self.shape, len(widths) - 1)
    label = parts.check_label(label, self.num_classes)
    plain = biggan.layers(self, train)
    z = biggan.beside(biggan.classes(self, label), z)
    part = plain.modulated(norms.by_vector(plain.dense, z))
    up = functools.partial(bottleneck.Up, part, learned=self.learned_shortcut)
    stages = [
      [
        *(
          up(self.unit * n, name=f'block_{i}_{k}')
          for k in range(self.depth - 1)
        ),
        up(self.unit * m, doubles=True, name=f'block_{i}_{self.depth - 1}'),
      ]
      for i, (n, m) in enumerate(itertools.pairwise(widths))
    ]
    x = resnets.start(part, z, grid=grids[0], width=self.unit * widths[0])
    x = resnets.passed(part, x, stages, resnets.attending(self, grids))
    return resnets.image(part, x, self.shape)


class Discriminator(nn.Module):
  """Images to logits; the head compares a label with the sum over pixels."""

  unit: int = 128  # channels
  widths: tuple[
    int, ...
  ] = ()  # units, fine to coarse; () is sized to the image
  halvings: int = 0  # how many stages halve, the first ones; 0 is sized
  depth: int = 2  # blocks for each size
  attention: tuple[int, ...] = ()  # rows of the grids that attend
  learned_shortcut: bool = False
  norm: str = 'spectral'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32
  ATTENDS = biggan.LARGEST  # () is the largest grid of at most so many rows

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    sized = resnets.row(self, SIZES, sample.shape[1:])
    widths = self.widths or sized.d
    halvings = self.halvings or min(sized.halvings, len(widths) - 1)
    grids = resnets.halved_grids(sample.shape[1:], halvings)
    label = parts.check_label(label, self.num_classes)
    part = biggan.layers(self, train)
    down = functools.partial(
      bottleneck.Down, part, learned=self.learned_shortcut
    )
    stages = [
      [
        down(
          self.unit * n, halves=i < halvings and k == 0, name=f'block_{i}_{k}'
        )
        for k in range(self.depth)
      ]
      for i, n in enumerate(widths[1:])
    ]
    x = residual.conv3(part, self.unit * widths[0], name='stem')(sample)
    x = resnets.passed(part, x, stages, resnets.attending(self, grids))
    return parts.apply_head(self, part, nn.relu(x).sum((1, 2)), label)
