"""Stacked MNIST: three random digits as the channels of one image.

A thousand modes of nearly equal weight, a test of mode collapse. L. Metz et
al., Unrolled GANs (2016), https://arxiv.org/abs/1611.02163; Z. Lin et al.,
PacGAN (2018), https://arxiv.org/abs/1712.04086, who draw 128,000 images from
the 70,000 digits of both splits (split='train+test' here) and score 26,000
samples.
"""

import math

import numpy as np

from gan_jax import types
from gan_jax.data import fingerprint, memory
from gan_jax.datasets import tfds_images
from gan_jax.types import Dataset, UserError


def load(
  *,
  dir: str = '',
  split: str = 'train',
  size: int = 128_000,
  data_seed: int = 0,
  image_size: int = 0,
  memory_mb: float = 1024,
) -> Dataset:
  """Draws three digits for each image, independent and with replacement.

  Only the digits are kept (47 MB as 28x28); the images are put together when
  they are read. Which digits make an image depends only on data_seed and the
  image's row. There are no labels: the thousand modes have no names.

  Args:
    dir: the folder of TFDS's 'mnist', as for tfds_images.
    split: of MNIST: 'train', 'test', 'train+test', 'train[:1000]'.
    size: number of images.
    data_seed: of the draw, apart from the seed of the training.
    image_size: side of the images, 0 = 28.
    memory_mb: the most that the digits may take; above it they are decoded
      again whenever they are read.

  Returns:
    Images [28, 28, 3], uint8; modes = {'channel': the digits of one channel},
    from whose labels a classifier can learn.

  Raises:
    UserError: an option out of range, or MNIST is not prepared there; the
      message says how to prepare it.
  """
  _check_draw(size, data_seed)
  digits = tfds_images.load(
    name='mnist',
    dir=dir,
    split=split,
    image_size=image_size,
    channels=1,
    memory_mb=memory_mb,
  )
  shape = (*digits.shape[:2], 3)
  return Dataset(
    name='stacked_mnist',
    kind='image',
    shape=shape,
    size=size,
    read=_make_read(digits, size, data_seed),
    nbytes=size * math.prod(shape),
    modes={'channel': digits},
    fingerprint=fingerprint.digest(
      'stacked_mnist', digits.fingerprint, size, data_seed
    ),
  )


def describe(*, size: int = 128_000, image_size: int = 0) -> Dataset:
  """What `load` gives, without a digit."""
  _check_draw(size, 0)
  digits = tfds_images.describe(name='mnist', image_size=image_size)
  shape = (*digits.shape[:2], 3)
  return memory.described('stacked_mnist', 'image', shape, size, item=1)


def _check_draw(size, data_seed):
  if not 1 <= size < types.MAX_SIZE:
    raise UserError(
      f'data.size={size}: expected at least 1 image, and fewer than'
      f' {types.MAX_SIZE:,}.'
    )
  if data_seed < 0:
    raise UserError(f'data.data_seed={data_seed}: expected 0 or more.')


def _make_read(digits, size, data_seed):
  rng = np.random.Generator(np.random.PCG64(data_seed))
  triples = rng.integers(digits.size, size=(size, 3), dtype=np.int32)

  def read(rows):
    x = digits.read(triples[rows].reshape(-1))['x']  # [3 n, H, W, 1]
    x = x.reshape(-1, 3, *digits.shape[:2])
    return {'x': np.ascontiguousarray(np.moveaxis(x, 1, -1))}  # [n, H, W, 3]

  return read
