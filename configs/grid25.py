"""Twenty-five Gaussians on a grid."""

from configs import common, ring8


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = ring8.get_config(arg)
  config.data.name = 'grid25'
  return common.finish(config, arg)
