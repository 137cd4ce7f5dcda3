"""Twenty-five Gaussians on a square grid, a test of mode collapse.

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
  spacing: float = 2.0,
  std: float = 0.05,
) -> Dataset:
  """Draws the points [size, 2]; the label is the mode, 0 ... 24, row by row.

  The default centres are {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}.

  Raises:
    UserError: a size or a scale that is not positive.
  """
  ticks = spacing * np.arange(-2, 3)
  centers = np.stack(np.meshgrid(ticks, ticks), -1).reshape(25, 2)
  return toys.mixture(
    'grid25', 'point', centers, std, size=size, data_seed=data_seed
  )
