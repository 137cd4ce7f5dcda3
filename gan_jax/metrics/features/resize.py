"""Resizing pictures for a feature net, as the field's tools do it.

A score depends on the resizing: the same samples have another FID after another
one (Parmar et al., On Aliased Resizing and Surprising Subtleties in GAN
Evaluation, https://arxiv.org/abs/2104.11222).
"""

import functools

import jax.numpy as jnp
import numpy as np
from PIL import Image

from gan_jax.kinds import image
from gan_jax.types import UserError


def to_levels(samples, name: str = 'samples') -> np.ndarray:
  """The pictures as a file would store them: uint8, [-1, 1] -> 0 ... 255.

  The nets were trained on files, and real pictures come from files; generated
  ones are rounded so that both are treated alike.

  Args:
    samples: images [N, H, W, C], uint8 or float in model range, of 1 or 3
      channels.
    name: what to call them in an error.

  Returns:
    uint8 [N, H, W, C].

  Raises:
    UserError: not such images, or NaN or infinity in them.
  """
  x = np.asarray(samples)
  if x.ndim != 4 or x.shape[-1] not in (1, 3):
    raise UserError(
      f'{name}: expected images [N, H, W, 1 or 3], got {list(x.shape)}'
    )
  if x.dtype == np.uint8:
    return x
  # The conversion alone would silently turn them black.
  bad = int((~np.isfinite(x)).any(axis=(1, 2, 3)).sum())
  if bad:
    raise UserError(f'{name}: {bad} of {len(x)} images hold NaN or infinity')
  return image.from_model_range(x)


def tf_bilinear(images, size: int = 299):
  """Resizes as tf.image.resize_bilinear did in TensorFlow 1, and FID's graph.

  Output pixel i lies at i * H / size, without align_corners or half-pixel
  centres: the picture is shifted by a fraction of a pixel, and a shrunken one
  is sampled without a filter.

  Args:
    images: [N, H, W, C], any kind of number.
    size: of both sides of the result.

  Returns:
    float32 [N, size, size, C] on the device, unrounded.
  """
  x = jnp.asarray(images).astype(jnp.float32)
  rows, columns = (_bilinear_matrix(n, size) for n in x.shape[1:3])
  product = functools.partial(jnp.einsum, precision='highest')
  x = product('ih,bhwc->biwc', rows, x)
  return product('jw,biwc->bijc', columns, x)  # [N, size, size, C]


def clean(images, size: int = 299) -> np.ndarray:
  """Resizes as clean-fid does: Pillow's bicubic filter, each channel in float.

  Parmar et al. 2022, https://arxiv.org/abs/2104.11222: antialiased where it
  shrinks, and not rounded to 8 bits.

  Args:
    images: [N, H, W, C], in levels 0 ... 255, which the result is cut to.
    size: of both sides of the result.

  Returns:
    float32 [N, size, size, C].
  """
  x = np.asarray(images).astype(np.float32)
  n, _, _, channels = x.shape
  y = np.empty((n, size, size, channels), np.float32)
  for i in range(n):
    for c in range(channels):
      plane = Image.fromarray(np.ascontiguousarray(x[i, :, :, c]))  # mode F
      y[i, :, :, c] = plane.resize((size, size), Image.Resampling.BICUBIC)
  return np.clip(y, 0, 255)


def none(images, size: int = 299) -> np.ndarray:
  """Pictures that have the right size already, or an error.

  Args:
    images: [N, size, size, C].
    size: of both sides.

  Returns:
    float32 [N, size, size, C].

  Raises:
    UserError: another size.
  """
  x = np.asarray(images)
  if x.shape[1:3] != (size, size):
    raise UserError(
      f'resize=none: expected images of {size} x {size}, '
      f'got {x.shape[1]} x {x.shape[2]}; tf and clean resize them'
    )
  return x.astype(np.float32)


def to_rgb(images):
  """Three channels; grey is repeated. [N, H, W, 1 or 3] -> [N, H, W, 3]."""
  x = jnp.asarray(images)
  return jnp.broadcast_to(x, (*x.shape[:-1], 3))


@functools.lru_cache
def _bilinear_matrix(n, size):
  """Weights [size, n] of the two neighbours of each output pixel."""
  # In float32, as TensorFlow computes the positions of the pixels.
  at = np.arange(size, dtype=np.float32) * np.float32(n / size)
  low = at.astype(np.int64)
  weight = at - low.astype(np.float32)
  rows = np.arange(size)
  matrix = np.zeros((size, n), np.float32)
  matrix[rows, low] = 1 - weight
  matrix[rows, np.minimum(low + 1, n - 1)] += weight
  return matrix
