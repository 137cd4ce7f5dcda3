"""R3GAN2: R3GAN of layers that keep the variance, with a rate 50 times as high.

  python -m gan_jax.train --config=r3gan2:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/r3gan2

| variant | published | our own |
|---|---|---|
| cifar10 | none | unverified |
| ffhq64 | none | unverified |
| ffhq256 | none | unverified |
| imagenet32 | none | unverified |
| imagenet64 | none | unverified |

Published: code alone, IFeelBloated/R3GAN2, no paper. The batches, gamma, the
averages and how long it lasts are R3GAN's, see r3gan.py; the real and the fake
of a pair are augmented alike. `--config.ema.name=power` keeps averages by a
power of the time, of which theirs are chosen afterwards.
Hardware and time: as R3GAN's.
"""

from configs import common, r3gan


def variant(
  name: str, *, net: dict | None = None, dim: int = 0, **rate
) -> dict:
  """R3GAN's of that name, with these networks and a schedule of the rate."""
  usual, net = r3gan.VARIANTS[name], net or {}
  adam = common.adam(1e-2, b1=0.0) | {'b2': usual['optim']['g']['b2']}
  adam['schedule'] = {'name': 'gan_jax.game.schedules.root_decay'} | rate
  return usual | {
    'augment': usual['augment'] | {'synced': True},
    'model': {'g': net, 'd': net},
    'conditioning': {'name': 'inner_product', 'dim': dim},
    'optim': {'g': adam, 'd': adam},
  }


def wide(stages: int) -> dict:
  """Of a network twice as wide as the usual."""
  return {'widths': (1024,) * stages}


BASE = r3gan.BASE | {'model': {'name': 'r3gan2', 'g': {}, 'd': {}}}
VARIANTS = {
  # The root counts after 1,000 batches, the line ends after a million images.
  'cifar10': variant('cifar10', dim=512, steps=1000, warmup=1953),
  'ffhq64': variant('ffhq64', steps=78_125, alpha=0.1),
  'ffhq256': variant('ffhq256', steps=78_125, alpha=0.1),
  'imagenet32': variant(
    'imagenet32', net=wide(3), dim=1024, steps=48_828, alpha=0.1
  ),
  'imagenet64': variant(
    'imagenet64', net=wide(4), dim=1024, steps=48_828, alpha=0.1
  ),
}
TINY = dict.fromkeys('gd', {'widths': (4, 4), 'group': 2, 'depth': 1})


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
