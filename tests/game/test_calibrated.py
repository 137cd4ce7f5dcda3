"""Verdicts on what was measured of real runs (experiments/health)."""

import json
import pathlib

import pytest

from gan_jax.game.health.diagnosis import diagnose

RUNS = json.loads(
  pathlib.Path(__file__).with_name('calibrated.json').read_text()
)


@pytest.mark.parametrize('name', RUNS)
def test_verdicts_on_measured_runs(name):
  """With the scores, and by what D and G do to each other alone."""
  run = RUNS[name]
  seeds = range(len(run['verdicts']))
  told = lambda rows: [diagnose(rows, seed).verdict for seed in seeds]
  assert told(run['rows']) == run['verdicts']
  assert told(run['rows'][:1]) == run['without scores']
