"""DCGAN with the cross-entropy pair.

  python -m gan_jax.train --config=dcgan:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/dcgan

| variant | published | our own |
|---|---|---|
| cifar10 | FID 48.29, IS 6.11 | unverified at full length |

Published: PyTorch-StudioGAN, 50,000 fakes against the training images, for
networks with 3 x 3 convolutions between (model.name=sndcgan, d.norm=batch) and
200,000 steps of two updates of D.
Our own, the first 600 steps of 4 seeds in 20 min on 2 shared x86-64 cores,
10,000 samples: fid 49.9 (38.1 to 56.2) on the features of the classifier
trained here, 8 to 9 of the ten classes.
Hardware and time: meant for one GPU or TPU.
"""

from configs import common

BASE = {
  'model': {'name': 'dcgan', 'g': {'norm': 'batch'}, 'd': {'norm': 'batch'}},
  'latent': {'dim': 128},
  'ema': {'halflife_kimg': 0.0},
  'steps': 100_000,
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 5000,
  'eval_samples': 10_000,
}
VARIANTS = {
  'cifar10': {
    'data': {'name': 'cifar10', 'dir': '', 'flip': True},
    'model': {
      'g': {'widths': (256, 128, 64)},
      'd': {'widths': (64, 128, 256)},
    },
  },
}
TINY = {'g': {'widths': (16, 8, 4)}, 'd': {'widths': (4, 8, 16)}}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
