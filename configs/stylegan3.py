"""StyleGAN3: a generator without aliases; T for translation, R for rotation.

  python -m gan_jax.train --config=stylegan3:t256 \\
    --config.data.dir=FOLDER --workdir=runs/stylegan3

| variant | published | our own |
|---|---|---|
| t256, r256 | FID 4.62, 4.50 (FFHQ-U) | unverified |
| t512, r512 | FID 4.04, 4.40 (AFHQv2) | unverified |
| t1024, r1024 | FID 2.79, 3.07 (FFHQ) | unverified |
| digits | none | fid 69.4, class_coverage 1 |

Published: the authors' weights, 50,000 fakes, as MMGeneration measures them
(its configs/styleganv3/README.md). Constants: those of the code of Karras et
al. 2021 (https://arxiv.org/abs/2106.12423) for FFHQ: gamma is 32.8 at 1024
pixels and grows with the number of pixels; what R's D is shown is blurred in
the first 200,000 images.
Hardware and time: 25 million images, 8 GPUs; digits: see common.DIGITS, 7.6 min
of one core of a CPU.
"""

from configs import common, stylegan2

BASE = stylegan2.BASE | {'model': {'name': 'stylegan3', 'g': {}, 'd': {}}}

# Of a blur of 10 pixels, in batches of 32.
FADING = {
  'name': 'linear_schedule',
  'init_value': 10.0,
  'end_value': 0.0,
  'transition_steps': 200_000 // 32,
}


def variant(size: int, *, rotation: bool) -> dict:
  """Of a folder of faces at that size."""
  own = stylegan2.ffhq(
    size,
    batch_size=32,
    group=4,
    rate=0.002,
    gamma=32.8 * size**2 / 1024**2,
    average=10.0,
    g={'rotation': rotation},
  )
  own['optim']['g'] = stylegan2.adam(0.0025)  # which has no lazy term
  if rotation:
    own['augment'] = {'name': 'blur', 'sigma': FADING}
  return own


VARIANTS = {
  f'{kind}{size}': variant(size, rotation=kind == 'r')
  for kind in 'tr'
  for size in (256, 512, 1024)
} | {
  'digits': stylegan2.VARIANTS['digits']
  | {
    'steps': 750,
    'model': stylegan2.VARIANTS['digits']['model']
    | {
      'g': {
        'channel_max': 32, 'features': 32, 'layers': 6, 'margin': 2,
      },
    },
  },
}  # fmt: skip
TINY = {
  'g': stylegan2.TINY['g'] | {'layers': 3, 'margin': 1},
  'd': stylegan2.TINY['d'],
}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
