"""A random quadratic game: curvature that attracts against coupling that turns.

  python -m gan_jax.train --config=configs/quadratic.py --workdir=runs/quadratic
  python -m gan_jax.spectrum --workdir=runs/quadratic

Hardware and time: 2 shared x86-64 cores, seconds. `fid` is the squared distance
of G's point from where the game is at rest. Expected: it arrives; with a
curvature below 0 it does not.
"""

from configs import bilinear


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = bilinear.toy('quadratic', dim=8)
  config.loss.name = 'wasserstein'
  config.model.d = {
    'g_curvature': 0.1,
    'd_curvature': 0.1,
    'coupling': 1.0,
    'matrix_seed': 0,
  }
  return bilinear.finish(config, arg)
