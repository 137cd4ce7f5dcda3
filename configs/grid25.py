"""Twenty-five Gaussians on a grid, with the recipe of ring8.

  python -m gan_jax.train --config=configs/grid25.py --workdir=runs/grid25

GRID
"""

from configs import common, ring8


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = ring8.get_config(arg)
  config.data.name = 'grid25'
  return common.finish(config, arg)
