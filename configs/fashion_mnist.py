"""Fashion-MNIST, 28 x 28: the recipe of MNIST on harder pictures.

  python -m gan_jax.train --config=configs/fashion_mnist.py \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/fashion_mnist

Hardware and time: not yet run to its end; some 30 min on 2 x86-64 cores.
Expected score: unverified.
"""

from configs import common, mnist


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = mnist.get_config(arg)
  config.data.name = 'fashion_mnist'
  return common.finish(config, arg)
