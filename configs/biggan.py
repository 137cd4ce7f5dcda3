"""BigGAN: wide residual networks, a latent in parts, large batches.

  python -m gan_jax.train --config=biggan:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/biggan

| variant | published | our own |
|---|---|---|
| cifar10 | FID 4.16, IS 9.96 | unverified |
| imagenet64 | none | unverified |
| imagenet128 | FID 8.7, IS 98.8 | unverified |
| imagenet256 | not checked here | unverified |
| digits | none | fid 22.5, class_coverage 1 |

Published: for CIFAR-10 PyTorch-StudioGAN, 50,000 fakes against the training
images, with its constants; for ImageNet Brock et al. 2019
(https://arxiv.org/abs/1809.11096). The averages begin
after 1,000 and 20,000 steps there; here they forget their beginning by
`ema.rampup`. The orthogonal penalty of the paper (1e-4) is left out, as in the
code that its first author published.
Hardware and time: meant for one GPU, and for a TPU slice; digits: see
common.DIGITS, 1.9 min of one core of a CPU.
"""

from configs import common


def average(batch_size: int) -> dict:
  """A moving average that keeps .9999 of itself in a step."""
  return {'halflife_kimg': batch_size * 6.931}


IMAGENET = {
  'batch_size': 2048,
  'optim': {
    'g': common.adam(1e-4, b1=0.0, eps=1e-6),
    'd': common.adam(4e-4, b1=0.0, eps=1e-6),
  },
  'ema': average(2048),
  'steps': 150_000,
}
BASE = {
  'model': {'name': 'biggan', 'g': {}, 'd': {}},
  'conditional': True,
  'loss': {'name': 'hinge'},
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}


def imagenet(size: int, latent: int) -> dict:
  """The variant for ImageNet at that size."""
  data = {'name': 'imagenet2012', 'dir': '', 'image_size': size, 'flip': True}
  return IMAGENET | {'data': data, 'latent': {'dim': latent}}


VARIANTS = {
  'cifar10': {
    'data': {'name': 'cifar10', 'dir': '', 'flip': True},
    'model': {'d': {'unit': 48}},
    'latent': {'dim': 80},
    'optim': dict.fromkeys('gd', common.adam(2e-4, b1=0.5)),
    'ema': average(64),
    'd_steps': 5,
    'steps': 100_000,
  },
  'imagenet64': imagenet(64, 120),
  'imagenet128': imagenet(128, 120),
  'imagenet256': imagenet(256, 140),
  'digits': common.DIGITS
  | {
    'model': {
      'g': {'unit': 32, 'widths': (1, 1, 1), 'shared': 32, 'attention': (4,)},
      'd': {'unit': 32, 'widths': (1, 1, 1), 'attention': (4,)},
    },
    'latent': {'dim': 48},
    'optim': dict.fromkeys('gd', common.adam(1e-3, b1=0.5)),
    'steps': 1500,
  },
}
TINY = {
  'g': {'unit': 4, 'widths': (1, 1), 'shared': 4},
  'd': {'unit': 4, 'widths': (1, 1)},
}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
