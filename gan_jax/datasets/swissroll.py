"""A rolled-up curve in the plane with noise: density without modes.

I. Gulrajani et al., Improved Training of Wasserstein GANs (2017),
https://arxiv.org/abs/1704.00028, figure 1b.
"""

import numpy as np

from gan_jax.data import memory, toys
from gan_jax.types import Dataset


def load(
  *, size: int = 100_000, data_seed: int = 0, std: float = 1 / 30
) -> Dataset:
  """Draws the points [size, 2], unlabelled.

  With t = 1.5 pi (1 + 2 u), u uniform in [0, 1]:
  (t cos t, t sin t) / 7.5 plus Gaussian noise of that std; the outermost
  radius is 1.88.

  Raises:
    UserError: a size or a scale that is not positive.
  """
  rng = toys.generator(size=size, data_seed=data_seed, std=std)
  t = 1.5 * np.pi * (1 + 2 * rng.random(size))[:, None]  # [N, 1]
  curve = np.concatenate([t * np.cos(t), t * np.sin(t)], -1) / 7.5  # [N, 2]
  x = curve + std * rng.standard_normal((size, 2))
  return memory.from_arrays('swissroll', 'point', x.astype(np.float32))
