"""Whether the statistics keep their word, on studies that are simulated."""

import numpy as np
import pytest
from scipy import stats

from gan_jax.study.statistics import comparison, contrasts, planning

STUDIES = 200
DRAWS = {
  'normal': lambda rng, shape: rng.normal(size=shape),
  'skewed': lambda rng, shape: rng.exponential(size=shape),
  'heavy tails': lambda rng, shape: rng.standard_t(2, size=shape),
}


def bounds(share):
  """Between which a count of STUDIES lies, but for 1 time in 500."""
  return stats.binom.interval(0.998, STUDIES, share)


def simulate(draw, *, cells, seeds, rng):
  """Scores [STUDIES, cells, seeds]; paired runs have something in common."""
  common = rng.normal(size=(STUDIES, 1, seeds))
  return common + DRAWS[draw](rng, (STUDIES, cells, seeds))


def called(study):
  """Whether a study [cells, seeds] calls any difference from its first cell."""
  values = {str(k): scores.tolist() for k, scores in enumerate(study)}
  asked = contrasts.against('0', values)
  found = comparison.compare(asked, values, lower_is_better=False)
  return any(c.verdict in ('better', 'worse') for c in found)


@pytest.mark.parametrize('draw', DRAWS)
@pytest.mark.parametrize(
  'cells, seeds',
  [
    (2, 8),
    (2, 12),
    (6, 9),
    pytest.param(2, 16, marks=pytest.mark.slow),
    pytest.param(6, 16, marks=pytest.mark.slow),
  ],
)
def test_where_nothing_differs_no_more_is_called_than_stated(
  draw, cells, seeds
):
  rng = np.random.default_rng(100 * cells + seeds)
  studies = simulate(draw, cells=cells, seeds=seeds, rng=rng)
  assert sum(map(called, studies)) <= bounds(0.05)[1]


def test_holm_s_bound_would_not_hold_uncorrected():
  # The same studies without Holm's correction: the check above can fail.
  rng = np.random.default_rng(609)
  found = 0
  for first, *rest in simulate('normal', cells=6, seeds=9, rng=rng):
    found += any(comparison.paired_p(x - first) <= 0.05 for x in rest)
  assert found > bounds(0.05)[1]


@pytest.mark.parametrize(
  'seeds', [8, 12, pytest.param(16, marks=pytest.mark.slow)]
)
def test_one_standard_deviation_is_found_as_often_as_announced(seeds):
  rng = np.random.default_rng(seeds)
  studies = simulate('normal', cells=2, seeds=seeds, rng=rng)
  studies[:, 1] += np.sqrt(2)  # the difference of two has this deviation
  low, high = bounds(planning.power(seeds, 1.0))
  assert low <= sum(map(called, studies)) <= high
