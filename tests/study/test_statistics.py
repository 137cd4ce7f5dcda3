"""The statistics of studies, against derivations by hand and by force."""

import itertools
import math

import numpy as np
import pytest

from gan_jax.study.statistics import (
  analysis,
  comparison,
  contrasts,
  planning,
  summary,
)
from gan_jax.study.statistics.types import Contrast

NAN = math.nan


@pytest.fixture
def rng():
  return np.random.default_rng(7)


# Cells


def test_a_spread_by_hand():
  found = summary.spread('a', [4.0, None, 1.0, 2.0, 9.0, NAN, 3.0])
  assert found.values == (4.0, None, 1.0, 2.0, 9.0, None, 3.0)
  assert found.mean == pytest.approx(3.8) and found.median == 3.0
  assert found.iqm == pytest.approx(3.0)  # of 2, 3 and 4
  low, high = found.interval
  assert 1.0 <= low < 3.8 < high <= 9.0


def test_the_middle_half_does_not_feel_a_failed_run():
  good, bad = [1.0] * 7 + [1.1], [1.0] * 7 + [1e6]
  assert summary.spread('a', good).iqm == summary.spread('a', bad).iqm == 1.0


@pytest.mark.parametrize(
  'values, interval',
  [([], None), ([None], None), ([2.0], None), ([2.0, 2.0, 2.0], (2.0, 2.0))],
)
def test_few_or_equal_scores_have_the_interval_that_they_deserve(
  values, interval
):
  assert summary.spread('a', values).interval == interval


def test_the_bootstrap_s_interval_holds_the_mean_as_often_as_it_says(rng):
  draws = rng.exponential(size=(200, 16))
  spans = [summary.spread('a', draw).interval for draw in draws]
  held = np.mean([low <= 1.0 <= high for low, high in spans])
  assert 0.86 < held <= 1.0  # of .95; a skewed one, and few


def test_failures_and_wilson_s_interval_by_its_formula():
  verdicts = ['healthy'] * 12 + ['diverged', 'mode collapse', 'D wins', '']
  found = summary.failures('a', verdicts)
  assert (found.count, found.of) == (2, 16)
  assert found.kinds == {'diverged': 1, 'mode collapse': 1}
  z, n, p = 1.959963984540054, 16, 2 / 16
  middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
  half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
  assert found.interval == pytest.approx((middle - half, middle + half))
  assert summary.failures('a', []).interval == (0.0, 1.0)


# Contrasts

LEVELS = {'loss': ('a', 'b'), 'penalty': ('none', 'r1', 'gp')}
GRID = {
  f'{loss} {penalty}': {'loss': loss, 'penalty': penalty}
  for loss, penalty in itertools.product(*LEVELS.values())
}
BASE = {'loss': 'a', 'penalty': 'none'}


def test_cells_against_the_baseline():
  assert contrasts.against('b', 'abc') == [
    Contrast('a', 'cell', {'a': 1.0, 'b': -1.0}),
    Contrast('c', 'cell', {'c': 1.0, 'b': -1.0}),
  ]


def answer(contrast, table):
  return sum(w * table[cell] for cell, w in contrast.weights.items())


def test_main_effects_and_interactions_of_a_grid_by_hand():
  #                 none r1  gp
  # a                 1   2   4
  # b                 3   5  10
  table = dict(zip(GRID, (1.0, 2.0, 4.0, 3.0, 5.0, 10.0), strict=True))
  main = {
    c.name: answer(c, table) for c in contrasts.main_effects(LEVELS, GRID, BASE)
  }
  assert main == pytest.approx(
    {
      'loss: b': (3 - 1 + 5 - 2 + 10 - 4) / 3,
      'penalty: r1': (2 - 1 + 5 - 3) / 2,
      'penalty: gp': (4 - 1 + 10 - 3) / 2,
    }
  )
  both = {
    c.name: answer(c, table) for c in contrasts.interactions(LEVELS, GRID, BASE)
  }
  assert both == pytest.approx(
    {
      'loss: b × penalty: r1': (5 - 2) - (3 - 1),
      'loss: b × penalty: gp': (10 - 4) - (3 - 1),
    }
  )


def test_an_interaction_is_averaged_over_the_other_factors(rng):
  levels = {'x': ('0', '1'), 'y': ('0', '1'), 'w': ('0', '1', '2')}
  cells = {
    ''.join(at): dict(zip(levels, at, strict=True))
    for at in itertools.product(*levels.values())
  }
  table = {name: rng.normal() for name in cells}
  base = dict.fromkeys(levels, '0')
  found = contrasts.interactions(levels, cells, base)
  one = next(c for c in found if c.name == 'x: 1 × y: 1')
  each = [
    table[f'11{w}'] - table[f'01{w}'] - table[f'10{w}'] + table[f'00{w}']
    for w in '012'
  ]
  assert answer(one, table) == pytest.approx(np.mean(each))


def test_one_factor_has_no_effects_beside_its_differences():
  cells = {'a': {'loss': 'a'}, 'b': {'loss': 'b'}}
  levels, base = {'loss': ('a', 'b')}, {'loss': 'a'}
  assert contrasts.main_effects(levels, cells, base) == []
  assert contrasts.interactions(levels, cells, base) == []


# Tests


@pytest.mark.parametrize('n', [2, 5, 9, 12])
def test_the_permutation_test_tries_all_signs(n, rng):
  d = rng.normal(0.4, 1, n)
  signs = itertools.product((1, -1), repeat=n)
  means = np.array([np.dot(s, d) / n for s in signs])
  share = np.mean(np.abs(means) >= abs(d.mean()) * (1 - 1e-12))
  assert comparison.paired_p(d) == pytest.approx(share, abs=1e-12)


