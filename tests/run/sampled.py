"""Small generators that are not trained, for tests of how they are sampled."""

import functools

import jax
import numpy as np

from gan_jax import recipes
from gan_jax.run import setup as setup_lib
from gan_jax.run.samplers import settling, spaces
from gan_jax.run.samplers.way import Way

STYLED = {
  'model': {
    'name': 'stylegan2',
    'g': {
      'channel_base': 32, 'channel_max': 4, 'features': 6, 'mapping_layers': 2,
    },
    'd': {'channel_base': 32, 'channel_max': 4, 'group': 2},
  },
  'latent': {'dim': 5},
}  # fmt: skip
CODED = {
  'model': {
    'name': 'infogan',
    'g': {'hidden': (6,), 'widths': (4, 4)},
    'd': {'hidden': (6,), 'widths': (4, 4)},
  },
  'conditioning': {'name': 'infogan', 'categories': (3,), 'continuous': 2},
  'latent': {'name': 'uniform', 'dim': 4, 'categories': (3,), 'continuous': 2},
}
POINTS = {}
HINGE = {'loss': {'name': 'hinge'}}


@functools.cache
def run(which: str):
  """(config, setup, state) of STYLED, CODED, POINTS or HINGE, by name."""
  recipe = 'digits:tiny' if which in ('STYLED', 'CODED') else 'ring8:tiny'
  config = recipes.load(recipe).to_dict()
  config |= globals()[which]
  setup = setup_lib.build(config)
  state = setup.init()
  if which == 'STYLED':
    # An average that is not 0, and noise that is seen.
    own = state.ema['g']
    own['vars']['averages'] = jax.tree.map(
      lambda x: 0.5 + 0 * x, own['vars']['averages']
    )
    own['params'] = jax.tree_util.tree_map_with_path(
      lambda path, x: x + 0.3 if 'noise_strength' in str(path) else x,
      own['params'],
    )
  return config, setup, state


def opening(which: str):
  """What opens one of them, whichever workdir is asked for; at step 7."""
  return lambda *args, **kwargs: (*run(which), 7)


def space(which: str, num: int, *, way: Way | None = None, seed: int = 0):
  """The samples of one of them as points."""
  _, setup, state = run(which)
  way = settling.settled(way or Way(), setup)
  own = {'seed': seed, 'labels': None, 'run_seed': 0, 'flag': '--direction'}
  return spaces.space(setup, state, way, num, **own)


def averages(which: str):
  """State.ema of its first seed, as NumPy arrays."""
  _, _, state = run(which)
  return jax.tree.map(lambda x: np.asarray(x)[0], state.ema)
