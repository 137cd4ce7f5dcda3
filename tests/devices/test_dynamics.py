"""Dynamics that go through gradients, or remember: the same on any devices."""

import pytest

from gan_jax.devices import parallel
from tests import tiny
from tests.devices.test_parallel import ran

GAME = {'loss': 'ragan', 'penalties': {'r1': {'gamma': 0.1}}}
WAYS = {
  'extragradient': {},
  'proximal': {'iterations': 3},
  'optimistic': {},
  'consensus': {},
  'symplectic': {},
  'negative_momentum': {'d_steps': 1},
  'unrolled': {'unroll': 2},
  'lookahead': {'k': 2, 'base': 'optimistic'},
}


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize('name', WAYS)
def test_the_same_on_eight_devices(name, wrapper):
  """SGD: Adam would hide a wrong scale of the gradient."""
  game = {**GAME, 'update': name, 'own': WAYS[name]}
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  assert tiny.distance(one, many) < 2e-6
  plain, _ = ran('jit', 1, **GAME, update='simultaneous')
  assert tiny.distance(one.players, plain.players) > 1e-5
