"""Residual networks with the gradient penalty of a critic: WGAN-GP.

  python -m gan_jax.train --config=wgan_gp:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/wgan_gp

| variant | published | our own |
|---|---|---|
| cifar10 | IS 7.86 | unverified |
| lsun64 | pictures only | unverified |
| digits | none | fid 3.28, class_coverage 1 |

Published: Gulrajani et al. 2017 (https://arxiv.org/abs/1704.00028), table 3,
for the networks and constants of the code published with it. Left out of it:
twice as many samples for an update of G, and noise below a pixel's level on
the reals.
Hardware and time: meant for one GPU or TPU; digits: see common.DIGITS, 1.5 min
of one core of a CPU.
"""

from configs import common

BASE = {
  'model': {'name': 'sngan', 'g': {}, 'd': {}},
  'loss': {'name': 'wasserstein'},
  'penalties': {'gradient_penalty': {'weight': 10.0}},
  'latent': {'dim': 128},
  'ema': {'halflife_kimg': 0.0},
  'd_steps': 5,
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
VARIANTS = {
  'cifar10': {
    'data': {'name': 'cifar10', 'dir': ''},
    'model': {
      'g': {'widths': (128,) * 4},
      'd': {'norm': 'none', 'pool': 'mean'},
    },
    'steps': 100_000,
  },
  'lsun64': {
    'data': {'name': 'lsun/bedroom', 'dir': '', 'image_size': 64},
    'model': {
      'g': {'widths': (512, 512, 256, 128, 64), 'first_bias': False},
      'd': {
        'widths': (64, 128, 256, 512, 512),
        'halvings': 4,
        'stem': True,
        'pool': 'none',
        'norm': 'layer',
        'first_bias': False,
      },
    },
    'steps': 200_000,
  },
  'digits': common.DIGITS
  | {
    'model': {
      'g': {'widths': (32,) * 3},
      'd': {'widths': (32,) * 3, 'norm': 'none', 'pool': 'mean'},
    },
    'latent': {'dim': 32},
    'd_steps': 2,
    'steps': 1000,
  },
}
RATES = {'lsun64': 1e-4, 'digits': 1e-3}  # cifar10's is 2e-4
TINY = {
  'g': {'widths': (4, 4)},
  'd': {'widths': (4, 4), 'halvings': 1},
}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  config = common.family(arg, VARIANTS, base=BASE, tiny=TINY)
  at_64 = arg.startswith('lsun64')
  rate = RATES.get(arg.partition(':')[0], 2e-4)
  for player, times in (('g', 1), ('d', config.d_steps)):
    own = common.adam(rate, b1=0.0, b2=0.9)
    if not at_64:
      own['schedule'] = common.to_zero(times * config.steps)
    config.optim[player] = own
  return config
