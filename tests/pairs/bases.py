"""A game of each kind of data, as small as it can be, of data at hand."""

from typing import NamedTuple

from gan_jax.run import command


class Base(NamedTuple):
  """A recipe, and what is changed of its tiny form, by key."""

  recipe: str
  changes: dict = {}

  @property
  def file(self) -> str:
    """As --config and a study name it."""
    return f'configs/{self.recipe}.py:tiny'


BASES = {
  # Of equal use, the first and fastest one.
  'point': Base('ring8'),
  'labels': Base(
    'digits',
    {
      'conditional': True,
      'batch_size': 16,  # more than classes
      'model.name': 'mlp',
      **{f'model.{player}.hidden': (8,) for player in 'gd'},
      'model.d.norm': 'none',
    },
  ),
  'image': Base('digits'),
  'audio': Base('tones_wavegan'),
  'text': Base('grammar_chargan'),
  'series': Base('sines_rcgan'),
  # Penalties of D's slope at an example ask for a D without batch norm.
  'pairs': Base(
    'digits',
    {
      'model.name': 'bigan',
      'model.d.norm': 'spectral',
      **{f'model.{player}.hidden': (8, 8) for player in 'gde'},
    },
  ),
}


def config_of(base: str, **changes) -> dict:
  """All keys of a base's config; changes are groups or values of it."""
  config = command.load_config(BASES[base].file, BASES[base].changes)
  return {**config, **changes}
