"""The Dirac-GAN: two numbers, and all that goes wrong with GANs near their end.

  python -m gan_jax.train --config=configs/dirac.py --workdir=runs/dirac
  python -m gan_jax.spectrum --workdir=runs/dirac

Hardware and time: 2 shared x86-64 cores, seconds. `fid` is the squared distance
of G's point from the data's. Expected: no penalty, and it goes round; with
`--config.penalties.r1.gamma=0.3` it arrives.
"""

from configs import bilinear


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  return bilinear.finish(bilinear.toy('dirac', dim=1), arg)
