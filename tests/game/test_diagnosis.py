"""Verdicts: on figures made up, and on runs made to fail in each way."""

import re

import jax
import pytest

from gan_jax.game.health import diagnosis
from gan_jax.game.health.diagnosis import diagnose
from gan_jax.run import command, loop
from gan_jax.run import setup as setup_lib

WELL = {
  'd_loss': 1.3,
  'g_loss': 0.8,
  'health_separation': 0.7,
  'health_reach': 0.05,
  'health_diversity': 1.0,
  'health_real': 0.2,
  'health_fake': -0.2,
  'health_held_out': 0.18,
  'health_nonfinite': 0.0,
}


def rows(n=8, *, start=0, **changes):
  """n reports; what is changed is so from the report `start` on."""
  healths = {k: v for k, v in changes.items() if f'health_{k}' in WELL}
  changes = {
    f'health_{k}' if k in healths else k: v for k, v in changes.items()
  }
  return [
    {'step': 100 * (i + 1)} | WELL | (changes if i >= start else {})
    for i in range(n)
  ]


def test_a_run_that_is_well():
  found = diagnose(rows())
  assert found == (
    diagnosis.HEALTHY,
    'separation 0.70, diversity 1.00; modes, classes or precision not scored',
  )


@pytest.mark.parametrize(
  'changes, verdict, words',
  [
    ({'d_loss': None}, 'diverged', 'd_loss is not finite at step 700'),
    ({'g_loss': -2e6}, 'exploded', r'g_loss is -2e\+06 at step 700'),
    ({'nonfinite': 3.0}, 'diverged', '3 weights are not finite'),
    ({'reach': None}, 'exploded', 'health_reach is not finite'),
    ({'reach': None, 'nonfinite': 2.0}, 'diverged', '2 weights'),
    ({'diversity': 4.1}, 'exploded', 'scatter: diversity 4.1, above 4'),
    ({'diversity': 0.49}, 'mode collapse', 'diversity 0.49, below 0.5'),
    ({'diversity': 0.51}, 'healthy', ''),
    ({'held_out': -0.02}, 'D overfits', '0.55 of the gap .* above 0.5'),
    ({'held_out': 0.02}, 'healthy', ''),
    # Where D does not tell them apart there is no gap.
    ({'held_out': -0.02, 'separation': 0.55}, 'healthy', ''),
    ({'held_out': -5.0, 'fake': 0.3, 'separation': 0.9}, 'healthy', ''),
    ({'separation': 0.99, 'reach': 0.3}, 'D wins', 'separation 0.990.*0.30'),
    ({'separation': 0.99}, 'healthy', ''),
    ({'separation': 0.98, 'reach': 0.3}, 'healthy', ''),
    # Reals and fakes alike, though held-out reals are not.
    (
      {'fake': 0.2, 'real': 0.2, 'held_out': -5.0, 'separation': 0.9},
      'healthy',
      '',
    ),
    ({'reach': 0.3}, 'healthy', ''),
    # Several at once: what may be the cause of the others.
    (
      {'separation': 0.99, 'reach': 0.3, 'diversity': 0.1, 'held_out': -0.1},
      'D overfits',
      '',
    ),
    ({'separation': 0.99, 'reach': 0.3, 'diversity': 0.1}, 'D wins', ''),
    ({'separation': 0.99, 'reach': 0.3, 'diversity': 9.0}, 'D wins', ''),
  ],
)
def test_each_illness_has_its_sign(changes, verdict, words):
  found = diagnose(rows(start=6, **changes))
  assert found.verdict == verdict
  assert re.search(words, found.reason)


def test_only_the_end_counts():
  """The last two of eight; of two reports the last one."""
  early = rows(n=6, diversity=0.1, d_loss=None) + rows()[6:]
  assert diagnose(early).verdict == 'healthy'
  assert diagnose(early[:6]).verdict == 'diverged'
  assert diagnose(rows(n=2, start=1, diversity=0.1)).verdict == 'mode collapse'
  # Their mean counts, not each.
  mixed = rows(start=6, diversity=0.3)[:7] + rows()[7:]
  assert diagnose(mixed).verdict == 'healthy'


