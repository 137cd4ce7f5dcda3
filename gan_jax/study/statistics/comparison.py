"""Paired comparisons: difference, interval, exact test, Holm, verdict."""

import itertools
from collections.abc import Sequence

import numpy as np

from gan_jax.study.statistics import planning
from gan_jax.study.statistics.summary import LEVEL as CONFIDENCE
from gan_jax.study.statistics.summary import finite
from gan_jax.study.statistics.types import Comparison, Contrast

EXACT = 16  # pairs, up to which all signs are tried
DRAWS = 99_999  # of random signs, for more pairs
BATCH = 4096  # sign patterns that are in memory at once
# Relative: rounding of sums is smaller, any difference that matters is larger.
ROUNDING = 1e-12


def compare(
  contrasts: Sequence[Contrast],
  values: dict[str, Sequence[float | None]],
  *,
  lower_is_better: bool,
  level: float = planning.LEVEL,
  power: float = planning.POWER,
) -> tuple[Comparison, ...]:
  """Answers all questions of a study together.

  Args:
    contrasts: the questions; Holm's correction is over all of them.
    values: scores of each cell by paired seed, None where a run has none.
    lower_is_better: of the metric.
    level: over all comparisons.
    power: of seeing the detectable difference.

  Raises:
    ValueError: a cell without values, different numbers of seeds, or a level
      or a power that is not between 0 and 1.
  """
  planning.check_level(level)
  if not 0 < power < 1:
    raise ValueError(f'{power=}: expected between 0 and 1')
  options = {
    'tests': len(contrasts),
    'lower': lower_is_better,
    'level': level,
    'power': power,
  }
  differences = [seed_by_seed(c.weights, values) for c in contrasts]
  ps = [paired_p(d) for d in differences]
  adjusted = holm(ps)
  return tuple(
    _compare(*each, **options)
    for each in zip(contrasts, differences, ps, adjusted, strict=True)
  )


def seed_by_seed(weights: dict[str, float], values: dict) -> np.ndarray:
  """The weighted sum [n] for each of the n seeds that has all scores."""
  missing = set(weights) - set(values)
  if missing:
    raise ValueError(f'no values of {", ".join(sorted(missing))}')
  columns = [[finite(v) for v in values[cell]] for cell in weights]
  if len({len(column) for column in columns}) != 1:
    raise ValueError('cells with different numbers of seeds')
  scale = np.array(list(weights.values()))
  rows = [row for row in zip(*columns, strict=True) if None not in row]
  terms = np.array(rows, float).reshape(len(rows), len(scale)) * scale
  sums, sizes = terms.sum(axis=1), np.abs(terms).sum(axis=1)
  # Otherwise equal cells could differ by 1e-16 in every seed, which the test
  # would call significant.
  return np.where(np.abs(sums) > ROUNDING * sizes, sums, 0.0)


def paired_p(differences: np.ndarray) -> float | None:
  """Two-sided p-value of the paired permutation test; None below two pairs.

  If two paired runs differ by chance alone, each difference is as likely as its
  negative (R. A. Fisher, 1935, The Design of Experiments). Tries all signs for
  up to EXACT pairs, and DRAWS random ones (always the same) for more.
  """
  n = len(differences)
  if n < 2:
    return None
  if not np.any(differences):
    return 1.0
  from scipy import stats

  observed, unit = np.mean(differences), ROUNDING * np.abs(differences).max()
  # Integers, 0 for the observed mean: means that differ by rounding are ties.
  mean = lambda x, axis: np.round((np.mean(x, axis=axis) - observed) / unit)
  options = {'vectorized': True, 'batch': BATCH}
  if n <= EXACT:
    # SciPy's permutation_test gives the same, 20 times slower: it lists signs
    # one by one. Here the Monte Carlo test gets all patterns but the observed
    # one, which it counts itself.
    test = stats.monte_carlo_test(
      differences, _other_signs(differences), mean,
      n_resamples=2**n - 1, **options,
    )  # fmt: skip
  else:
    test = stats.permutation_test(
      (differences,), mean, permutation_type='samples',
      n_resamples=DRAWS, rng=np.random.default_rng(0), **options,
    )  # fmt: skip
  return float(test.pvalue)


