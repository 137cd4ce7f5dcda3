"""Images of CIFAR-10's shape and type; speed does not ask what they show."""

import numpy as np

from gan_jax.data import memory
from gan_jax.types import Dataset


def load(*, size: int = 10_000, image_size: int = 32) -> Dataset:
  """Draws uint8 images [size, image_size, image_size, 3], without labels."""
  rng = np.random.Generator(np.random.PCG64(0))
  x = rng.integers(0, 256, (size, image_size, image_size, 3), np.uint8)
  return memory.from_arrays('synthetic', 'image', x, None)
