"""The samples themselves as features: no weights, no notion of content."""

import numpy as np

from gan_jax.metrics.features import base
from gan_jax.types import UserError

# Covariances of more than some 3,000 dimensions take minutes to decompose.
MAX_SIDE = 32


def extract(samples, *, shrink: int = 1) -> np.ndarray:
  """Flattens samples in model range: images in [-1, 1].

  Args:
    samples: [N, ...], float in model range or uint8.
    shrink: images [N, H, W, C] are averaged over squares of this side first.

  Returns:
    float32 [N, D].

  Raises:
    UserError: an array without a batch axis, or a size that `shrink` does not
      divide.
  """
  x = base.to_model_range(samples)
  if x.ndim < 2:
    raise UserError(f'pixels: expected samples [N, ...], got {list(x.shape)}')
  if shrink > 1:
    x = _average(x, shrink)
  return x.reshape(len(x), -1)  # [N, D]


def load(shape: tuple[int, ...]) -> base.Features:
  """Pixels as a feature net; large images are averaged down to 32 x 32.

  Args:
    shape: of one sample, (H, W, C) or (D,).

  Returns:
    Features whose hash names the averaging.
  """
  shrink = _shrink(shape)
  return base.Features(
    name='pixels',
    hash=f'average_{shrink}x{shrink}' if shrink > 1 else 'as_they_are',
    apply=lambda samples: base.Seen(extract(samples, shrink=shrink)),
  )


def _shrink(shape):
  """The smallest side of square that divides the image and makes it fit."""
  if len(shape) != 3 or max(shape[:2]) <= MAX_SIDE:
    return 1
  height, width = shape[:2]
  fits = (
    s
    for s in range(2, min(height, width) + 1)
    if height % s == width % s == 0 and max(height, width) // s <= MAX_SIDE
  )
  return next(fits, 1)


def _average(x, side):
  if x.ndim != 4 or x.shape[1] % side or x.shape[2] % side:
    raise UserError(f'pixels: {list(x.shape[1:])} cannot be shrunk by {side}')
  n, height, width, channels = x.shape
  x = x.reshape(n, height // side, side, width // side, side, channels)
  return x.mean(axis=(2, 4))  # [N, H / side, W / side, C]
