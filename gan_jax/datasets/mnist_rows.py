"""MNIST as series: 28 moments, the rows from above, of 28 columns.

C. Esteban et al. (2017), https://arxiv.org/abs/1706.02633, section 5.3.
"""

from gan_jax.data import fingerprint
from gan_jax.datasets import tfds_images
from gan_jax.types import Dataset

SIDE = 28
ABOUT = {'low': [0.0] * SIDE, 'high': [255.0] * SIDE}


def load(
  *, dir: str = '', split: str = 'train', memory_mb: float = 1024
) -> Dataset:
  """Reads the digits that TFDS has prepared, row by row.

  Args:
    dir: the folder of TFDS's 'mnist', as for tfds_images.
    split: 'train', 'test', 'train[:1000]', 'train+test'.
    memory_mb: the most that the digits may take; above it they are decoded
      again whenever they are read.

  Raises:
    UserError: MNIST is not prepared there; the message says how to prepare it.
  """
  digits = tfds_images.load(
    name='mnist', dir=dir, split=split, channels=1, memory_mb=memory_mb
  )

  def read(rows):
    batch = digits.read(rows)
    return {**batch, 'x': batch['x'][..., 0]}  # [n, 28, 28] uint8

  return digits._replace(
    name='mnist_rows',
    kind='series',
    shape=digits.shape[:2],
    read=read,
    fingerprint=fingerprint.digest('mnist_rows', digits.fingerprint),
    about=ABOUT,
  )


def describe() -> Dataset:
  """What `load` gives, without a digit."""
  digits = tfds_images.describe(name='mnist')
  return digits._replace(
    name='mnist_rows', kind='series', shape=digits.shape[:2], about=ABOUT
  )
