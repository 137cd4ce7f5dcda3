"""Intervals: closed forms, and how often they hold what they should."""

import numpy as np
import pytest
from scipy import stats

from gan_jax.metrics import fid, intervals
from gan_jax.types import UserError

X = np.random.default_rng(0).exponential(size=200)


def share_that_holds(truth, interval, *, repetitions=400, seed=0):
  """How often interval(rng) -> (low, high) holds the truth."""
  rng = np.random.default_rng(seed)
  spans = np.array([interval(rng) for _ in range(repetitions)])
  return np.mean((spans[:, 0] <= truth) & (truth <= spans[:, 1]))


# 400 repetitions: a share of .95 has a standard deviation of .011.
NEAR = pytest.approx(0.95, abs=0.033)


# Student's t of several draws.


@pytest.mark.parametrize('level', [0.8, 0.95])
def test_of_draws_is_the_t_interval(level):
  x = X[:7]
  want = stats.t.interval(level, 6, loc=x.mean(), scale=stats.sem(x))
  np.testing.assert_allclose(intervals.of_draws(x, level=level), want)


def test_of_draws_by_hand():
  # Two values: t of one degree of freedom is 12.7062 at .975.
  low, high = intervals.of_draws([1, 3])
  assert (low, high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)
  assert intervals.of_draws([2.5, 2.5, 2.5]) == (2.5, 2.5)


def test_of_draws_holds_the_mean():
  draw = lambda rng: intervals.of_draws(rng.normal(3, 2, size=4))
  assert share_that_holds(3, draw) == NEAR


# Jackknife.


def leave_out(x, parts, statistic):
  return [statistic(np.delete(x, rows, axis=0)) for rows in parts]


def test_jackknife_of_a_mean_is_its_standard_error():
  others = leave_out(X, intervals.groups(len(X), len(X)), np.mean)
  want = stats.t.interval(0.95, 199, loc=X.mean(), scale=stats.sem(X))
  np.testing.assert_allclose(intervals.jackknife(X.mean(), others), want)


def test_jackknife_of_groups_is_the_t_interval_of_their_means():
  parts = intervals.groups(200, 8)
  others = leave_out(X, parts, np.mean)
  want = intervals.of_draws([X[rows].mean() for rows in parts], level=0.9)
  got = intervals.jackknife(X.mean(), others, level=0.9)
  np.testing.assert_allclose(got, want)


def test_jackknife_of_unequal_groups_is_that_of_their_weighted_means():
  """Of a mean: the deviations of the groups' means, each by its size."""
  sizes = np.array([10, 50, 40, 100])
  parts = np.split(np.arange(200), np.cumsum(sizes)[:-1])
  others = leave_out(X, parts, np.mean)
  low, high = intervals.jackknife(X.mean(), others, sizes=sizes)
  means = np.array([X[rows].mean() for rows in parts])
  share = sizes / 200
  variance = np.mean((means - X.mean()) ** 2 * share / (1 - share))
  half = stats.t.ppf(0.975, 3) * np.sqrt(variance)
  np.testing.assert_allclose([low, high], [X.mean() - half, X.mean() + half])
  alike = leave_out(X, intervals.groups(200, 8), np.mean)
  np.testing.assert_allclose(
    intervals.jackknife(X.mean(), alike, sizes=[25] * 8),
    intervals.jackknife(X.mean(), alike),
  )


def test_jackknife_holds_the_variance():
  def interval(rng):
    x = rng.normal(size=100) * 2
    others = leave_out(x, intervals.groups(100), np.var)
    return intervals.jackknife(x.var(ddof=1), others)

  # Of a squared quantity it is a little short: the distribution is skewed.
  assert share_that_holds(4, interval) == pytest.approx(0.94, abs=0.04)


def test_jackknife_of_a_frechet_distance_holds_it():
  known = np.zeros(2), np.eye(2)

  def interval(rng):
    x = rng.normal(size=(500, 2)) * 1.5 + [1, 0]

    def distance(x):
      return fid.frechet_from_statistics(*known, *fid.statistics(x))

    return intervals.jackknife(
      distance(x), leave_out(x, intervals.groups(500), distance)
    )

  assert share_that_holds(1.5, interval, repetitions=200) == NEAR


@pytest.mark.parametrize('n, num_groups', [(10, 10), (103, 10), (5, 2)])
def test_groups_are_a_partition(n, num_groups):
  parts = intervals.groups(n, num_groups)
  sizes = [len(rows) for rows in parts]
  assert len(parts) == num_groups and max(sizes) - min(sizes) <= 1
  assert sorted(np.concatenate(parts).tolist()) == list(range(n))
  assert all((np.diff(rows) > 0).all() for rows in parts)


