"""The bilinear game x^T A y: no data, no networks, all about dynamics.

  python -m gan_jax.train --config=configs/bilinear.py --workdir=runs/bilinear
  python -m gan_jax.spectrum --workdir=runs/bilinear

Hardware and time: 2 shared x86-64 cores, seconds. `fid` is the squared distance
of G's point from where the game is at rest. Expected: `alternating` goes round,
`simultaneous` drifts away, `--config.dynamics.name=extragradient` arrives.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = toy('bilinear', dim=2)
  config.loss.name = 'wasserstein'
  config.model.d = {'matrix': 'identity', 'matrix_seed': 0, 'size': 0}
  return finish(config, arg)


def toy(model: str, *, dim: int):
  """What games share whose networks are mere parameters."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'dirac', 'dim': dim},
      'model': {'name': model},
      'steps': 2000,
      'batch_size': 8,  # all alike
      'report_every': 100,
      'save_every': 500,
      'eval_every': 0,
      'eval_samples': 64,
      'metrics': ('fid',),
      'ema': {'halflife_kimg': 0.0},
    }
  )
  config.latent.dim = 1
  for player in 'gd':
    config.optim[player] = {
      'name': 'sgd',
      'learning_rate': 0.1,
      'schedule': {},
      'clip_norm': 0.0,
    }
  return config


def finish(config, arg):
  """Checks the argument, 'tiny' or none."""
  if arg == 'tiny':
    common.shrink(config)
    config.latent.dim = 1
  return common.finish(config, arg)
