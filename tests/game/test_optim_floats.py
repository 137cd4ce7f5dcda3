"""An optimizer's floats: exactly those that a program can be given."""

import inspect

from gan_jax.components import options
from gan_jax.game import ema, optim


def complete(**given):
  return optim.complete({'name': 'adam', **given}, 'optim.g')


def test_whole_numbers_become_floats():
  found = complete(learning_rate=1, clip_norm=2)
  assert found == {'name': 'adam', 'learning_rate': 1.0, 'clip_norm': 2.0}
  assert isinstance(found['learning_rate'], float)
  assert isinstance(found['clip_norm'], float)
  structure, numbers = options.split(found)
  assert structure == {'name': 'adam'}
  assert set(numbers) == {'learning_rate', 'clip_norm'}


def test_no_clipping_is_no_option():
  assert complete(learning_rate=0.5, clip_norm=0.0) == complete(
    learning_rate=0.5
  )


def test_floats_that_optax_looks_at_are_constants():
  """Whether the rate is 0 is asked in Python."""
  decay = {'name': 'exponential_decay', 'transition_steps': 9}
  found = complete(learning_rate=0.5, schedule={**decay, 'decay_rate': 0.9})
  assert found['schedule']['decay_rate'] == 0.9
  assert options.split(found)[1] == {}
  cosine = {'name': 'cosine_decay_schedule', 'decay_steps': 9, 'alpha': 0.1}
  found = complete(learning_rate=0.5, schedule=cosine)
  assert set(options.split(found)[1]) == {'learning_rate', 'schedule'}


def test_defaults_of_the_average():
  parameters = inspect.signature(ema.make_decay).parameters
  assert parameters['halflife_kimg'].default == 0.0
  assert parameters['rampup'].default == 0.05
