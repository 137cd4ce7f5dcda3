"""StyleGAN2: a mapping network, modulated convolutions, R1 now and then.

  python -m gan_jax.train --config=stylegan2:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/stylegan2

| variant | published | our own |
|---|---|---|
| cifar10 | FID 3.78 | unverified |
| ffhq64 | none | unverified |
| ffhq256 | FID 3.66 (140,000 images) | unverified |
| ffhq512 | none | unverified |
| ffhq1024 | FID 2.87 | unverified |
| digits | none | fid 16.5, class_coverage 1 |

Published: for CIFAR-10, with labels, PyTorch-StudioGAN, 50,000 fakes against
the training images; for FFHQ at 256 Karras et al. 2020
(https://arxiv.org/abs/2006.06676), whose constants these are (stylegan2-ada's
cifar, paper256, paper512 and stylegan2); at 1024 the authors' weights, as
MMGeneration measures them with the authors' Inception (its
configs/styleganv2/README.md). Faces have path length regularisation and mixed
styles; for CIFAR-10 that code turns both off. Ours are mixed from a place of
each example's own, there of each batch's. Digits have neither.
Hardware and time: 100 million images for CIFAR-10, 25 million for FFHQ; digits:
see common.DIGITS, 4.5 min of one core of a CPU.
"""

from configs import common

BASE = {
  'model': {'name': 'stylegan2', 'g': {}, 'd': {}},
  'conditioning': {'name': 'mapped_projection'},
  'loss': {'name': 'nonsaturating'},
  'latent': {'dim': 512},
  'dtype': 'bfloat16',
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
# Steps between two of R1, and of path length, each of which counts as many.
LAZY, LAZY_G = 16, 4


def adam(rate: float, every: int = 0) -> dict:
  """Adam; its constants make up for one update more in so many steps."""
  share = every / (every + 1) if every else 1.0
  return common.adam(rate * share, b1=0.0, b2=0.99**share)


def rates(rate: float, every: int = 0) -> dict:
  """For both players; every: steps between two of G's lazy term."""
  return {'g': adam(rate, every), 'd': adam(rate, LAZY)}


def variant(
  data, *, batch_size, group, rate, gamma, average, images, g=None, d=None, **kw
) -> dict:
  """One; the average and the images are in thousands.

  G's Adam is the same whether it has a lazy term or not, as in that code.
  """
  return {
    'data': data | {'flip': True},
    'model': {'g': g or {}, 'd': {'group': group} | (d or {})},
    'penalties': {'r1': {'gamma': gamma, 'every': LAZY}},
    'optim': rates(rate, LAZY_G),
    'ema': {'halflife_kimg': average},
    'batch_size': batch_size,
    'steps': 1000 * images // batch_size,
    **kw,
  }


def ffhq(size: int, **kw) -> dict:
  """Of a folder of faces at that size."""
  data = {'name': 'folder', 'dir': '', 'image_size': size}
  return variant(data, images=25_000, **kw)


def mixed(size: int, **kw) -> dict:
  """The same with mixed styles and path length regularisation."""
  own = ffhq(size, **kw)
  own['penalties']['path_length'] = {'weight': 2.0, 'every': LAZY_G}
  return own | {'latent': {'mixing': 0.9}}


HALF = {'channel_base': 16384}
VARIANTS = {
  'cifar10': variant(
    {'name': 'cifar10', 'dir': ''},
    batch_size=64,
    group=32,
    rate=0.0025,
    gamma=0.01,
    average=500.0,
    images=100_000,
    g={'mapping_layers': 2},
    d={'architecture': 'orig'},
    conditional=True,
  ),
  'ffhq64': mixed(
    64, batch_size=64, group=8, rate=0.0025, gamma=1.0, average=20.0, g=HALF,
    d=HALF,
  ),
  'ffhq256': mixed(
    256, batch_size=64, group=8, rate=0.0025, gamma=1.0, average=20.0, g=HALF,
    d=HALF,
  ),
  'ffhq512': mixed(
    512, batch_size=64, group=8, rate=0.0025, gamma=0.5, average=20.0
  ),
  'ffhq1024': mixed(
    1024, batch_size=32, group=4, rate=0.002, gamma=10.0, average=10.0
  ),
  'digits': common.DIGITS | {
    'model': {
      'g': {'channel_max': 32, 'features': 32, 'mapping_layers': 2},
      'd': {'channel_max': 32, 'group': 4, 'mapping_layers': 2},
    },
    'penalties': {'r1': {'gamma': 0.01, 'every': LAZY}},
    'latent': {'dim': 32},
    'optim': rates(0.0025),
    'steps': 2000,
  },
}  # fmt: skip
STYLED = {'channel_max': 4, 'mapping_layers': 1}
TINY = {'g': STYLED | {'features': 4}, 'd': STYLED | {'group': 2}}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
