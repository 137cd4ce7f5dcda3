"""A recipe of each kind of data, as small as it can be, of data at hand."""

from gan_jax.run.config import recipe

# {recipe: what is changed of its tiny form, by key}
BASES = {
  'digits': {},
  'ring8': {},
  'tones_wavegan': {},
  'grammar_chargan': {},
  'sines_rcgan': {},
  # Penalties of D's slope at an example ask for a D without batch norm.
  'digits_vaegan': {'model.d.norm': 'spectral'},
}


def config_of(base: str, **changes) -> dict:
  """All keys of a base's config; changes are groups or values of it."""
  config = recipe.load(f'{base}:tiny')
  config.update_from_flattened_dict(BASES[base])
  config = config.to_dict()
  return {**config, **changes}
