"""InfoGAN: codes in the latent that D can read from the samples.

  python -m gan_jax.train --config=infogan:mnist \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/infogan

| variant | published | our own |
|---|---|---|
| mnist | the code of ten values tells digits, 5 % wrong | unverified |
| mnist_thin | none | fid 26.6, class_coverage 1 |

Published: Chen et al. 2016 (https://arxiv.org/abs/1606.03657), section 7.2, 50
epochs of 100 steps of the code published with it. Here G ends with tanh in
place of a sigmoid, as pixels are in [-1, 1].
Our own: one seed, 10,000 samples, features of the classifier trained here. Of
1,000 samples, 100 for each value of the code, 63 % are the digit that is most
frequent for that value, as three neighbours among 10,000 real ones see them:
the values find 0, 1, 2, 4, 5, 6, 7, 9, and two of them 3.
Hardware and time: meant for a laptop; mnist_thin: 4.7 min of one core of a CPU,
the training of the classifier included.
"""

from configs import common

BASE = {
  'model': {'name': 'infogan', 'g': {}, 'd': {}},
  'conditioning': {'name': 'infogan'},
  'latent': {
    'name': 'uniform', 'dim': 62, 'categories': (10,), 'continuous': 2,
  },
  'ema': {'halflife_kimg': 0.0},
  'optim': {
    'g': common.adam(1e-3, b1=0.5),
    'd': common.adam(2e-4, b1=0.5),
  },
  'batch_size': 128,
  'steps': 5000,
  'report_every': 100,
  'save_every': 1000,
  'eval_every': 1000,
}  # fmt: skip
MNIST = {'data': {'name': 'mnist', 'dir': ''}}
VARIANTS = {
  'mnist': MNIST,
  'mnist_thin': MNIST
  | {
    'model': {
      'g': {'hidden': (128,), 'widths': (64, 32)},
      'd': {'hidden': (128,), 'widths': (32, 64)},
    },
    'batch_size': 64,
    'steps': 2000,
    'report_every': 250,
    'eval_every': 0,
  },
}
TINY = dict.fromkeys('gd', {'hidden': (8,), 'widths': (4, 4)})


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
