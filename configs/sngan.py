"""Residual networks with spectral norm in D: SNGAN, and cGANs by projection.

  python -m gan_jax.train --config=sngan:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/sngan

| variant | published | our own |
|---|---|---|
| cifar10 | FID 16.77, IS 7.97 | unverified |
| cifar10_conditional | FID 10.84, IS 8.25 | unverified |
| stl10 | FID 39.56, IS 8.04 | unverified |
| celeba64 | FID 5.71 | unverified |
| imagenet128 | FID 27.62, IS 36.8 | unverified |
| digits | none | fid 3.93, class_coverage 1 |

Published for the first four: mimicry's README, 50,000 fakes against 50,000
training images, TensorFlow's Inception; for ImageNet: Miyato and Koyama 2018
(https://arxiv.org/abs/1802.05637), table 1, 450,000 steps. The authors draw
twice as many samples for an update of G as for one of D (128 and 64); here, as
in mimicry, it is the same number. With --config.conditional=True
both networks of celeba64 are told of the 40 attributes of a face, 0 or 1.
Hardware and time: meant for one GPU or TPU; digits: see common.DIGITS, 2.3 min
of one core of a CPU.
"""

from configs import common

BASE = {
  'model': {'name': 'sngan', 'g': {}, 'd': {}},
  'loss': {'name': 'hinge'},
  'latent': {'dim': 128},
  'ema': {'halflife_kimg': 0.0},
  'd_steps': 5,
  'steps': 100_000,
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
LABELLED = {'conditional': True}
VARIANTS = {
  'cifar10': {'data': {'name': 'cifar10', 'dir': ''}},
  'cifar10_conditional': {'data': {'name': 'cifar10', 'dir': ''}} | LABELLED,
  'stl10': {
    'data': {
      'name': 'stl10', 'dir': '', 'split': 'unlabelled', 'image_size': 48,
    },
  },
  'celeba64': {'data': {'name': 'celeb_a', 'dir': '', 'image_size': 64}},
  'imagenet128': {
    'data': {'name': 'imagenet2012', 'dir': '', 'image_size': 128},
    'steps': 450_000,
  }
  | LABELLED,
  'digits': common.DIGITS | {
    'model': dict.fromkeys('gd', {'widths': (32,) * 3}),
    'latent': {'dim': 32},
    'd_steps': 1,
    'steps': 3000,
  },
}  # fmt: skip
DECAYS_AFTER = {'imagenet128': 400_000}  # steps; the others at once
RATES = {'digits': 1e-3}  # the others 2e-4
TINY = dict.fromkeys('gd', {'widths': (4, 4)})


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  config = common.family(arg, VARIANTS, base=BASE, tiny=TINY)
  begin = DECAYS_AFTER.get(arg, 0)
  rate = RATES.get(arg, 2e-4)
  for player, times in (('g', 1), ('d', config.d_steps)):
    schedule = common.to_zero(times * config.steps, after=times * begin)
    config.optim[player] = common.adam(rate, b1=0.0, b2=0.9) | {
      'schedule': schedule
    }
  return config
