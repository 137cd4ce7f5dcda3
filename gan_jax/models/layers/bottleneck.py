"""The narrow blocks of BigGAN-deep: four convolutions, two of them 3 x 3.

Brock et al. 2019 (https://arxiv.org/abs/1809.11096), appendix B, figure 16. The
shortcut has no weights where it can: it drops channels in G, and in D takes
those that it lacks from a 1 x 1.
"""

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import parts, resampling, residual

NARROW = 4  # how much narrower the 3 x 3 are


class Up(nn.Module):
  """G's: norm and ReLU before each; doubled before the first 3 x 3."""

  part: parts.Parts
  features: int
  doubles: bool = False
  learned: bool = False  # the shortcut is a 1 x 1

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, (2) H, (2) W, features]."""
    part, hidden = self.part, max(x.shape[-1] // NARROW, 1)
    normed = lambda i, y: nn.relu(part.norm(name=f'norm_{i}')(y))
    y = residual.conv1(part, hidden, name='conv_0')(normed(0, x))
    own = {'name': 'conv_1', 'resized': 'doubled' if self.doubles else ''}
    y = residual.conv3(part, hidden, **own)(normed(1, y))
    y = residual.conv3(part, hidden, name='conv_2')(normed(2, y))
    y = residual.conv1(part, self.features, name='conv_3')(normed(3, y))
    if self.learned or x.shape[-1] < self.features:
      x = residual.conv1(part, self.features, name='shortcut')(x)
    x = x[..., : self.features]
    return (resampling.doubled(x) if self.doubles else x) + y


class Down(nn.Module):
  """D's: a ReLU before each; halved before the last 1 x 1."""

  part: parts.Parts
  features: int
  halves: bool = False
  learned: bool = False  # the shortcut is a 1 x 1 where it changes a size

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, H (// 2), W (// 2), features]."""
    part, hidden = self.part, max(self.features // NARROW, 1)
    resized = resampling.halved if self.halves else lambda x: x
    normed = lambda i, y: nn.relu(part.norm(name=f'norm_{i}')(y))
    y = residual.conv1(part, hidden, name='conv_0')(normed(0, x))
    y = residual.conv3(part, hidden, name='conv_1')(normed(1, y))
    y = residual.conv3(part, hidden, name='conv_2')(normed(2, y))
    y = resized(normed(3, y))
    y = residual.conv1(part, self.features, name='conv_3')(y)
    return self._shortcut(resized(x)) + y

  def _shortcut(self, x):
    lacks = self.features - x.shape[-1]
    if lacks < 0 or self.learned and (lacks or self.halves):
      return residual.conv1(self.part, self.features, name='shortcut')(x)
    if not lacks:
      return x
    more = residual.conv1(self.part, lacks, name='shortcut')(x)
    return jnp.concatenate([x, more], axis=-1)
