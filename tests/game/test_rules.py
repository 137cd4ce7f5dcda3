"""From options to a game: what a config says reaches the networks and terms."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import forward, networks, objectives
from gan_jax.game import rules as rules_lib
from gan_jax.penalties import dragan, r1
from gan_jax.types import Conditioning, Dataset, UserError

GIVEN = rules_lib.Given(
  shape=(8, 8, 1), num_classes=0, dtype=jnp.float32, batch_size=4
)
OPTIONS = {
  'loss': {'name': 'hinge'},
  'penalties': {},
  'conditioning': {'name': 'projection'},
  'augment': {},
  'dynamics': {'name': 'alternating'},
  'model': {
    'name': 'dcgan',
    'g': {'widths': (4,), 'norm': 'batch'},
    'd': {'widths': (4,), 'norm': 'spectral'},
  },
  'latent': {'name': 'normal', 'dim': 3},
  'optim': {
    'g': {'name': 'adam', 'learning_rate': 1e-3},
    'd': {'name': 'adam', 'learning_rate': 1e-2},
  },
  'ema': {'halflife_kimg': 1.0},
  'microbatches': 1,
  'pack': 1,
  'd_steps': 1,
}


def made(*, axis=None, **changed):
  options = rules_lib.complete({**OPTIONS, **changed})
  return rules_lib.make(options, GIVEN, axis=axis)


def test_the_axis_reaches_networks_and_penalties():
  game = made(axis='d').game
  assert {net.axis_name for net in game.nets.values()} == {'d'}
  assert {net.axis_name for net in made().game.nets.values()} == {None}
  on_axis = lambda penalty: objectives.on_axis(penalty, 'd').keywords
  assert on_axis(dragan.penalty) == {'axis_name': 'd'}
  assert on_axis(r1.penalty) == {}


def test_the_axis_reaches_terms():
  term = lambda seen, memo, *, key, axis_name=None: (axis_name, memo)
  own = select.penalty('r1')._replace(penalty=None, terms={'g': term})
  for axis in ('d', None):
    found = rules_lib.terms_of(select.loss('hinge'), {'own': own}, axis=axis)
    assert found['g']['own'].value(None, (), key=None) == (axis, ())


def test_how_often_d_moves_is_told_to_dynamics_that_ask():
  made(d_steps=2)
  both = {'name': 'simultaneous'}
  made(dynamics=both)
  told = 'dynamics.name=simultaneous moves D once a step, but d_steps=2'
  with pytest.raises(UserError, match=told):
    made(dynamics=both, d_steps=2)


def test_a_generator_of_another_shape_is_refused():
  data = Dataset('own', 'image', (8, 8, 1), 4, None, 0)
  sample = lambda *shape: jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  networks.check(sample(8, 8, 1), data)
  told = r'model.name: G makes \(8, 8, 3\), but own is \(8, 8, 1\)'
  with pytest.raises(UserError, match=told):
    networks.check(sample(8, 8, 3), data)


def test_what_options_give_the_game():
  game = made(augment={'name': 'flip', 'p': 1.0}, microbatches=2).game
  assert game.microbatches == 2
  assert set(game.decay) == {'g'}
  x = jnp.arange(2 * 8 * 8.0).reshape(2, 8, 8, 1)
  keys = jax.random.split(jax.random.key(0), 2)
  shown = game.augment.apply(x, (), key=keys)
  np.testing.assert_array_equal(shown, x[:, :, ::-1])
  assert made().game.augment is forward.Game._field_defaults['augment']


def test_a_term_of_g_keeps_its_memo_and_its_period():
  term = lambda seen, memo, *, key: (seen.on_fake['logits'], memo)
  plain = select.penalty('r1')
  own = plain._replace(
    penalty=None, terms={'g': term}, every=4, init=lambda: jnp.float32(3)
  )
  found = rules_lib.terms_of(select.loss('hinge'), {'path': own})
  assert set(found['d']) == {'loss'}
  assert found['g']['path'].every == 4
  assert found['g']['path'].init() == 3
  assert found['g']['path'].label == 'g_penalty_path'


def test_penalties_and_conditionings_become_terms():
  found = made(penalties={'r1': {'gamma': 0.5}}).game.terms
  assert set(found['d']) == {'loss', 'r1'} and set(found['g']) == {'loss'}
  term = lambda seen, memo, *, key: (seen.on_real['logits'], memo)
  own = Conditioning(None, {'d': term}, lambda: jnp.float32(5))
  found = rules_lib.terms_of(select.loss('hinge'), {}, own)['d']
  assert found['conditioning'].init() == 5
  assert found['conditioning'].label == 'penalty_conditioning'
  seen = types.SimpleNamespace(on_real={'logits': 7})
  assert found['conditioning'].value(seen, 9, key=None) == (7, 9)


def test_a_third_player_s_optimizer_is_gs_but_for_what_it_says():
  groups = {
    'optim': {
      'g': {'name': 'adam', 'b1': 0.5},
      'd': {'name': 'sgd'},
      'e': {'b1': 0.9},
    }
  }
  optimizer = lambda player: rules_lib._optimizer(groups, player)
  assert optimizer('e') == {'name': 'adam', 'b1': 0.9}
  assert optimizer('f') == groups['optim']['g']
  assert optimizer('d') == {'name': 'sgd'}
  groups['optim']['e'] = {'name': 'sgd'}  # another one: nothing of G's
  assert optimizer('e') == {'name': 'sgd'}