def test_beyond_sixteen_pairs_signs_are_drawn_and_always_the_same(rng):
  from scipy import stats

  d = rng.normal(0.5, 1, 24)
  p = comparison.paired_p(d)
  assert p == comparison.paired_p(d)
  assert p == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.01)


def test_no_difference_at_all():
  assert comparison.paired_p(np.zeros(5)) == 1.0
  assert comparison.paired_p(np.ones(1)) is None


def test_holm_by_hand():
  # Sorted .005, .01, .03, .04 -> times 4, 3, 2, 1, never falling.
  assert comparison.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
    [0.03, 0.06, 0.06, 0.02]
  )
  assert comparison.holm([0.9, None, 0.02]) == pytest.approx(
    [1.0, None, 0.06], nan_ok=True
  )


def test_hedges_correction():
  d = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
  plain = d.mean() / d.std(ddof=1)
  assert comparison.hedges(d) == pytest.approx(plain * (1 - 3 / 15))
  assert comparison.hedges(np.ones(4)) is None


def ask(differences, *, lower=False, tests=1):
  """The first of some comparisons of a with zeros."""
  values = {'a': list(differences), 'zero': [0.0] * len(differences)}
  asked = [Contrast('a', 'cell', {'a': 1.0, 'zero': -1.0})] * tests
  return comparison.compare(asked, values, lower_is_better=lower)[0]


def test_verdicts():
  up = np.array([1.0, 1.1, 0.9, 1.2, 1.0, 0.8, 1.0, 1.1])
  assert ask(up).verdict == 'better' and ask(-up).verdict == 'worse'
  assert ask(up, lower=True).verdict == 'worse'
  assert ask(-up, lower=True).words.startswith('better by 1.01 (0.9')
  noise = np.array([1.0, -1.1, 0.9, -1.2, 1.0, -0.8, 1.0, -1.1])
  found = ask(noise)
  assert found.verdict == 'no difference'
  most = max(map(abs, found.interval))
  assert found.words == f'no difference larger than {most:.3g} seen'


def test_too_few_seeds_cannot_tell_however_clear_it_looks():
  found = ask([5.0, 5.1, 4.9, 5.0, 5.2])  # the least p is 2 / 2^5
  assert found.p == pytest.approx(0.0625)
  assert found.verdict == 'cannot tell'
  assert found.words == 'cannot tell from 5 pairs; 6 would do'
  # Six seeds do for one comparison, not for five.
  six = [5.0, 5.1, 4.9, 5.0, 5.2, 5.1]
  assert ask(six).verdict == 'better'
  assert ask(six, tests=5).verdict == 'cannot tell'


def test_a_seed_counts_where_all_its_scores_are_there():
  values = {'a': [1.0, None, 3.0, NAN], 'b': [0.5, 1.0, 1.0, 1.0]}
  asked = [Contrast('a', 'cell', {'a': 1.0, 'b': -1.0})]
  found = comparison.compare(asked, values, lower_is_better=False)[0]
  assert found.differences == (0.5, 2.0)
  none = {'a': [None, None], 'b': [1.0, 1.0]}
  found = comparison.compare(asked, none, lower_is_better=False)[0]
  assert found.differences == () and found.p is None
  assert found.verdict == 'cannot tell'


def test_mistakes_of_the_caller():
  asked = [Contrast('a', 'cell', {'a': 1.0, 'b': -1.0})]
  for values in ({'a': [1.0]}, {'a': [1.0], 'b': [1.0, 2.0]}):
    with pytest.raises(ValueError):
      comparison.compare(asked, values, lower_is_better=True)
  with pytest.raises(ValueError, match='level'):
    comparison.compare([], {}, lower_is_better=True, level=1.5)


def test_an_analysis_of_a_metric_that_is_not_tested():
  found = analysis.analyse(
    {'a': [1.0, 2.0]}, (), metric='fid', lower_is_better=True, baseline=''
  )
  assert found.comparisons == () and found.cells[0].mean == 1.5


# Planning


def test_seeds_that_a_test_needs():
  for tests in (1, 2, 5, 22):
    n = planning.seeds_needed(tests)
    assert planning.smallest_p(n) <= 0.05 / tests
    assert planning.smallest_p(n - 1) > 0.05 / tests
  assert [planning.seeds_needed(t) for t in (1, 5)] == [6, 8]


def test_power_against_tables_and_simulation(rng):
  # Cohen's paired t-test: n = 34, d = .5, two-sided .05 has 80.8 % power.
  assert planning.power(34, 0.5) == pytest.approx(0.808, abs=1e-3)
  d = rng.normal(0.9, 1, (2000, 12))
  seen = np.mean([comparison.paired_p(row) <= 0.05 for row in d[:400]])
  error = math.sqrt(0.25 / 400)
  assert seen == pytest.approx(planning.power(12, 0.9), abs=3 * error)


def test_what_can_be_detected_has_the_power():
  for n, level in ((8, 0.05), (16, 0.01)):
    effect = planning.detectable_effect(n, level=level)
    assert planning.power(n, effect, level=level) == pytest.approx(0.8)
  assert planning.detectable_effect(5) is None
  assert planning.power(5, 100.0) == 0.0
  assert planning.power(16, 30.0) == pytest.approx(1.0)


def test_advice():
  (line,) = planning.advice(4, 5)
  assert line == (
    'With 4 seeds no difference can reach 0.05 over 5 comparisons: 8 seeds'
    ' would do.'
  )
  (line,) = planning.advice(16, 1)
  assert 'one comparison' in line and '0.75 standard deviations' in line
  # Of several, each is tested at its share of the level.
  (line,) = planning.advice(16, 5)
  effect = planning.detectable_effect(16, level=0.05 / 5)
  assert f'5 comparisons, a difference of {effect:.2g} standard' in line
  assert effect > 0.9
