"""The statistics' formulas where one number more or less would go unseen."""

import math

import numpy as np
import pytest
from scipy import stats

from gan_jax.study.statistics import comparison, planning, summary
from gan_jax.study.statistics.types import Contrast, Failures


def ask(differences, **options):
  """A cell's comparison with zeros."""
  values = {'a': list(differences), 'zero': [0.0] * len(differences)}
  asked = [Contrast('a', 'cell', {'a': 1.0, 'zero': -1.0})]
  options = {'lower_is_better': False, **options}
  return comparison.compare(asked, values, **options)[0]


def test_scores_are_weighted():
  weights = {'a': 0.5, 'b': -0.25, 'c': -0.25}
  values = {'a': [1.0, 2.0], 'b': [3.0, 5.0], 'c': [7.0, 1.0]}
  found = comparison.seed_by_seed(weights, values)
  np.testing.assert_allclose(found, [0.5 - 2.5, 1 - 1.5])


def test_rounding_is_in_proportion_to_the_scores():
  weights = {'a': 1.0, 'b': -1.0}
  values = {'a': [1e6, 1e-6, 1e6], 'b': [1e6 + 1e-7, 2e-6, 1e6 + 1e-5]}
  found = comparison.seed_by_seed(weights, values)
  np.testing.assert_allclose(found, [0, -1e-6, -1e-5], rtol=1e-4)


def test_hedges_correction_of_three():
  d = np.array([1.0, 2.0, 4.0])
  expected = d.mean() / d.std(ddof=1) * (1 - 3 / (4 * 2 - 1))
  assert comparison.hedges(d) == pytest.approx(expected)


@pytest.mark.parametrize(
  'pairs, level, verdict',
  [  # 2 / 2^pairs: .5 of two pairs, .25 of three
    (1, 0.9, 'cannot tell'),
    (2, 0.6, 'no difference'),
    (2, 0.5, 'no difference'),
    (2, 0.4, 'cannot tell'),
    (3, 0.25, 'no difference'),
    (3, 0.2, 'cannot tell'),
  ],
)
def test_two_pairs_may_tell_at_a_level_that_they_can_reach(
  pairs, level, verdict
):
  assert ask([1.0, -1.0, 1.0][:pairs], level=level).verdict == verdict


@pytest.mark.parametrize(
  'value, text',
  [
    (0.0, '0'),
    (0.5, '0.5'),
    (1.0, '1'),
    (0.012345, '0.0123'),
    (999.4, '999'),
    (999.5, '1,000'),
    (-1234.5, '-1,234'),
    (math.inf, 'inf'),
  ],
)
def test_numbers_in_words(value, text):
  assert comparison._number(value) == text


@pytest.mark.parametrize('pairs', [2, 3])
def test_few_pairs_have_power_at_a_level_that_they_can_reach(pairs):
  """Seen where all signs agree, as they do by chance in 2 of 2^pairs."""
  level, effect = 0.6 if pairs == 2 else 0.3, 1.3
  up = stats.norm.cdf(effect)
  expected = up**pairs + (1 - up) ** pairs
  assert planning.power(pairs, effect, level=level) == pytest.approx(expected)
  reach = planning.detectable_effect(pairs, level=level)
  assert planning.power(pairs, reach, level=level) == pytest.approx(0.8)
  assert planning.power(pairs, effect, level=0.2) == 0
  assert planning.detectable_effect(pairs, level=0.2) is None


def test_a_level_that_rounding_has_brought_below_a_p_value_reaches_it():
  assert 0.7 - 0.2 < 0.5
  assert planning.attainable(2, 0.7 - 0.2) == 0.5


def test_power_where_one_sign_may_differ_is_student_s():
  """Six pairs at .07: of p-values 1/32, 2/32, ... the second can be had."""
  limit, shift = stats.t.isf(1 / 32, 5), 0.9 * math.sqrt(6)
  expected = stats.nct.sf(limit, 5, shift) + stats.nct.cdf(-limit, 5, shift)
  assert planning.power(6, 0.9, level=0.07) == pytest.approx(expected)


def test_a_p_value_at_the_level_is_significant():
  found = ask([5.0, 5.1, 4.9, 5.0, 5.2], level=1 / 16)
  assert found.p_adjusted == 1 / 16 and found.verdict == 'better'


def test_no_runs_have_no_failures():
  assert summary.failures('a', []) == Failures('a', 0, 0, (0.0, 1.0), {})


def test_as_many_seeds_as_are_needed_are_enough():
  assert planning.seeds_needed(1) == 6
  assert planning.advice(6, 1)[0].endswith('is seen with 80% power.')
  assert planning.advice(5, 1)[0].endswith('6 seeds would do.')
