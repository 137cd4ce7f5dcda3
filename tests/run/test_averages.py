"""Averages by a power of time in runs: resumed, and of another width later."""

import jax
import numpy as np
import pytest

import gan_jax
from gan_jax import evaluate, sample
from gan_jax.game import ema_posthoc
from gan_jax.run import command, training
from gan_jax.types import UserError
from tests import tiny
from tests.bad_input import refused

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


def test_the_commands_take_a_width(run, tmp_path, capfd):
  own = gan_jax.load(run, ema=0.15).sample(3)
  flags = [f'--out={tmp_path}/a.npz', '--num=3', '--ema=.15']
  sample.main(['', f'--workdir={run}', *flags])
  assert '(an average of width 0.15)' in capfd.readouterr().out
  with np.load(tmp_path / 'a.npz') as arrays:
    np.testing.assert_array_equal(arrays['samples'], own)
  np.testing.assert_array_equal(gan_jax.sample(run, 3, ema=0.15), own)
  score = ['', f'--workdir={run}', '--metrics=modes']
  for flag in ([], ['--ema=.15']):
    evaluate.main(score + flag)
  records = gan_jax.load(run).scores
  widths = [r.get('ema_width') for r in records]
  assert widths[-2:] == [None, 0.15] and not any(widths[:-1])
  (record,) = gan_jax.evaluate(run, metrics='modes', ema=0.2)
  plain = {k: v for k, v in record.items() if k != 'ema_width'}
  assert record['ema_width'] == 0.2 and plain == records[-2]
  main = lambda argv: sample.main(['', f'--workdir={run}', *argv[1:]])
  for flag, words in (
    ('--ema=wide', 'ema=wide: expected a number'),
    ('--ema=', '--ema=: expected a value'),
    ('--ema=0.5', 'ema=0.5: expected above 0, and at'),
  ):
    refused(
      capfd, main, [f'--out={tmp_path}/x.npz', flag], words, root=tmp_path / 'x'
    )
  with pytest.raises(UserError, match='ema: a run is opened with it'):
    gan_jax.load(run).sample(3, ema=0.15)


def test_what_is_refused(run, tmp_path):
  with pytest.raises(UserError, match=r'ema=0\.5: expected above 0, and at'):
    gan_jax.load(run, ema=0.5)
  train(tmp_path, 2, ema={'halflife_kimg': 1.0})
  with pytest.raises(UserError, match=r'ema=0\.1: this run keeps no averages'):
    gan_jax.load(tmp_path, ema=0.1)