def _other_signs(differences):
  """A function that returns the differences with all other signs, in turn."""
  bits, patterns = np.arange(len(differences)), itertools.count(1)

  def draw(size):  # [batch, n]
    chosen = np.fromiter(itertools.islice(patterns, size[0]), int, size[0])
    return np.where(chosen[:, None] >> bits & 1, -differences, differences)

  return draw


def holm(ps: Sequence[float | None]) -> list[float | None]:
  """Adjusted p-values, step down (S. Holm 1979, A simple sequentially
  rejective multiple test procedure); None stays None, and counts as a test."""
  order = sorted(
    (i for i, p in enumerate(ps) if p is not None), key=lambda i: ps[i]
  )
  adjusted, most = [None] * len(ps), 0.0
  for rank, i in enumerate(order):
    most = max(most, min(1.0, (len(ps) - rank) * ps[i]))
    adjusted[i] = most
  return adjusted


def hedges(differences: np.ndarray) -> float | None:
  """Mean over standard deviation of paired differences, nearly unbiased.

  Cohen's d_z times 1 - 3 / (4 f - 1) with f = n - 1 degrees of freedom (L. V.
  Hedges 1981, Distribution theory for Glass's estimator of effect size). None
  where the differences do not vary, and for two, where the factor is 0.
  """
  spread = _deviation(differences)
  if len(differences) < 3 or not spread:
    return None
  freedom = len(differences) - 1
  bias = 1 - 3 / (4 * freedom - 1)
  return float(bias * np.mean(differences) / spread)


def _deviation(differences):
  """The standard deviation; 0 where they differ by rounding, or are few."""
  if len(differences) < 2:
    return 0.0
  if np.ptp(differences) <= ROUNDING * np.abs(differences).max():
    return 0.0
  return float(np.std(differences, ddof=1))


def _compare(contrast, differences, p, adjusted, *, tests, lower, level, power):
  n = len(differences)
  mean = float(np.mean(differences)) if n else None
  span = _interval(differences)
  # The level that Holm's correction requires of the first test.
  reach = planning.detectable_effect(n, level=level / tests, wanted=power)
  spread = _deviation(differences)
  answer = Comparison(
    contrast.name,
    contrast.kind,
    tuple(map(float, differences)),
    mean,
    span,
    p,
    adjusted,
    hedges(differences),
    reach * spread if reach and spread else None,
    '',
    '',
  )
  verdict, words = _verdict(answer, tests=tests, lower=lower, level=level)
  return answer._replace(verdict=verdict, words=words)


def _interval(differences):
  """Student's t: for 5 to 20 differences the bootstrap is too narrow.

  At the level of a single comparison, uncorrected: it may exclude 0 where the
  corrected test does not reject, and vice versa.
  """
  if len(differences) < 2:
    return None
  if not _deviation(differences):
    return float(differences[0]), float(differences[0])
  from scipy import stats

  interval = stats.ttest_1samp(differences, 0.0).confidence_interval(CONFIDENCE)
  return float(interval.low), float(interval.high)


def _verdict(answer, *, tests, lower, level):
  n = len(answer.differences)
  if not n:
    return 'cannot tell', 'cannot tell: no seed has a score in both'
  if answer.p_adjusted is not None and answer.p_adjusted <= level:
    return _direction(answer, lower=lower)
  # Not significant, but no result could have been.
  if n < 2 or planning.smallest_p(n) > level / tests:
    needed = planning.seeds_needed(tests, level)
    pairs = 'one pair' if n == 1 else f'{n} pairs'
    return 'cannot tell', f'cannot tell from {pairs}; {needed} would do'
  most = max(map(abs, answer.interval))
  return 'no difference', f'no difference larger than {_number(most)} seen'


def _direction(answer, *, lower):
  word = 'better' if (answer.difference < 0) == lower else 'worse'
  sign = -1 if answer.difference < 0 else 1
  # In the direction of the word: an end on the other side is negative.
  span = ' to '.join(
    _number(end) for end in sorted(sign * x for x in answer.interval)
  )
  return word, f'{word} by {_number(abs(answer.difference))} ({span})'


def _number(value):
  return f'{value:.3g}' if abs(value) < 999.5 else f'{value:,.0f}'
