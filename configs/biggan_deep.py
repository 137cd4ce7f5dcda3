"""BigGAN-deep: narrow residual blocks, two for each size.

  python -m gan_jax.train --config=biggan_deep:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/biggan_deep

| variant | published | our own |
|---|---|---|
| cifar10 | none | unverified |
| imagenet64 | none | unverified |
| imagenet128 | FID 5.95, IS 107 | unverified |
| imagenet256 | FID 11.3, IS 135 | unverified |
| digits | none | fid 37.1, class_coverage 1 |

Published: the authors' weights, as MMGeneration measures them (its
configs/biggan/README.md). The networks are those of Brock et al. 2019
(https://arxiv.org/abs/1809.11096), appendix B; the constants are BigGAN's, see
configs/biggan.py, which says what is left out.
Hardware and time: meant for one GPU, and for a TPU slice; digits: see
common.DIGITS, 2.5 min of one core of a CPU.
"""

from configs import biggan, common

BASE = biggan.BASE | {'model': {'name': 'biggan_deep', 'g': {}, 'd': {}}}
VARIANTS = {
  'cifar10': biggan.VARIANTS['cifar10']
  | {'model': {'g': {}, 'd': {}}, 'latent': {'dim': 128}},
  **{f'imagenet{size}': biggan.imagenet(size, 128) for size in (64, 128, 256)},
  'digits': biggan.VARIANTS['digits']
  | {
    'model': {
      player: own | {'unit': 64}
      for player, own in biggan.VARIANTS['digits']['model'].items()
    },
  },
}

TINY = {player: own | {'depth': 1} for player, own in biggan.TINY.items()}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
