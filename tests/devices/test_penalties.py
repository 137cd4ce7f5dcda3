"""Penalties and changes that look at the batch: the same on any devices."""

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

B, STEPS = 16, 2
SGD = dict.fromkeys('gd', {'name': 'sgd', 'learning_rate': 0.05})
NET = {
  'name': 'mlp',
  'g': {'hidden': (4,)},
  'd': {'hidden': (4,), 'activation': 'tanh'},
}
HINGED = {'loss': {'name': 'hinge'}, 'conditioning': {'name': 'multi_hinge'}}
NOISE = 'tests.pairs.noise'
# Losses that look at the batch, whose changes have to see all of it too.
GAMES = {
  'changes': {
    'loss': {'name': 'ragan'},
    'penalties': {
      'label_flip': {'p': 0.4},
      'top_k': {'gamma': 0.7, 'decay_every': 1},
      'gradient_normalisation': {},
    },
  },
  'd': {
    'loss': {'name': 'rpgan'},
    'penalties': {
      'lecam': {'start': 1, 'decay': 0.5},
      'max_gp': {'weight': 0.1},
      'fd_r1': {'epsilon': 0.5, 'one_in': 2},
      'fd_r2': {'epsilon': 0.5},
      'r1': {'gamma': 0.1},
      'r2': {'gamma': 0.1},
    },
  },
  'consistency': {
    'penalties': {
      'icr': {'augment': NOISE, 'sigma': 0.3},
      'logit_centring': {},
      'mode_seeking': {'weight': 0.1},
      'orthogonal': {},
    },
  },
  'features': {
    **HINGED,
    'penalties': {'feature_matching': {}, 'pull_away': {}},
  },
}
X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
DATA = {'x': X, 'label': (np.arange(40) ** 2 % 7 % 3).astype(np.int32)}


def feed(data, key, at, index, *, batches=1):
  del key, batches
  rows = (7 * (at * B + index[None])) % len(X)
  return {name: value[rows] for name, value in data.items()}  # [1, b, ...]


@functools.cache
def trained(name, wrapper, devices):
  """(states, metrics) after some steps."""
  changed = {'model': NET, 'optim': SGD, 'd_steps': 1, **GAMES[name]}
  config = command.load_config('ring8:tiny', {}) | changed
  given = rules.Given((2,), 3, jnp.float32, B)
  make = functools.partial(rules.make, rules.complete(config), given)
  game, one = make().game, jnp.zeros(1, int)
  first = {'x': jnp.zeros((1, 2)), 'label': one, 'index': one, 'step': 0}
  roots = keys.seed_keys(0, 1)
  state = jax.vmap(lambda root: beginning.init(game, root, first))(roots)

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


@pytest.mark.parametrize('wrapper, devices', [('shard_map', 8), ('pmap', 2)])
@pytest.mark.parametrize('name', GAMES)
def test_the_same_on_any_number_of_devices(name, wrapper, devices):
  """SGD: Adam would hide a wrong scale of the gradient."""
  one, many = trained(name, 'jit', 1), trained(name, wrapper, devices)
  assert tiny.distance(one, many) < 1e-5
  assert one[0].step.tolist() == [STEPS]
  for metric, total in one[1].items():
    assert np.isfinite(total).all() and np.abs(total).max() > 0, metric