def test_each_seed_has_its_own():
  both = rows()
  for row in both:
    for name in set(row) - {'step'}:
      row[name] = [row[name], row[name]]
    row['health_diversity'][1] = 0.1
  both[-1]['g_loss'] = [0.8, None]
  assert diagnose(both, 0).verdict == 'healthy'
  assert diagnose(both, 1).verdict == 'diverged'
  both[-1]['g_loss'] = [0.8, 0.8]
  assert diagnose(both, 1).verdict == 'mode collapse'


def test_what_was_not_measured():
  assert diagnose([]).verdict == diagnosis.UNKNOWN == ''
  bare = [{'step': 10, 'd_loss': 1.0, 'g_loss': 1.0}]
  assert diagnose(bare) == ('', 'the health was not measured')
  dead = {'step': 10, 'modes': 0.0, 'modes_of': 8, 'high_quality': 0.0}
  assert diagnose([*bare, dead]).verdict == 'misses the data'
  # But a loss that is not finite tells.
  assert diagnose([bare[0] | {'d_loss': None}]).verdict == 'diverged'
  # Scores are rows of their own; a data set may hold nothing out.
  scores = [{'step': 800, 'fid': 3.0}, {'step': 900, 'fid': None}]
  without = [{k: v for k, v in r.items() if 'held' not in k} for r in rows()]
  assert diagnose(without + scores).verdict == 'healthy'
  # The last reports may have been too short for a look.
  assert diagnose([*rows(diversity=0.1), {**bare[0], 'step': 2000}]) == (
    'mode collapse',
    'diversity 0.10, below 0.5 of the data',
  )


# Runs made to fail.

RUNS = {
  'healthy': {'steps': 1000, 'penalties': {'r1': {'gamma': 0.02}}},
  'exploded': {
    'steps': 60,
    'optim.g.learning_rate': 1e2,
    'optim.d.learning_rate': 1e2,
  },
  'mode collapse': {
    'steps': 1000,
    'optim.g.learning_rate': 2e-2,  # 1e-2: of eight seeds one recovers
    'optim.g.b1': 0.9,
    'optim.d.b1': 0.9,
  },
  'D overfits': {
    'steps': 600,
    'd_steps': 3,
    'data': {'name': 'swissroll', 'size': 16},
    'model.d.hidden': (256, 256),
  },
  'D wins': {
    'steps': 1000,
    'optim.g.learning_rate': 1e-6,
    'optim.d.learning_rate': 3e-3,
  },
}


def train(overrides):
  """Rows of eight reports of a small run on points; two seeds."""
  small = {
    'num_seeds': 2,
    'batch_size': 64,
    'penalties': {},
    'model.g.hidden': (64, 64),
    'model.d.hidden': (64, 64),
    'latent.dim': 2,
  }
  overrides = small | {'report_every': overrides['steps'] // 8} | overrides
  config = command.load_config('configs/ring8.py', overrides)
  setup = setup_lib.build(config)
  program = setup_lib.make_program(setup, devices=jax.local_devices()[:1])
  found = []
  nothing = lambda *_: False
  try:
    loop.run(
      program,
      loop.StartPoint(loop.Handed(setup.init())),
      setup_lib.make_data(setup, program, step=0),
      steps=config['steps'],
      cadence=loop.Cadence(config['report_every'], 0, 0),
      calls=loop.Calls(
        lambda step, metrics, state: found.append(
          {'step': step} | {k: v.tolist() for k, v in metrics.items()}
        ),
        *(nothing,) * 3,
      ),
      stop_signal=lambda: None,
    )
  except loop.Diverged:
    pass
  return found


@pytest.mark.parametrize('verdict', RUNS)
def test_a_run_made_to_fail(verdict):
  found = train(RUNS[verdict])
  for seed in range(2):
    assert diagnose(found, seed).verdict == verdict, found[-1]
