"""Options of dynamics: all are heeded, and what will not do is refused."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import select
from gan_jax.components import options as options_lib
from gan_jax.game import beginning, forward
from gan_jax.run import command, unused_options
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests import tiny
from tests.components.shipped import SHIPPED
from tests.game import toys

SHIPPED_HERE = sorted(SHIPPED['dynamics'])
KEY = jax.random.key(0)


def start(name, rules=None, **options):
  """(game, a step of it, state) of the smallest game."""
  made = select.dynamics(name, **options)
  game = tiny.rules(**(rules or {}))._replace(remember=made.init)
  one = {'x': jnp.zeros((1, 2)), 'index': jnp.zeros(1, int), 'step': 0}
  return game, made.make(game), beginning.init(game, KEY, one)


def batch(n=1):
  x = np.random.default_rng(1).normal(size=(n, tiny.BATCH, 2))
  index = np.arange(tiny.BATCH)
  return {'x': jnp.asarray(x, jnp.float32), 'index': index, 'step': 0}


def program(name, **options):
  _, step, state = start(name, {'optimizer': optax.sgd(0.2)}, **options)
  n = options.get('d_steps', 1)
  text = str(jax.make_jaxpr(step)(state, batch(n), KEY))
  return text, jax.tree.structure(state)


# Another value of each option that is none of twice the usual.
OTHERS = {
  'align': False,
  'plain': True,
  'base': 'simultaneous',
  'of_base': {'gamma': 0.7},
  'beta': 0.3,
  'super_k': 10,
  'alpha': 0.7,
}
BESIDE = {'of_base': {'base': 'consensus'}, 'rate': {'plain': True}}


def cases():
  for name in SHIPPED_HERE:
    made = select.module('dynamics', name, flag='')
    for option, p in options_lib.taken_by(made.make).items():
      yield name, option, OTHERS.get(option, 2 * p.default if p.default else 1)


@pytest.mark.parametrize('name, option, value', list(cases()))
def test_another_value_is_another_program(name, option, value):
  beside = {'unroll': 1} if name == 'unrolled' and option != 'unroll' else {}
  beside |= BESIDE.get(option, {})
  assert program(name, **beside) != program(name, **beside, **{option: value})


def test_inits_and_periods_take_what_makes_take():
  for name in SHIPPED_HERE:
    file = select.module('dynamics', name, flag='')
    takes = options_lib.taken_by(file.make)
    for function in (
      getattr(file, 'init', None),
      getattr(file, 'period', None),
    ):
      for option, p in (
        options_lib.taken_by(function).items() if function else ()
      ):
        assert p.default == takes[option].default, (name, option)


def test_the_period_of_lookahead():
  of = lambda **kw: select.dynamics('lookahead', **kw).period()
  assert of() == 5 and of(k=3) == 3 and of(k=3, super_k=9) == 9
  toy = toys.Toy('bilinear', dynamics={'name': 'lookahead', 'k': 4})
  assert toy.made().period == 4 and toys.Toy('bilinear').made().period == 1


# What is refused


ONE = (
  'extragradient', 'proximal', 'optimistic', 'consensus', 'symplectic',
  'unrolled',
)  # fmt: skip


@pytest.mark.parametrize('name', ONE)
def test_lazy_terms_are_refused(name):
  line = rf'penalties.r1.every=4: dynamics.name={name} .* expected every=1'
  with pytest.raises(UserError, match=line):
    start(name, {'penalties': {'r1': {'every': 4}}})


@pytest.mark.parametrize('name', ['negative_momentum', 'lookahead'])
def test_lazy_terms_are_kept_where_moves_are_as_usual(name):
  _, step, state = start(name, {'penalties': {'r1': {'every': 4}}})
  _, metrics = jax.eval_shape(step, state, batch(), KEY)
  assert 'penalty_r1' in metrics


MISTAKES = [
  ('proximal', {'iterations': 0}, 'dynamics.iterations=0: expected at least 1'),
  ('optimistic', {'strength': -1.0}, 'dynamics.strength=-1.0: expected >= 0'),
  ('consensus', {'gamma': -0.1}, 'dynamics.gamma=-0.1: expected >= 0'),
  ('consensus', {'gamma': float('nan')}, 'dynamics.gamma=nan'),
  ('symplectic', {'weight': -1.0}, 'dynamics.weight=-1.0: expected >= 0'),
  ('symplectic', {'align': 1}, 'align=1: expected True or False'),
  ('negative_momentum', {'beta': -1.0}, 'beta=-1.0: expected between -1 and 1'),
  ('negative_momentum', {'beta': 1.5}, 'beta=1.5: expected between'),
  ('unrolled', {'unroll': -1}, 'dynamics.unroll=-1: expected at least 0'),
  ('unrolled', {'rate': 0.0, 'plain': True}, 'rate=0.0: expected a positive'),
  ('lookahead', {'k': 0}, 'dynamics.k=0: expected at least 1'),
  ('lookahead', {'alpha': 0.0}, 'alpha=0.0: expected above 0, up to 1'),
  ('lookahead', {'alpha': 1.1}, 'alpha=1.1: expected'),
  ('lookahead', {'super_k': 7}, 'super_k=7: expected 0, or a higher multiple'),
  ('lookahead', {'super_k': 5}, 'super_k=5: expected 0, or a higher multiple'),
  ('lookahead', {'base': 'both'}, "dynamics.base='both': there is no such"),
  ('lookahead', {'base': 'lookahead'}, 'dynamics.base=lookahead: expected'),
  ('lookahead', {'of_base': {'gamma': 1.0}}, 'dynamics.of_base.gamma: unknown'),
  (
    'lookahead',
    {'base': 'consensus', 'd_steps': 2},
    'base=consensus moves D once a step, but d_steps=2',
  ),
]


@pytest.mark.parametrize('name, options, line', MISTAKES)
def test_what_will_not_do_is_refused(name, options, line):
  with pytest.raises(UserError, match=line):
    start(name, **options)


def test_a_rate_beside_the_optimizer_would_be_ignored():
  file = select.module('dynamics', 'unrolled', flag='')
  assert file.ignored({'rate': 0.3}) == 'rate'
  for heeded in ({}, {'rate': 0.1}, {'rate': 0.3, 'plain': True}):
    assert file.ignored(heeded) == ''
  own = {'dynamics': {'name': 'unrolled', 'rate': 0.3}}
  config = command.load_config('bilinear:tiny', own)
  with pytest.raises(UserError, match=r'dynamics.rate=0.3 would be ignored'):
    unused_options.check_training(config, setup_lib.build(config))
  assert 'rate' not in program('unrolled', unroll=1)[0]
  assert program('unrolled', rate=0.3) == program('unrolled')


def test_several_steps_of_d_are_refused_where_there_is_one():
  config = command.load_config('bilinear:tiny', {'d_steps': 2})
  config['dynamics'] = {'name': 'optimistic'}
  with pytest.raises(UserError, match='optimistic moves D once a step'):
    setup_lib.build(config)


# Penalties, dead units, seeds, microbatches


def test_dead_units_have_finite_slopes_through_adam():
  """A D of relus that none of its inputs reaches, some updates ahead."""

  class Dead(tiny.Discriminator):
    def __call__(self, x, label=None, *, train):
      return super().__call__(0 * x, label, train=train)

  rules = {'d': Dead, 'optimizer': optax.adam(1e-3), 'penalties': {'r1': {}}}
  _, step, state = start('unrolled', rules, unroll=2)
  after, _ = jax.jit(step)(state, batch(), KEY)
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(after.players))


class Plain(nn.Module):
  """A generator without statistics of the batch."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, z, label=None, *, train):
    return nn.Dense(2)(nn.tanh(nn.Dense(5)(z)))


