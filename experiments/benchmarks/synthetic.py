"""Images of CIFAR-10's type; speed does not ask what they show."""

import numpy as np

from gan_jax.data import memory
from gan_jax.types import Dataset


def load(
  *, size: int = 10_000, image_size: int = 32, classes: int = 0
) -> Dataset:
  """Draws uint8 images [size, image_size, image_size, 3].

  Args:
    size: how many.
    image_size: pixels.
    classes: of their labels; 0 is no labels.
  """
  rng = np.random.Generator(np.random.PCG64(0))
  x = rng.integers(0, 256, (size, image_size, image_size, 3), np.uint8)
  label = rng.integers(0, classes, size) if classes else None
  names = tuple(map(str, range(classes)))
  return memory.from_arrays('synthetic', 'image', x, label, class_names=names)
