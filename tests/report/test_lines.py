"""Scores as lines of text say what was measured, and how sure that is."""

import json
from unittest import mock

import pytest

from gan_jax.game.health import diagnosis
from gan_jax.report import lines, reporter


def record(value, metric='fid', **also):
  told = {'features': 'classifier', 'n_fake': 2000, 'n_real': 1797}
  told |= {'reference': 'digits/train', 'draws': 1, 'resize': ''}
  return {'metric': metric, 'value': value, **told, **also}


def test_one_seed_with_its_interval():
  found = lines.summary([record(2.29, interval=[2.1, 2.5])])
  assert found == [
    'fid 2.290 (95 %: 2.100 to 2.500) [classifier, 2,000 samples,'
    ' 1,797 of digits/train]'
  ]


@pytest.mark.parametrize('also', [{'interval': None}, {}])
def test_without_an_interval(also):
  (found,) = lines.summary([record(12.0, **also)])
  assert found.startswith('fid 12 [classifier')


def test_several_seeds_are_told_by_mean_and_range():
  same = [record(v, interval=[0.0, 9.0]) for v in (3.0, 1.0, 2.0)]
  (found,) = lines.summary(same)
  assert found.startswith('fid 2 (1 to 3, 3 seeds) [') and '95 %' not in found


def test_a_line_for_each_metric_in_their_order():
  found = lines.summary(
    [record(1.0, 'kid'), record(2.0), record(3.0, 'kid'), record(4.0)]
  )
  assert [line.split()[:2] for line in found] == [['kid', '2'], ['fid', '3']]
  assert lines.summary([]) == []


@pytest.mark.parametrize(
  'also, where',
  [
    ({'resize': 'clean', 'features': 'inception'}, 'inception, resize clean, '),
    ({'draws': 3}, '1,797 of digits/train, 3 draws]'),
    ({'n_real': 0}, '[classifier, 2,000 samples]'),
    (
      {'n_real': None, 'reference': 'theirs.npz'},
      '[classifier, 2,000 samples, theirs.npz]',
    ),
    ({'features': ''}, '[samples, 2,000 samples'),
  ],
)
def test_the_way_it_was_measured(also, where):
  (found,) = lines.summary([record(1.0, **also)])
  assert where in found


def test_comparison():
  rows = [
    {
      'metric': 'fid', 'a': 2.0, 'b': 3.5, 'difference': -1.5,
      'interval_a': [1.5, 2.5], 'interval_b': None,
    },
    {
      'metric': 'recall', 'a': 0.75, 'b': 0.25, 'difference': 0.5,
      'interval_a': None, 'interval_b': None,
    },
  ]  # fmt: skip
  assert lines.comparison(('runs/a', 'runs/b'), rows) == [
    'a: runs/a',
    'b: runs/b',
    'fid: a 2 (95 %: 1.500 to 2.500), b 3.500, a - b -1.500',
    'recall: a 0.7500, b 0.2500, a - b 0.5000',
  ]


def reports(diversity):
  """Rows of a run whose seeds differ in the diversity of their samples."""
  well = {'separation': 0.6, 'real': 0.1, 'fake': 0.0, 'nonfinite': 0.0}
  well |= dict.fromkeys(('update_ratio', 'grad_real', 'grad_fake'), 1.0)
  well['reach'] = 0.0
  seeds = len(diversity)
  row = {f'health_{name}': [value] * seeds for name, value in well.items()}
  losses = {'d_loss': [1.3] * seeds, 'g_loss': [0.7] * seeds}
  return [{'step': 9, 'health_diversity': diversity, **row, **losses}]


@pytest.mark.parametrize(
  'diversity, told',
  [
    ([1.0], f'healthy (separation 0.60, diversity 1.00; {diagnosis.UNSCORED})'),
    ([0.1], 'mode collapse (diversity 0.10, below 0.5 of the data)'),
    (
      [1.0, 0.1, 0.9],
      '2 healthy, 1 mode collapse (diversity 0.10, below 0.5 of the data)',
    ),
    (
      [0.2, 0.1],
      '2 mode collapse (diversity 0.20, below 0.5 of the data; ...)',
    ),
  ],
)
def test_verdicts_of_a_run_are_counted(diversity, told):
  assert lines.health(reports(diversity)) == told


def test_health_that_was_not_measured_is_not_told():
  assert lines.health([]) == ''
  assert lines.health([{'step': 1, 'd_loss': 1.0, 'g_loss': 1.0}]) == ''


@pytest.mark.parametrize(
  'scores, told',
  [
    ({'modes': [8.0], 'modes_of': [8]}, 'healthy (modes 8 of 8)'),
    (
      {'high_quality': [0.0]},
      'misses the data (high quality 0, below 0.02)',
    ),
    (
      {'class_coverage': [1.0, 0.3]},
      '1 healthy, 1 mode collapse (class coverage 0.3)',
    ),
    # The first seed has no score, hence no number of modes either.
    (
      {'modes': [None, 3.0], 'modes_of': [None, 25]},
      '1 healthy, 1 mode collapse (modes 3 of 25)',
    ),
  ],
)
def test_verdicts_know_the_scores_and_give_the_reason(scores, told):
  seeds = len(next(iter(scores.values())))
  rows = reports([1.0] * seeds)
  assert lines.health([*rows, {'step': 9, **scores}]) == told


def test_each_seed_keeps_its_number_of_modes(tmp_path):
  records = [
    {'metric': 'modes', 'value': None, 'seed': 0, 'reason': 'not finite'},
    {'metric': 'modes', 'value': 2.0, 'seed': 1, 'num_modes': 8},
  ]
  options = {'steps': 9, 'start': 0, 'samples_per_step': 1, 'show': None}
  options |= {'failed': None}
  quiet = mock.MagicMock()
  with reporter.Reporter(tmp_path, **options, progress=quiet) as told:
    told.scores(9, records)
  row = json.loads((tmp_path / 'metrics.jsonl').read_text())
  assert (row['modes'], row['modes_of']) == ([None, 2.0], [None, 8])
  assert '1 mode collapse (modes 2 of 8)' in lines.health(
    [*reports([1.0, 1.0]), row]
  )


@pytest.mark.parametrize(
  'accuracy, told',
  [
    (0.48, 'classifier, only 48% right'),
    (0.81, 'classifier'),
    (None, 'classifier'),
  ],
)
def test_a_doubtful_judge_is_told(accuracy, told):
  record = {
    'metric': 'class_coverage',
    'value': 1.0,
    'features': 'classifier',
    'features_accuracy': accuracy,
    'n_fake': 100,
  }
  (line,) = lines.summary([record])
  assert f'[{told}' in line
  assert ('only' in line) == (accuracy == 0.48)
