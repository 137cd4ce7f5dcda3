"""The scores of one cell: centre, interval, and failures."""

import warnings
from collections.abc import Sequence

import numpy as np

from gan_jax.study.statistics.types import Failures, Spread

LEVEL = 0.95  # of all intervals
RESAMPLES = 9999
# Verdicts (see diagnosis) that count as a failure, and 'failed' for a run that
# ended without a verdict.
FAILURES = (
  'diverged',
  'exploded',
  'misses the data',
  'mode collapse',
  'failed',
)


def spread(name: str, values: Sequence[float | None]) -> Spread:
  """Mean, median, inter-quartile mean, and a bootstrap interval of the mean.

  The inter-quartile mean is the mean of the middle half of the runs, as R.
  Agarwal et al. 2021 (https://arxiv.org/abs/2108.13264) recommend: a single
  failed run does not move it. The interval is BCa (B. Efron, 1987).

  Args:
    name: of the cell.
    values: by seed; None, NaN or infinity where a run has no score.
  """
  values = tuple(map(finite, values))
  scores = np.array([v for v in values if v is not None])
  if not len(scores):
    return Spread(name, values, None, None, None, None)
  from scipy import stats

  return Spread(
    name,
    values,
    float(scores.mean()),
    float(np.median(scores)),
    float(stats.trim_mean(scores, 0.25)),
    _bootstrap(scores),
  )


def finite(value) -> float | None:
  """A float; None for anything that is not a finite number."""
  return float(value) if value is not None and np.isfinite(value) else None


def _bootstrap(scores):
  if len(scores) < 2:
    return None
  if np.ptp(scores) == 0:
    return float(scores[0]), float(scores[0])
  from scipy import stats

  with warnings.catch_warnings():
    # For nearly equal scores BCa's acceleration may be undefined.
    warnings.simplefilter('ignore')
    draw = lambda method: (
      stats.bootstrap(
        (scores,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method=method,
        rng=np.random.default_rng(0),
      ).confidence_interval
    )
    interval = draw('BCa')
    if not np.isfinite(interval).all():
      interval = draw('percentile')
  return float(interval.low), float(interval.high)


def failures(name: str, verdicts: Sequence[str]) -> Failures:
  """How many runs failed, with Wilson's interval of the rate.

  For few runs the exact interval (Clopper and Pearson) covers more than its
  nominal level; Wilson's is closer to it (L. D. Brown et al. 2001, Interval
  estimation for a binomial proportion).

  Args:
    name: of the cell.
    verdicts: of diagnosis, one for each run that has ended.
  """
  kinds = {kind: list(verdicts).count(kind) for kind in FAILURES}
  kinds = {kind: number for kind, number in kinds.items() if number}
  count, of = sum(kinds.values()), len(verdicts)
  if not of:
    return Failures(name, 0, 0, (0.0, 1.0), {})
  from scipy import stats

  rate = stats.binomtest(count, of).proportion_ci(LEVEL, method='wilson')
  return Failures(name, count, of, (float(rate.low), float(rate.high)), kinds)
