"""Statistics where figures tie, are few or are none, and mistakes in calls."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gan_jax.study.statistics import (
  analysis,
  comparison,
  contrasts,
  planning,
  summary,
)
from gan_jax.study.statistics.types import Contrast

LEVELS = {'a': ('0', '1'), 'b': ('0', '1', '2'), 'w': ('0', '1', '2')}
GRID = {
  ''.join(at): dict(zip(LEVELS, at, strict=True))
  for at in itertools.product(*LEVELS.values())
}
BASE = dict.fromkeys(LEVELS, '0')


def by_force(differences):
  """Two-sided p-value of the mean over all signs, in whole numbers."""
  whole = [round(10 * d) for d in differences]
  sums = [
    abs(sum(s * d for s, d in zip(signs, whole, strict=True)))
    for signs in itertools.product((1, -1), repeat=len(whole))
  ]
  return np.mean([s >= abs(sum(whole)) for s in sums])


def ask(values, **options):
  """Each other cell against the first."""
  asked = contrasts.against(next(iter(values)), values)
  return comparison.compare(asked, values, lower_is_better=False, **options)


# Rounding and ties


@pytest.mark.parametrize('seed', range(5))
def test_what_rounding_leaves_is_no_difference(seed):
  scores = np.random.default_rng(seed).uniform(0, 10, 3).round(3)
  # Only w matters, and each seed says the same.
  values = {name: [scores[int(at['w'])]] * 12 for name, at in GRID.items()}
  asked = [
    c
    for c in contrasts.main_effects(LEVELS, GRID, BASE)
    + contrasts.interactions(LEVELS, GRID, BASE)
    if 'w' not in c.name
  ]
  assert len(asked) == 5
  for found in comparison.compare(asked, values, lower_is_better=False):
    assert set(found.differences) == {0.0} and found.p == 1.0
    assert found.interval == (0.0, 0.0)
    assert found.effect is None and found.detectable is None
    assert found.words == 'no difference larger than 0 seen'


@pytest.mark.parametrize('seed', range(6))
def test_ties_of_decimal_scores_are_counted(seed):
  # Decimals that binary numbers only come near; many signs have equal means.
  rng = np.random.default_rng(seed)
  one, two = rng.integers(0, 6, (2, 10)) / 10 + 0.3
  found = ask({'base': two.tolist(), 'a': one.tolist()})[0]
  assert found.p == pytest.approx(by_force(one - two), abs=1e-12)


def test_a_score_that_ran_away_leaves_the_other_seeds_as_they_are():
  found = ask({'base': [0.0] * 4, 'a': [1e30, 0.25, 0.5, 1.0]})[0]
  assert found.differences == (1e30, 0.25, 0.5, 1.0)


def test_nearly_equal_differences_are_equal_and_raise_no_warning():
  found = ask({'base': [0.3] * 8, 'a': [0.3, 0.1 + 0.2] * 4})[0]
  assert set(found.differences) == {0.0}
  nearly = ask({'base': [0.0] * 8, 'a': [0.3, 0.1 + 0.2] * 4})[0]
  low, high = nearly.interval
  assert low == high == pytest.approx(0.3) and nearly.p == 2 / 2**8


# The test


@pytest.mark.parametrize('n', [6, 11, 16])
def test_all_signs_as_scipy_s_permutation_test_tries_them(n):
  d = np.random.default_rng(n).normal(0.5, 1, n)
  test = stats.permutation_test(
    (d,), np.mean, permutation_type='samples', n_resamples=np.inf,
    vectorized=True, batch=4096,
  )  # fmt: skip
  assert comparison.paired_p(d) == test.pvalue


def test_all_signs_in_bounded_memory():
  from tracemalloc import get_traced_memory, start, stop

  d = np.random.default_rng(0).normal(0.5, 1, 16)
  comparison.paired_p(d)  # what is imported is not counted
  start()
  comparison.paired_p(d)
  most = get_traced_memory()[1]
  stop()
  assert most < 8e6  # bytes; all signs at once are 8.4e6, and then their means


# Holm


def test_a_later_step_of_holm_s_calls_what_the_first_could_not():
  # Seven pairs reach .0156 at best: above .05 / 5, but not above .05 / 1.
  values = {str(k): list(k * np.linspace(1, 1.1, 8)) for k in range(6)}
  values['1'][7] = None
  found = ask(values)
  assert [c.p for c in found] == [2 / 2**7] + [2 / 2**8] * 4
  assert [c.p_adjusted for c in found] == pytest.approx([5 / 2**7] * 5)
  assert {c.verdict for c in found} == {'better'}
  # Alone among what is not called, it cannot tell.
  noise = np.array([1.0, -1.1, 0.9, -1.2, 1.0, -0.8, 1.0, -1.1]).tolist()
  values |= {str(k): noise for k in range(2, 6)}
  found = ask(values)
  assert found[0].verdict == 'cannot tell'
  assert found[0].words == 'cannot tell from 7 pairs; 8 would do'
  assert {c.verdict for c in found[1:]} == {'no difference'}


# Words


def test_an_interval_that_holds_zero_says_so():
  # One large difference widens Student's interval; the signs still agree.
  found = ask({'base': [0.0] * 6, 'a': [0.1, 0.1, 0.1, 0.1, 0.1, 4.0]})[0]
  assert found.p == 2 / 2**6 and found.interval[0] < 0
  assert found.words == 'better by 0.75 (-0.921 to 2.42)'
  turned = ask({'base': [0.1, 0.1, 0.1, 0.1, 0.1, 4.0], 'a': [0.0] * 6})[0]
  assert turned.words == 'worse by 0.75 (-0.921 to 2.42)'


def test_numbers_of_any_size():
  found = ask({'base': [0.0] * 6, 'a': [999.96] * 6})[0]
  assert found.words == 'better by 1,000 (1,000 to 1,000)'
  assert ask({'base': [0.0], 'a': [1.0]})[0].words == (
    'cannot tell from one pair; 6 would do'
  )


def test_an_effect_and_what_is_detectable():
  d = [0.1, 0.4, 0.3, 0.7, 0.2, 0.5, 0.9, 0.6, 0.3]
  for power in (0.8, 0.9):
    found = ask({'base': [0.0] * 9, 'a': d}, power=power)[0]
    reach = planning.detectable_effect(9, wanted=power)
    assert found.detectable == pytest.approx(reach * np.std(d, ddof=1))
  few = ask({'base': [0.0] * 2, 'a': [0.1, 0.3]})[0]
  assert few.effect is None and few.detectable is None


# Failures


@pytest.mark.parametrize(
  'count, of, interval',
  [  # R. G. Newcombe 1998, Two-sided confidence intervals for the single
    # proportion, table I, method 3
    (81, 263, (0.2553, 0.3662)),
    (15, 148, (0.0624, 0.1605)),
    (0, 20, (0.0, 0.1611)),
    (1, 29, (0.0061, 0.1718)),
  ],
)
def test_the_interval_of_a_rate_is_the_published_one(count, of, interval):
  verdicts = ['diverged'] * count + ['healthy'] * (of - count)
  found = summary.failures('a', verdicts)
  assert found.interval == pytest.approx(interval, abs=6e-5)


def test_what_counts_as_a_failure():
  every = [*summary.FAILURES, 'healthy', 'D overfits', 'D wins', '']
  found = summary.failures('a', every)
  assert (found.count, found.of) == (5, 9)
  assert found.kinds == dict.fromkeys(summary.FAILURES, 1)


def test_an_analysis_says_what_it_was_asked():
  values = {'base': [3.0, 3.1, 2.9, 3.3, 3.0], 'a': [1.0, 1.2, 0.8, 1.1, 1.0]}
  asked = contrasts.against('base', values)
  found = analysis.analyse(
    values, asked, metric='fid', lower_is_better=True, baseline='base',
    level=0.1,
  )  # fmt: skip
  assert found[:4] == ('fid', True, 0.1, 'base')
  assert [cell.name for cell in found.cells] == ['base', 'a']
  assert [list(cell.values) for cell in found.cells] == list(values.values())
  # At .1, five pairs do; lower is better.
  assert found.comparisons == comparison.compare(
    asked, values, lower_is_better=True, level=0.1
  )
  assert found.comparisons[0].verdict == 'better'


# Planning


@pytest.mark.parametrize(
  'pairs, level, share',
  [(6, 0.05, 1 / 32), (8, 0.05, 6 / 128), (8, 0.01, 1 / 128), (5, 0.05, 0)],
)
def test_p_values_that_signs_can_have(pairs, level, share):
  assert planning.attainable(pairs, level) == share


@pytest.mark.parametrize(
  'pairs, level', [(6, 0.05), (8, 0.01), (10, 0.05 / 22)]
)
def test_power_where_only_equal_signs_will_do(pairs, level):
  effect = planning.detectable_effect(pairs, level=level)
  rng = np.random.default_rng(pairs)
  d = rng.normal(effect, 1, (20_000, pairs))
  found = np.mean(np.all(d > 0, axis=1) | np.all(d < 0, axis=1))
  assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_power_of_many_pairs_and_of_large_effects_is_a_share():
  for pairs in (6, 8, 64, 2000):
    for effect in (0.0, 0.01, 1.0, 40.0):
      assert 0.0 < planning.power(pairs, effect) <= 1.0
      assert planning.power(pairs, effect) == planning.power(pairs, -effect)


def test_advice_on_one_seed_and_on_no_test():
  assert planning.advice(1, 1)[0].startswith('With one seed no difference')
  assert planning.advice(4, 0) == []


# Mistakes


@pytest.mark.parametrize('level', [0, 1, -0.1, 5, math.nan])
def test_a_level_that_is_none(level):
  for call in (
    lambda: planning.seeds_needed(5, level),
    lambda: planning.power(8, 1.0, level=level),
    lambda: planning.detectable_effect(8, level=level),
    lambda: planning.advice(8, 5, level=level),
    lambda: ask({'base': [1.0], 'a': [2.0]}, level=level),
  ):
    with pytest.raises(ValueError, match='level=.*between 0 and 1'):
      call()
  with pytest.raises(ValueError, match='power=.*between 0 and 1'):
    ask({'base': [1.0], 'a': [2.0]}, power=level)


def test_a_grid_with_a_hole_or_without_the_baseline():
  holed = {name: at for name, at in GRID.items() if name != '112'}
  doubled = {**GRID, 'again': GRID['000']}
  elsewhere = {**BASE, 'a': '9'}
  for effects in (contrasts.main_effects, contrasts.interactions):
    for cells in (holed, doubled):
      with pytest.raises(ValueError, match='not a full grid'):
        effects(LEVELS, cells, BASE)
    with pytest.raises(ValueError, match='not in the grid'):
      effects(LEVELS, GRID, elsewhere)


def test_a_baseline_and_a_cell_that_are_not_there():
  with pytest.raises(ValueError, match="'z' is not a cell; cells: a, b"):
    contrasts.against('z', iter('ab'))
  asked = [Contrast('a', 'cell', {'a': 1.0, 'z': -1.0})]
  with pytest.raises(ValueError, match='no values of z'):
    comparison.compare(asked, {'a': [1.0]}, lower_is_better=True)
