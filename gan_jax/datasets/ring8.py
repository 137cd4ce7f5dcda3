"""Eight Gaussians on a circle, the classic test of mode collapse.

A. Srivastava et al., VEEGAN (2017), https://arxiv.org/abs/1705.07761,
section 4.1; Z. Lin et al., PacGAN (2018), https://arxiv.org/abs/1712.04086.
"""

import numpy as np

from gan_jax.data import toys
from gan_jax.types import Dataset


def load(
  *,
  size: int = 100_000,
  data_seed: int = 0,
  radius: float = 1.0,
  std: float = 0.01,
) -> Dataset:
  """Draws the points [size, 2]; the label is the mode, 0 ... 7.

  Raises:
    UserError: a size or a scale that is not positive.
  """
  # endpoint=False: with both ends of the circle there would be seven modes.
  angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
  centers = radius * np.stack([np.cos(angle), np.sin(angle)], -1)  # [8, 2]
  return toys.mixture(
    'ring8', 'point', centers, std, size=size, data_seed=data_seed
  )
