"""What augmentations make of a batch as a whole is of the global batch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.devices import parallel
from gan_jax.devices.layout import Layout, Work
from gan_jax.game import beginning, keys, rules, step
from gan_jax.run import command
from tests import tiny

B, STEPS, SHAPE = 16, 3, (4, 5, 1)
SGD = dict.fromkeys('gd', {'name': 'sgd', 'learning_rate': 0.1})
NET = {
  'name': 'mlp',
  'g': {'hidden': (4,)},
  'd': {'hidden': (4,), 'activation': 'tanh'},
}
FAST = {'kimg': 0.05, 'interval': 1, 'p': 0.5}
FALLING = {
  'name': 'linear_schedule',
  'init_value': 0.5,
  'end_value': 0.0,
  'transition_steps': 4,
}
GAMES = {
  'chain': {
    'name': 'apa',
    **FAST,
    'then': {'name': 'ada', **FAST, 'groups': ('color', 'cutout')},
  },
  'cutmix': {'name': 'cutmix', 'p': 1.0},
  'noise': {
    'name': 'diffusion_noise',
    **FAST,
    'then': {'name': 'instance_noise', 'sigma': FALLING},
    'synced': True,
  },
}
DATA = {
  'x': np.random.default_rng(0).normal(size=(40, *SHAPE)).astype(np.float32)
}


def feed(data, key, at, index, *, batches=1):
  del key, batches
  rows = (7 * (at * B + index[None])) % len(DATA['x'])
  return {name: value[rows] for name, value in data.items()}  # [1, b, ...]


@functools.cache
def trained(name, wrapper, devices):
  """(states, metrics) after some steps."""
  changed = {
    'augment': GAMES[name],
    'loss': {'name': 'rpgan'},
    'model': NET,
    'optim': SGD,
    'penalties': {} if name == 'chain' else {'r1': {'gamma': 0.1}},
    'd_steps': 1,
  }
  config = command.load_config('ring8:tiny', {}) | changed
  given = rules.Given(SHAPE, 0, jnp.float32, B)
  make = functools.partial(rules.make, rules.complete(config), given)
  game = make().game
  one = {
    'x': jnp.zeros((1, *SHAPE)),
    'index': jnp.zeros(1, int),
    'step': jnp.int32(0),
  }
  roots = keys.seed_keys(0, 1)
  begin = lambda root: beginning.init(game, root, one)
  state = jax.jit(jax.vmap(begin))(roots)

  def make_step(axis, unroll):
    move = make(axis=axis, unroll=unroll).step
    return lambda state, batch, key, numbers=None: move(state, batch, key)

  program = parallel.make_program(
    Work(make_step, feed, step.metric_names(game.terms)),
    keys=roots,
    batch_size=B,
    wrapper=wrapper,
    layout=Layout(loop=True, seeds='vmap'),
    devices=jax.devices()[:devices],
  )
  state, total = program.put(state), program.put(program.zeros)
  state, total = program.advance(state, total, DATA, STEPS)
  return jax.device_get((program.get(state), program.get(total)))


def cases():
  for name in GAMES:
    for wrapper, devices in (('shard_map', 8), ('pmap', 2)):
      slow = wrapper == 'pmap' or name == 'chain'
      marks = [pytest.mark.slow] if slow else []
      yield pytest.param(name, wrapper, devices, marks=marks)


@pytest.mark.parametrize('name, wrapper, devices', list(cases()))
def test_the_same_on_any_number_of_devices(name, wrapper, devices):
  """SGD: Adam would hide a wrong scale of the gradient."""
  one, many = trained(name, 'jit', 1), trained(name, wrapper, devices)
  assert tiny.distance(one, many) < 1e-5
  assert one[0].step.tolist() == [STEPS]
  memo = one[0].memo['augment']
  for own in memo.values() if isinstance(memo, dict) else ():
    if own:  # p has moved, and is the very same
      assert own['p'] != 0.5
  tree = jax.tree.map(
    lambda a, b: (a == b).all(), memo, many[0].memo['augment']
  )
  assert all(jax.tree.leaves(tree))
