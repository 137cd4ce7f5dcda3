"""Residual blocks of G, which doubles a grid, and of D, which halves it.

Gulrajani et al. 2017 (https://arxiv.org/abs/1704.00028), appendix F, and Miyato
et al. 2018 (https://arxiv.org/abs/1802.05957), appendix B.4. A shortcut and its
change of size may be done in either order, with the same result; here the one
that works on the smaller grid.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.models.layers import parts, resampling


def conv3(part: parts.Parts, features: int, *, inner=None, **kw) -> nn.Module:
  """A convolution of 3 x 3 that keeps the size."""
  own = {'kernel_init': inner} if inner else {}
  return part.conv(features, kernel_size=(3, 3), strides=(1, 1), **own, **kw)


def conv1(part: parts.Parts, features: int, **kw) -> nn.Module:
  """A linear map of each place's channels."""
  return part.conv(features, kernel_size=(1, 1), strides=(1, 1), **kw)


class Up(nn.Module):
  """G's: norm, ReLU, 3 x 3, norm, ReLU, 3 x 3; doubled before the first."""

  part: parts.Parts
  features: int
  inner: Callable | None = None  # initialiser of the 3 x 3, if not the parts'
  doubles: bool = True
  first_bias: bool = True

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, 2 H, 2 W, features]."""
    part = self.part
    y = nn.relu(part.norm(name='norm_0')(x))
    first = {'use_bias': self.first_bias, 'name': 'conv_0'}
    first['resized'] = 'doubled' if self.doubles else ''
    y = conv3(part, self.features, inner=self.inner, **first)(y)
    y = nn.relu(part.norm(name='norm_1')(y))
    y = conv3(part, self.features, inner=self.inner, name='conv_1')(y)
    if self.doubles or x.shape[-1] != self.features:
      x = conv1(part, self.features, name='shortcut')(x)
    return (resampling.doubled(x) if self.doubles else x) + y


class Down(nn.Module):
  """D's: (norm,) ReLU, 3 x 3, (norm,) ReLU, 3 x 3; halved after the second."""

  part: parts.Parts
  features: int
  inner: Callable | None = None  # initialiser of the 3 x 3, if not the parts'
  halves: bool = True
  first: bool = False  # sees the image: without norm and ReLU before it
  wide: bool = False  # the first 3 x 3 widens, not the second
  first_bias: bool = True

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> [B, H // 2, W // 2, features]."""
    part, y = self.part, x
    hidden = self.features if self.wide or self.first else x.shape[-1]
    if not self.first:
      y = nn.relu(part.norm(name='norm_0')(y))
    first = {'use_bias': self.first_bias, 'name': 'conv_0'}
    y = conv3(part, hidden, inner=self.inner, **first)(y)
    y = nn.relu(part.norm(name='norm_1')(y) if not self.first else y)
    last = {'name': 'conv_1', 'resized': 'halved' if self.halves else ''}
    y = conv3(part, self.features, inner=self.inner, **last)(y)
    x = resampling.halved(x) if self.halves else x
    if self.halves or x.shape[-1] != self.features:
      x = conv1(part, self.features, name='shortcut')(x)
    return x + y
