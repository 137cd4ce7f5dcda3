"""SAGAN: residual networks with spectral norm in both players and attention.

  python -m gan_jax.train --config=sagan:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/sagan

| variant | published | our own |
|---|---|---|
| cifar10 | FID 10.35, IS 8.64 | unverified |
| imagenet128 | FID 18.65, IS 52.52 | unverified |
| digits | none | fid 11.2, class_coverage 1 |

Published: for CIFAR-10 PyTorch-StudioGAN, 50,000 fakes against the training
images, with its constants; for ImageNet Zhang et al. 2019
(https://arxiv.org/abs/1805.08318), table 3. Both see the labels.
Hardware and time: meant for one GPU, and for several GPUs or a TPU slice;
digits: see common.DIGITS, 2.1 min of one core of a CPU.
"""

from configs import common

BASE = {
  'model': {'name': 'sagan', 'g': {}, 'd': {}},
  'conditional': True,
  'loss': {'name': 'hinge'},
  'latent': {'dim': 128},
  'ema': {'halflife_kimg': 0.0},
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
VARIANTS = {
  'cifar10': {
    'data': {'name': 'cifar10', 'dir': '', 'flip': True},
    'optim': dict.fromkeys('gd', common.adam(2e-4, b1=0.5)),
    'd_steps': 5,
    'steps': 100_000,
  },
  'imagenet128': {
    'data': {'name': 'imagenet2012', 'dir': '', 'image_size': 128},
    'optim': {
      'g': common.adam(1e-4, b1=0.0, b2=0.9),
      'd': common.adam(4e-4, b1=0.0, b2=0.9),
    },
    'batch_size': 256,
    'steps': 1_000_000,
  },
  'digits': common.DIGITS
  | {
    'model': dict.fromkeys('gd', {'widths': (32,) * 3, 'attention': (4,)}),
    'latent': {'dim': 32},
    'optim': dict.fromkeys('gd', common.adam(1e-3, b1=0.5)),
    'steps': 1500,
  },
}
TINY = dict.fromkeys('gd', {'widths': (8, 8)})


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
