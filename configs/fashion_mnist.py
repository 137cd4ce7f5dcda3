"""Fashion-MNIST, 28 x 28: the recipe of MNIST on harder pictures."""

from configs import common, mnist


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = mnist.get_config(arg)
  config.data.name = 'fashion_mnist'
  return common.finish(config, arg)
