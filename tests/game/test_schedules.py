"""Schedules in the place of numbers: of penalties, optimizers, the average."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.components import options as options_lib
from gan_jax.game import beginning, ema, optim
from gan_jax.game import rules as rules_lib
from gan_jax.game import step as step_lib
from gan_jax.run import command
from gan_jax.types import UserError
from tests.bad_input import ROOT
from tests.game.test_rules import GIVEN, OPTIONS

COSINE = {'name': 'cosine_decay_schedule', 'decay_steps': 8}


def wave(step, first, last):
  """Half a wave of a cosine, over 8 steps."""
  share = (1 - np.cos(np.pi * np.minimum(step, 8) / 8)) / 2
  return first + share * (last - first)


def complete(**changed):
  return rules_lib.complete({**OPTIONS, **changed})


def measured(options):
  """step -> metrics of D's gradient, on one and the same batch."""
  made = rules_lib.make(options, GIVEN)
  x = jax.random.normal(jax.random.key(1), (4, 8, 8, 1))
  batch = {'x': x, 'index': jnp.arange(4), 'step': jnp.int32(0)}
  state = beginning.init(made.game, jax.random.key(0), batch)
  gradient = step_lib.gradient(made.game, ('d',))

  @jax.jit
  def at(step):
    own = batch | {'step': step}
    return gradient(state, own, jax.random.key(2))[1].metrics

  return at


def test_a_penalty_s_weight_follows_the_steps():
  gamma = {**COSINE, 'init_value': 2.0, 'alpha': 0.1}
  options = complete(penalties={'r1': {'gamma': gamma}, 'r2': {'gamma': 2.0}})
  constant = complete(penalties={'r1': {'gamma': 2.0}})
  whole = float(measured(constant)(0)['penalty_r1'])
  others, at = set(), measured(options)
  for step in (0, 3, 8, 20):
    found = at(step)
    want = whole * wave(step, 1, 0.1)
    np.testing.assert_allclose(found['penalty_r1'], want, 1e-5)
    others.add(float(found['penalty_r2']))
  assert len(others) == 1 and whole > 0


def test_b2_follows_the_updates():
  """Adam by hand: the moments corrected by the b2 of each update."""
  b2 = {**COSINE, 'init_value': 0.5, 'alpha': 1.8}
  tx = optim.make_optimizer('adam', learning_rate=0.1, b1=0.0, b2=b2)
  w, v = jnp.array([1.0, -2.0]), 0.0
  state, want = tx.init(w), np.array(w, float)
  for t, g in enumerate([[0.5, 1.0], [2.0, -3.0], [0.1, 0.2]]):
    updates, state = tx.update(jnp.array(g), state, w)
    w = w + updates
    now = wave(t, 0.5, 0.9)
    v = now * v + (1 - now) * np.square(g)
    want -= 0.1 * np.array(g) / (np.sqrt(v / (1 - now ** (t + 1))) + 1e-8)
    np.testing.assert_allclose(w, want, 1e-4)


def test_the_half_life_rises_in_the_burn_in():
  own = {'halflife_kimg': 4.0, 'rampup': 0.0, 'batch_size': 500}
  decay = ema.make_decay(**own, burn_in_kimg=4.0)  # 8 steps
  for step in (1, 4, 8, 20):
    want = 0.5 ** (500 / (4000 * wave(step, 0, 1)))
    np.testing.assert_allclose(decay(jnp.int32(step)), want, 1e-4)
  with pytest.raises(UserError, match='burn_in_kimg=-1'):
    ema.make_decay(**own, burn_in_kimg=-1.0)


def test_other_numbers_of_a_schedule_are_no_other_program():
  gamma = {**COSINE, 'init_value': 2.0}
  adam = OPTIONS['optim']['d'] | {'b2': {**COSINE, 'init_value': 0.5}}
  changed = {'optim': {**OPTIONS['optim'], 'd': adam}}
  split = options_lib.split(complete(penalties={'r1': {'gamma': gamma}}))
  assert split[1]['penalties'] == {'r1': {'gamma': {'init_value': 2.0}}}
  assert split[0]['penalties'] == {'r1': {'gamma': COSINE}}
  assert options_lib.split(complete(**changed))[1]['optim']['d']['b2']
  # Whether it is 0 is asked in Python.
  decay = {'name': 'exponential_decay', 'init_value': 1.0, 'decay_rate': 0.5}
  gamma = decay | {'transition_steps': 3}
  split = options_lib.split(complete(penalties={'r1': {'gamma': gamma}}))
  assert 'penalties' not in split[1]


@pytest.mark.parametrize(
  'penalty, says',
  [
    ({'r1': {'gamma': {'name': 'cosine'}}}, "gamma.name='cosine'"),
    ({'r1': {'gamma': COSINE}}, 'gamma.init_value is missing'),
    (
      {'r1': {'gamma': COSINE | {'init_value': 1.0, 'up': 1}}},
      'r1.gamma: .*up',
    ),
    ({'r1': {'gama': COSINE | {'init_value': 1.0}}}, 'r1.gama: unknown'),
    ({'r1': {'gamma': {'init_value': 1.0}}}, 'penalties.r1.gamma='),
    ({'r1': {'every': COSINE | {'init_value': 1.0}}}, 'penalties.r1.every'),
    (
      {'weight_clip': {'limit': COSINE | {'init_value': 1.0}}},
      'penalties.weight_clip.limit: a projection',
    ),
  ],
)
def test_mistakes(penalty, says):
  with pytest.raises(UserError, match=says):
    rules_lib.make(complete(penalties=penalty), GIVEN)


def test_a_recipe_s_schedule_is_replaced_by_a_number(monkeypatch):
  monkeypatch.chdir(ROOT)
  changes = {'penalties.r1.gamma': 0.3, 'optim.d.b2': 0.9}
  config = command.load_config('configs/r3gan.py:tiny', changes)
  assert config['penalties']['r1'] == {'gamma': 0.3}
  assert config['penalties']['r2']['gamma']['init_value'] == 0.05
  assert config['optim']['d']['b2'] == 0.9
  back = {'penalties.r1.gamma': COSINE | {'init_value': 1.0}}
  config = command.load_config('configs/r3gan.py:tiny', back)
  assert config['penalties']['r1']['gamma']['init_value'] == 1.0
