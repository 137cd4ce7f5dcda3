"""Every option of a penalty beside D's slope changes the program of a game."""

import jax
import jax.numpy as jnp
import pytest

from gan_jax import select
from gan_jax.components import files, options, ranges
from gan_jax.game import beginning, rules, step
from gan_jax.run import command
from gan_jax.types import UserError
from tests.components import conformance, programs
from tests.components.shipped import APART
from tests.components.test_options import values_of

# Those of encoders are held by tests of their own.
NAMES = sorted(APART['penalties'] - {'kl', 'moments', 'reconstruction'})
NAMES.remove('supervised')
# What options can be that are shares, or neither numbers nor true or false.
VALUES = {
  **{name: (0.25, 0.75) for name in ranges.SHARES},
  'augment': ('', 'flip', 'tests.pairs.noise'),
  'one_in': (1, 2, 4),
  'player': ('g', 'd'),
  'pull_away.space': ('features', 'samples'),
  'path_length.space': ('w', 'z'),
}
CLASSES = {'num_classes': 3, 'conditioning': {'name': 'ac'}}
IMAGES = {'shape': (8, 8, 1)}
BESIDE = {
  **{name: CLASSES | IMAGES for name in ('cr', 'bcr', 'icr')},
  'zcr': CLASSES,
  'path_length': IMAGES,
}


def game(name, own, *, shape=(2,), num_classes=0, **changed):
  """The game of a penalty with these options, and a batch of it."""
  beside = {**conformance.BESIDE.get(name, {}), **changed}
  num_classes = beside.pop('num_classes', num_classes)
  net = {'name': 'mlp', 'g': {'hidden': (4,)}, 'd': {'hidden': (4,)}}
  usual = {'penalties': {name: own}, 'model': net}
  config = command.load_config('ring8:tiny', {}) | usual | beside
  given = rules.Given(shape, num_classes, jnp.float32, batch_size=4)
  batch = {'x': jnp.zeros((4, *shape)), 'index': jnp.arange(4)}
  batch |= {'step': jnp.int32(5)}
  if num_classes:
    batch['label'] = jnp.zeros(4, int)
  return rules.make(rules.complete(config), given).game, batch


def program(name, own):
  """Of the gradients of both players."""
  beside = dict(BESIDE.get(name, {}))
  num_classes = beside.pop('num_classes', 0)
  made, batch = game(name, own, num_classes=num_classes, **beside)
  key = jax.random.key(0)
  one = {k: v[:1] if v.ndim else v for k, v in batch.items()}
  init = lambda: beginning.init(made, key, one)
  state = jax.eval_shape(init)

  def run(state, key):
    return [step.gradient(made, (who,))(state, batch, key) for who in 'dg']

  return programs.traced(run, state, key)


def options_of(name):
  """{option: default} of all functions of the file that a config reaches."""
  file = programs.load('penalties', name)
  there = files.functions_in(file).items()
  ours = [f for k, f in there if k.endswith((files.TERM, files.CHANGE))]
  ours += [f for k, f in there if k == 'penalty']
  taken = [options.taken_by(f) for f in ours]
  return {k: p.default for own in taken for k, p in own.items()}


CASES = [(name, option) for name in NAMES for option in options_of(name)]


@pytest.mark.parametrize('name, option', CASES)
def test_another_value_is_another_program(name, option):
  usual = options_of(name)[option]
  own = VALUES.get(f'{name}.{option}') or VALUES.get(option)
  values = own or values_of(option, usual)
  made = [program(name, {option: value}) for value in values]
  assert len(set(made)) == len(values), f'{name}.{option}: {values}'


@pytest.mark.parametrize(
  'name, own, words',
  [
    ('r1', {'gamma': -1.0}, r'penalties.r1.gamma=-1.0: expected at least 0'),
    ('bcr', {'fake_weight': -2.0}, r'bcr.fake_weight=-2.0: expected at least'),
    ('zcr', {'sigma': -0.1}, r'zcr.sigma=-0.1: expected at least 0'),
    ('fd_r2', {'epsilon': float('nan')}, r'fd_r2.epsilon=nan: expected more'),
    ('fd_r1', {'epsilon': 0.0}, r'fd_r1.epsilon=0.0: expected more than 0'),
    ('label_flip', {'p': 1.5}, r'label_flip.p=1.5: expected a number from 0'),
    ('top_k', {'nu': -0.5}, r'top_k.nu=-0.5: expected a number from 0 to 1'),
    ('lecam', {'decay': 2}, r'lecam.decay=2: expected a number from 0 to 1'),
    ('lecam', {'every': 0}, r'lecam.every=0: expected at least 1'),
  ],
)
def test_numbers_without_a_meaning_are_refused(name, own, words):
  with pytest.raises(UserError, match=words):
    select.penalty(name, **own)


def test_all_of_them_are_asked():
  assert {name for name, _ in CASES} == set(NAMES)