def test_groups_do_not_follow_the_order_of_the_data():
  # Neither sorted labels nor labels in turn make groups of one class.
  for label in (np.arange(1000) // 100, np.arange(1000) % 10):
    for rows in intervals.groups(1000, 10):
      assert np.bincount(label[rows], minlength=10).max() < 30


# Bootstrap.


def test_bootstrap_is_that_of_scipy():
  want = stats.bootstrap(
    (X,), np.mean, n_resamples=20_000, method='percentile', rng=1
  ).confidence_interval
  got = intervals.bootstrap(X, resamples=20_000)
  np.testing.assert_allclose(got, want, rtol=3e-3)
  low, high = intervals.bootstrap(X, np.median, resamples=500, level=0.5)
  assert low < np.median(X) < high


def test_bootstrap_of_a_mean_is_nearly_normal():
  half = 1.96 * X.std() / np.sqrt(200)
  low, high = intervals.bootstrap(X)
  assert (high - low) / 2 == pytest.approx(half, rel=0.08)


def test_bootstrap_resamples_rows():
  # Columns that depend on each other stay together.
  x = np.stack([X, 2 * X, np.full(200, 7)], axis=1)
  low, high = intervals.bootstrap(x)
  assert low.shape == high.shape == (3,)
  alone = intervals.bootstrap(X)
  np.testing.assert_allclose((low[0], high[0]), alone, rtol=1e-12)
  np.testing.assert_allclose((low[1], high[1]), (2 * low[0], 2 * high[0]))
  assert (low[2], high[2]) == (7, 7)
  ratio = lambda x: x[:, 1].sum() / x[:, 0].sum()
  np.testing.assert_allclose(intervals.bootstrap(x, ratio), 2)


def test_bootstrap_is_seeded():
  same = intervals.bootstrap(X, resamples=99)
  assert same == intervals.bootstrap(X, resamples=99)
  assert same != intervals.bootstrap(X, resamples=99, seed=1)


def test_bootstrap_holds_a_share():
  def interval(rng):
    return intervals.bootstrap(rng.random(100) < 0.3, resamples=200)

  assert share_that_holds(0.3, interval) == NEAR


def test_normal_quantile():
  assert intervals.normal_quantile() == pytest.approx(1.959964, abs=1e-6)
  assert intervals.normal_quantile(0.6826895) == pytest.approx(1, abs=1e-6)


# What cannot be done.


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: intervals.bootstrap([1.0]), r'N >= 2, got \[1\]'),
    (lambda: intervals.bootstrap(3.0), r'\[N\] or \[N, K\].*got \[\]'),
    (lambda: intervals.bootstrap(np.ones((2, 2, 2))), r'got \[2, 2, 2\]'),
    (lambda: intervals.bootstrap([1, np.nan]), 'NaN'),
    (lambda: intervals.bootstrap(X, level=95), 'between 0 and 1, got 95'),
    (lambda: intervals.bootstrap(X, resamples=10), 'expected 40 or more'),
    (
      lambda: intervals.bootstrap(X, lambda x: np.nan, resamples=50),
      'statistic',
    ),
    (lambda: intervals.groups(5, 6), 'from 2 to 5'),
    (lambda: intervals.groups(5, 1), 'from 2 to 5'),
    (lambda: intervals.jackknife(1.0, [1.0]), r'leave_one_out.*N >= 2'),
    (lambda: intervals.jackknife(np.nan, [1.0, 2.0]), 'value: NaN'),
    (lambda: intervals.jackknife(1.0, [1.0, np.inf]), 'leave_one_out: NaN'),
    (lambda: intervals.jackknife(1.0, [1.0, 2.0], level=1), 'level'),
    (lambda: intervals.of_draws([1.0]), r'values: .*N >= 2, got \[1\]'),
    (lambda: intervals.of_draws([[1.0, 2.0]]), r'got \[1, 2\]'),
    (lambda: intervals.normal_quantile(0), 'level'),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)


# The number of kinds seen.


def test_number_seen_of_kinds_that_are_common_is_certain():
  assert intervals.number_seen([100, 200, 300], 1000) == (3, 3)
  assert intervals.number_seen([100, 200, 300], 1000, least=250) == (1, 1)


def test_number_seen_of_a_kind_that_was_seen_once():
  # It is missed with probability 1 / e, and nine such kinds are never all met.
  low, high = intervals.number_seen([1] * 9 + [91], 100)
  drawn = np.random.default_rng(3).binomial(9, 1 - np.exp(-1), 10_000) + 1
  assert low == pytest.approx(np.quantile(drawn, 0.025), abs=1)
  assert high == 10


def test_number_seen_counts_no_more_than_there_are():
  with pytest.raises(UserError, match='5 counted of 4'):
    intervals.number_seen([2, 3], 4)
