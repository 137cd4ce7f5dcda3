"""GAT: transformers for images of autoencoders, or for pixels.

  python -m gan_jax.train --config=gat:s \\
    --config.data.path=LATENTS.npz --workdir=runs/gat

| variant | published | our own |
|---|---|---|
| s, b, l | not checked here | unverified |
| xl | FID 2.18 | unverified |
| digits | none | fid 16.9, class_coverage 1 |

Published: arXiv 2509.24935 (third version), ImageNet at 256 pixels, 60 epochs
of its latents [32, 32, 4]: an .npz of them, with labels, is the data. Left out
of it: features of DINOv2 that D foretells there. R1 and R2 are finite
differences, for digits derivatives; digits are not augmented.
Hardware and time: meant for a TPU slice; digits: see common.DIGITS, 6.5 min of
one core of a CPU.
"""

from configs import common

BASE = {
  'conditional': True,
  'conditioning': {'name': 'inner_product', 'dim': 2048, 'mapping': 2},
  'loss': {'name': 'rpgan'},
  'latent': {'dim': 64},
  'ema': {'halflife_kimg': 512 * 0.6928},  # .999 of itself in a step
  'dtype': 'bfloat16',
  'batch_size': 512,
  'steps': 150_000,  # 60 epochs of 1,281,167 images
  'report_every': 1000,
  'save_every': 5000,
  'eval_every': 10_000,
  'eval_samples': 50_000,
}
WIDTHS = {'s': 384, 'b': 768, 'l': 1024, 'xl': 1152}


def adamw(rate: float) -> dict:
  """Of both players."""
  own = {'name': 'adamw', 'weight_decay': 0.0, 'clip_norm': 1.0}
  return common.adam(rate, b1=0.0, b2=0.99) | own


def variant(size: str) -> dict:
  """Of that size; the rate falls with the width."""
  rate = adamw(2e-4 * 768 / WIDTHS[size])
  return {
    'model': {'name': 'gat', 'g': {'size': size}, 'd': {'size': size}},
    'data': {
      'name': 'npz',
      'path': '',
      'shape': (32, 32, 4),
      'classes': 1000,
    },  # fmt: skip
    'penalties': dict.fromkeys(('fd_r1', 'fd_r2'), {'gamma': 0.1}),
    # The real and the fake of a pair by the same draws.
    'augment': {
      'name': 'diffaugment',
      'synced': True,
      'then': {'name': 'flip'},
    },
    'optim': {'g': rate, 'd': rate},
  }


VARIANTS = {size: variant(size) for size in WIDTHS} | {
  'digits': common.DIGITS
  | {
    'model': {
      'name': 'gat',
      **dict.fromkeys('gd', {'depth': 4, 'width': 32, 'heads': 2}),
    },
    'conditioning': {'dim': 64},
    'latent': {'dim': 32},
    'penalties': dict.fromkeys(('r1', 'r2'), {'gamma': 0.5}),
    'optim': dict.fromkeys('gd', adamw(4e-4)),
    'steps': 5000,
  },
}
TOKENS = {'depth': 2, 'width': 8, 'heads': 2}
TINY = {'g': TOKENS | {'levels': 2}, 'd': TOKENS}


def get_config(arg: str = ''):
  """Returns a variant; 'tiny' and 'VARIANT:tiny' shrink it to seconds."""
  return common.family(arg, VARIANTS, base=BASE, tiny=TINY)
