"""What a dynamics remembers is in the checkpoint: a resumed run is the same."""

import jax
import numpy as np
import pytest

import gan_jax
from gan_jax.run.workdir import contents

WAYS = {
  'optimistic': {},
  'negative_momentum': {'beta': -0.3},
  # Stopped between two pulls, of both kinds.
  'lookahead': {'k': 3, 'super_k': 6, 'base': 'optimistic'},
}


def state_of(workdir):
  return contents.open_run(workdir)[2]


@pytest.mark.parametrize('name', WAYS)
def test_a_resumed_run_is_the_same_bit_for_bit(name, tmp_path):
  config = gan_jax.recipes.load('quadratic:tiny', num_seeds=2)
  config.dynamics = {'name': name, **WAYS[name]}
  for player in 'gd':
    config.optim[player] = {'name': 'adam', 'learning_rate': 0.01}
  whole, cut = tmp_path / 'whole', tmp_path / 'cut'
  gan_jax.train(config, whole)
  config.steps = 4
  gan_jax.train(config, cut)
  config.steps = 8
  gan_jax.train(config, cut)
  one, other = state_of(whole), state_of(cut)
  assert 'dynamics' in one.memo
  assert jax.tree.structure(one) == jax.tree.structure(other)
  jax.tree.map(np.testing.assert_array_equal, one, other)
  assert all(np.abs(x).max() > 0 for x in jax.tree.leaves(one.memo['dynamics']))
