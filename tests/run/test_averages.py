"""Averages by a power of time in runs: resumed, and of another width later."""

import jax
import numpy as np
import pytest

import gan_jax
from gan_jax.game import ema_posthoc
from gan_jax.run import command, training
from gan_jax.types import UserError
from tests import tiny

POWER = {'name': 'power', 'sigma': 0.2, 'more': (0.1,)}


def train(workdir, steps, **changes):
  config = command.load_config('configs/ring8.py:tiny')
  config |= {'health_every': 0, 'eval_every': 0, 'save_every': 2}
  training.train(config | {'steps': steps, 'ema': POWER} | changes, workdir)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('run')
  train(workdir, 2)
  train(workdir, 4)
  return workdir


def state_of(workdir, **kw):
  return jax.device_get(gan_jax.load(workdir, **kw)._state)


def test_resumed_it_has_the_same_averages(run, tmp_path):
  train(tmp_path, 4)
  one, other = state_of(tmp_path).ema, state_of(run).ema
  assert set(one) == {'g', 'g@1'}
  assert tiny.distance(one, other) == 0
  assert tiny.distance(one['g'], one['g@1']) > 0


def test_another_width_is_made_of_those_that_are_kept(run):
  whole = state_of(run)
  for sigma, name in ((0.2, 'g'), (0.1, 'g@1')):
    own = state_of(run, ema=sigma).ema
    assert set(own) == {'g'}
    assert tiny.distance(own['g'], whole.ema[name]) < 1e-6
  # Two checkpoints are kept, of two averages each.
  there = [(4, whole), (2, state_of(run, checkpoint=2))]
  kept = [
    (ema_posthoc.Profile(sigma, step), state.ema[name]['params'])
    for step, state in there
    for sigma, name in ((0.2, 'g'), (0.1, 'g@1'))
  ]
  wanted = ema_posthoc.Profile(0.15, 4)
  own = ema_posthoc.factors([profile for profile, _ in kept], wanted)
  total = lambda *leaves: sum(f * x for f, x in zip(own, leaves, strict=True))
  want = jax.tree.map(total, *(tree for _, tree in kept))
  made = gan_jax.load(run, ema=0.15)
  assert tiny.distance(made._state.ema['g']['params'], want) < 1e-5
  assert 0 < made.ema_distance < 0.2
  assert gan_jax.load(run).ema_distance == 0
  usual, own = (gan_jax.load(run, ema=e).sample(3) for e in (None, 0.15))
  assert np.abs(usual - own).max() > 0


def test_what_is_refused(run, tmp_path):
  with pytest.raises(UserError, match=r'ema=0\.5: expected above 0, and at'):
    gan_jax.load(run, ema=0.5)
  train(tmp_path, 2, ema={'halflife_kimg': 1.0})
  with pytest.raises(UserError, match=r'ema=0\.1: this run keeps no averages'):
    gan_jax.load(tmp_path, ema=0.1)
