"""The games of the tables: all recipes with their variants, and some more."""

import importlib
from unittest import mock

from gan_jax import recipes
from gan_jax.models.layers import convolutions
from gan_jax.run.config import library
from gan_jax.run.planning import described
from gan_jax.run.setup import Setup

# Of a file that nobody names: latents of an autoencoder, with labels.
UNNAMED = {'shape': (32, 32, 4), 'num_classes': 1000}
# Networks that no recipe has, by one with their kind of data.
OTHERS = {
  'sndcgan': (
    'dcgan:cifar10',
    {'model': {'name': 'sndcgan', 'd': {'norm': 'batch'}}},
  ),
  'gru_gan': (
    'sines_rcgan',
    {'model': {'name': 'gru_gan'}, 'latent': {'name': 'normal', 'dim': 5}},
  ),
  'ali': ('mnist_bigan', {'model': {'name': 'ali'}}),
  'aae': (
    'mnist_bigan',
    {'model': {'name': 'aae'}, 'penalties': {'reconstruction': {}}},
  ),
  'wavegan': ('spoken_digit_wavegan', {'data.length': 16384}),
  'specgan': (
    'spoken_digit_wavegan',
    {'data.length': 16384, 'model': {'name': 'specgan'}},
  ),
}


# Convolutions as accelerators have them, without a CPU's copies of patches.
as_on_accelerators = mock.patch.object(
  convolutions, 'fastest', lambda dots, native, *given: native(*given)
)


def variants(name: str) -> list[str]:
  """A recipe as the commands take it: NAME, or NAME:VARIANT of each of its."""
  library.make_importable(library.folder() / 'common.py')
  file = importlib.import_module(f'configs.{name}')
  return [f'{name}:{v}' for v in getattr(file, 'VARIANTS', ())] or [name]


def names() -> list[str]:
  """Of all recipes with their variants."""
  return [one for name in recipes.names() for one in variants(name)]


def config(name: str, **changes) -> dict:
  """All keys of a recipe, or of one of OTHERS.

  Args:
    name: see names.
    **changes: values by key, over it.
  """
  base, own = OTHERS.get(name, (name, {}))
  return recipes.load(base, **own, **changes).to_dict()


def setup(name: str, **changes) -> Setup:
  """Its setup, of which no example can be read; see config."""
  return described.setup(config(name, **changes), **files(name))


def files(name: str) -> dict:
  """What described.setup has to be told of its data."""
  return UNNAMED if config(name)['data'].get('path') == '' else {}
