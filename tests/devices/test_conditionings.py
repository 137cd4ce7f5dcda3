"""What a conditioning compares within a batch is the global batch's."""

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

K, B, STEPS = 3, 16, 2
SGD = dict.fromkeys('gd', {'name': 'sgd', 'learning_rate': 0.1})
NET = {
  'name': 'mlp',
  'g': {'hidden': (4,)},
  'd': {'hidden': (4,), 'activation': 'tanh'},
}
GAMES = {
  'ac': {'name': 'ac', 'fakes': True},
  'contrastive': {'name': 'contrastive', 'auxiliary': 'adc', 'embedding': 5},
  'd2d_ce': {'name': 'd2d_ce', 'auxiliary': 'tac', 'embedding': 5},
  'studiogan': {'name': 'd2d_ce', 'variant': 'studiogan', 'embedding': 5},
  'multi_hinge': {'name': 'multi_hinge', 'g_weight': 1.0},
  'vectors': {'name': 'projection'},
}
X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
DATA = {'x': X, 'label': (np.arange(40) ** 2 % 7 % K).astype(np.int32)}
VECTORS = {'x': X, 'label': np.stack([X[:, 0], X[:, 1], X.sum(1)], -1)}


@functools.cache
def options_of(name):
  changed = {
    'conditioning': GAMES[name],
    'loss': {'name': 'hinge'},
    'model': NET,
    'optim': SGD,
    'penalties': {},
    'd_steps': 1,
  }
  return rules.complete(command.load_config('ring8:tiny', {}) | changed)


def feed(data, key, at, index, *, batches=1):
  del key, batches
  rows = (7 * (at * B + index[None])) % len(X)
  return {name: value[rows] for name, value in data.items()}  # [1, b, ...]


@functools.cache
def trained(name, wrapper, devices):
  """(states, metrics) after some steps."""
  vectors = name == 'vectors'
  given = rules.Given((2,), K, jnp.float32, B, vectors=vectors)
  make = functools.partial(rules.make, options_of(name), given)
  game = make().game
  index = jnp.zeros(1, int)
  one = {
    'x': jnp.zeros((1, 2)),
    'label': jnp.zeros_like(VECTORS['label'][:1]) if vectors else index,
    'index': index,
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
  state, total = program.advance(
    state, total, VECTORS if vectors else DATA, STEPS
  )
  return jax.device_get((program.get(state), program.get(total)))


@pytest.mark.parametrize('wrapper, devices', [('shard_map', 8), ('pmap', 2)])
@pytest.mark.parametrize('name', GAMES)
def test_the_same_on_any_number_of_devices(name, wrapper, devices):
  """SGD: Adam would hide a wrong scale of the gradient."""
  one, many = trained(name, 'jit', 1), trained(name, wrapper, devices)
  assert tiny.distance(one, many) < 1e-5
  assert one[0].step.tolist() == [STEPS]
