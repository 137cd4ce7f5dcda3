"""R3GAN: residual networks without norms, a relativistic loss with R1 and R2.

  python -m gan_jax.train --config=r3gan:cifar10 \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/r3gan

| variant | published | our own |
|---|---|---|
| cifar10 | FID 1.96 | unverified |
| ffhq64 | FID 1.95 | unverified |
| ffhq256 | FID 2.75 | unverified |
| imagenet32 | FID 1.27 | unverified |
| imagenet64 | FID 2.09 | unverified |
| digits | none | fid 27.4, class_coverage 1 |

Published: Huang et al. 2024 (https://arxiv.org/abs/2501.05441), 50,000 fakes
against the training images. While the learning rate goes from 2e-4 to 5e-5, b2
goes from .9 to .99, gamma to a tenth, the average's half-life up from 0, and so
does the probability of ADA's transforms, to .3 to .55, all of them by half a
wave of a cosine; for digits only the rate moves.
Hardware and time: 4 days on 8 GPUs there for CIFAR-10; digits: see
common.DIGITS, 5.2 min of one core of a CPU.
"""

from configs import common

BASE = {
  'model': {'name': 'r3gan', 'g': {}, 'd': {}},
  'conditioning': {'name': 'inner_product'},
  'loss': {'name': 'rpgan'},
  'latent': {'dim': 64},
  'fresh_real': True,
  'dtype': 'bfloat16',
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
WIDE = {'widths': (1536,) * 4, 'group': 32}
WIDER = {'widths': (1536,) * 5, 'group': 32}


def wave(steps: int, *, to: float, **first) -> dict:
  """A schedule: half a wave of a cosine, to that multiple of the first."""
  how = {'name': 'cosine_decay_schedule', 'decay_steps': steps, 'alpha': to}
  return how | first


def rate(steps: int) -> dict:
  """Adam, whose rate falls to 5e-5 in so many steps."""
  return common.adam(2e-4, b1=0.0) | {'schedule': wave(steps, to=0.25)}


def augment(steps: int, p: float) -> dict:
  """ADA's transforms and a hole, with a probability that rises to p."""
  least = 1e-6  # a wave goes to a multiple of its first value
  return {
    'name': 'ada',
    'groups': ('blit', 'geom', 'color', 'cutout'),
    'adaptive': False,
    'p': wave(steps, to=round(p / least), init_value=least),
    **dict.fromkeys(COLOURS, 0.5),
  }


COLOURS = 'brightness', 'contrast', 'lumaflip', 'hue', 'saturation'


def variant(
  data, *, gamma, halflife, burn_in, batch_size, images, p, **more
) -> dict:
  """One, by its data, the first gamma, and thousands of images."""
  steps = 1000 * burn_in // batch_size
  adam = rate(steps) | {'b2': wave(steps, to=1.1, init_value=0.9)}  # .99
  squared = {'gamma': wave(steps, to=0.1, init_value=gamma)}
  return {
    'data': data | {'flip': True},
    'penalties': {'r1': squared, 'r2': squared},
    'augment': augment(steps, p),
    'optim': {'g': adam, 'd': adam},
    'ema': {'halflife_kimg': halflife, 'rampup': 0.0, 'burn_in_kimg': burn_in},
    'batch_size': batch_size,
    'steps': 1000 * images // batch_size,
    **more,
  }


def ffhq(size: int, **kw):
  """Of a folder of faces at that size."""
  data = {'name': 'folder', 'dir': '', 'image_size': size}
  own = {'halflife': 500.0, 'burn_in': 20_000, 'batch_size': 256, 'p': 0.3}
  return variant(data, **own, **kw)


def imagenet(size: int, net: dict, *, gamma: float, p: float):
  """At that size, both see the labels."""
  return variant(
    {'name': 'imagenet2012', 'dir': '', 'image_size': size},
    gamma=gamma,
    p=p,
    halflife=50_000.0,
    burn_in=200_000,
    batch_size=4096,
    images=1_000_000,
    conditional=True,
    model={'g': net, 'd': net},
  )


VARIANTS = {
  'cifar10': variant(
    {'name': 'cifar10', 'dir': ''},
    gamma=0.05,
    p=0.55,
    halflife=5000.0,
    burn_in=20_000,
    batch_size=512,
    images=250_000,
    conditional=True,
  ),
  'ffhq64': ffhq(64, gamma=2.0, images=100_000),
  'ffhq256': ffhq(256, gamma=150.0, images=200_000),
  'imagenet32': imagenet(32, WIDE, gamma=0.5, p=0.5),
  'imagenet64': imagenet(64, WIDER, gamma=1.0, p=0.4),
  'digits': common.DIGITS
  | {
    'model': dict.fromkeys('gd', {'widths': (32, 32), 'group': 16}),
    'penalties': dict.fromkeys(('r1', 'r2'), {'gamma': 0.05}),
    'optim': dict.fromkeys('gd', rate(2000) | {'b2': 0.99}),
    'steps': 2000,
  },
}
TINY = dict.fromkeys('gd', {'widths': (4, 4), 'group': 2, 'depth': 1})


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