@pytest.mark.parametrize('name', ['extragradient', 'symplectic'])
def test_microbatches_add_up(name):
  """Of networks that see an example at a time."""
  rules = {'g': Plain, 'penalties': {'r1': {}}}
  found = []
  for parts in (1, 2):
    made = rules | {'microbatches': parts}
    _, step, state = start(name, made)
    found.append(jax.jit(step)(state, batch(), KEY)[0].players)
  assert tiny.distance(*found) < 1e-5


def test_unrolled_updates_are_of_the_whole_batch():
  line = 'microbatches=2: dynamics.name=unrolled .* expected microbatches=1'
  with pytest.raises(UserError, match=line):
    start('unrolled', {'microbatches': 2})


@pytest.mark.parametrize('name', ['proximal', 'optimistic'])
def test_of_two_batches_the_last_is_seen(name):
  _, step, state = start(name)
  two = batch(2)
  other = two | {'x': two['x'].at[0].add(1.0)}
  moved = jax.jit(step)
  one, same = (moved(state, b, KEY)[0].players for b in (two, other))
  assert tiny.distance(one, same) == 0
  last = two | {'x': two['x'].at[1].add(1.0)}
  assert tiny.distance(one, moved(state, last, KEY)[0].players) > 1e-5


@pytest.mark.parametrize('name', ['symplectic', 'lookahead'])
def test_a_seed_beside_others_is_as_if_alone(name):
  game, step, state = start(name, {'penalties': {'r1': {}}})
  many = jax.tree.map(lambda x: jnp.stack([x, x]), state)
  keys = jax.random.split(KEY, 2)
  axes = (0, {'x': None, 'index': None, 'step': None}, 0)
  both, _ = jax.jit(jax.vmap(step, in_axes=axes))(many, batch(), keys)
  alone, _ = jax.jit(step)(state, batch(), keys[1])
  own = jax.tree.map(lambda x: x[1], both)
  assert tiny.distance(own, alone) < 1e-5
  assert forward.DYNAMICS in own.memo or game.remember is None
