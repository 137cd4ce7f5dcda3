"""Colours changed by affine maps: Karras et al. 2020, appendix B.2.

https://arxiv.org/abs/2006.06676. All transforms of a sample are one matrix.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.augment.shared import affine
from gan_jax.augment.shared.draws import normal, power_of_two, uniform, whole

CHANNELS = (1, 3)  # of images that have such colours
# Gray, as a direction in homogeneous colours.
LUMA = np.array([1, 1, 1, 0], np.float32) / np.float32(3**0.5)
_GRAY = np.outer(LUMA, LUMA)
_ONE = np.eye(4, dtype=np.float32)
# Turns by a quarter about gray, of what is no gray: the cross product.
_QUARTER = np.zeros((4, 4), np.float32)
_QUARTER[:3, :3] = np.cross(LUMA[:3], np.eye(3, dtype=np.float32)).T


def matrix(draw: Callable, *, channels: int) -> jax.Array:
  """What all transforms do to a colour (r, g, b, 1), [4, 4].

  Args:
    draw: see draws.Draws.
    channels: of the image; hue and saturation are for three.
  """
  bright = draw('brightness', normal(0.2), 0)
  contrast = draw('contrast', power_of_two(0.5), 1)
  flipped = draw('lumaflip', whole(2), 0)
  steps = [_shift(bright), _contrast(contrast), _ONE - 2 * flipped * _GRAY]
  if channels == 3:
    steps.append(_turn(draw('hue', uniform(-np.pi, np.pi), 0)))
    vivid = draw('saturation', power_of_two(1.0), 1)
    steps.append(_GRAY + vivid * (_ONE - _GRAY))
  return affine.product(*steps[::-1])


def _shift(by):
  return jnp.asarray(_ONE).at[:3, 3].set(by)


def _contrast(by):
  return jnp.diag(jnp.concatenate([jnp.stack([by] * 3), jnp.ones(1)]))


def _turn(angle):
  """Rodrigues' formula about gray."""
  c, s = jnp.cos(angle), jnp.sin(angle)
  fixed = _GRAY + np.diag(np.float32([0, 0, 0, 1]))
  return fixed + c * (_ONE - fixed) + s * _QUARTER


def change(x: jax.Array, by: jax.Array) -> jax.Array:
  """An image [H, W, C] in other colours; gray by the mean of the three rows."""
  if x.shape[-1] == 1:
    row = by[:3].mean(axis=0)  # [4]
    return x * row[:3].sum() + row[3]
  how = {'precision': affine.HIGHEST}
  turned = jnp.einsum('ij,hwj->hwi', by[:3, :3], x, **how)
  return turned + by[:3, 3][None, None]
