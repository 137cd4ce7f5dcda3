"""Discrepancy, correlations and tails of series, by loops and by SciPy."""

import statistics

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import pairwise

from gan_jax.metrics.series import correlations, mmd, tails
from gan_jax.types import UserError


def noise(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape)


# -------------------------------------------------------------- discrepancy


def test_discrepancy_against_the_kernels_of_sklearn():
  x, y = noise(30, 5), noise(30, 5, seed=1) + 0.5
  kernel = lambda a, b: pairwise.rbf_kernel(a, b, gamma=1 / (2 * 1.7**2))
  off = ~np.eye(30, dtype=bool)
  mean = lambda a, b: kernel(a, b)[off].mean()
  want = mean(x, x) + mean(y, y) - 2 * mean(x, y)
  value, variance = mmd.discrepancy(x, y, 1.7)
  assert value == pytest.approx(want, rel=1e-12) and variance > 0


def test_its_variance_is_the_formula_of_both_orders():
  x, y = noise(4, 2), noise(4, 2, seed=1) + 2  # as few as there may be
  k = lambda a, b: np.exp(-np.sum((a - b) ** 2) / 8)
  h = lambda i, j: k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i])
  others = [[j for j in range(4) if j != i] for i in range(4)]
  rows = [np.mean([h(i, j) for j in others[i]]) for i in range(4)]
  second = np.var([h(i, j) for i in range(4) for j in others[i]])
  first = max(0, statistics.variance(rows) - second / 3)
  value, variance = mmd.discrepancy(x, y, 2.0)
  assert value == pytest.approx(np.mean(rows)) and first > 0
  want = 4 * 2 / (4 * 3) * first + 2 / (4 * 3) * second
  assert variance == pytest.approx(want)


@pytest.mark.parametrize('shift', [0.0, 0.5])
def test_its_variance_is_that_of_other_draws(shift):
  x, y = noise(150, 60, 3), noise(150, 60, 3, seed=1) + shift
  draws = [mmd.discrepancy(*pair, 2.0) for pair in zip(x, y, strict=True)]
  value, variance = np.array(draws).T
  assert value.std() == pytest.approx(np.sqrt(variance.mean()), rel=0.25)
  error = value.std() / np.sqrt(len(value))
  assert (abs(value.mean()) < 3 * error) == (shift == 0)


def test_the_bandwidth_is_that_which_tells_most_apart():
  # Two levels far apart, and spreads that only a narrow kernel sees.
  level = 5 * (-1.0) ** np.arange(200)[:, None]
  x, y = level + noise(200, 4) / 3, level + noise(200, 4, seed=1)
  best = mmd.chosen(x, y)
  both = np.concatenate([x, y])
  far = np.sqrt(pairwise.euclidean_distances(both, squared=True))
  median = np.median(far[np.triu_indices(400, 1)])
  assert min(abs(best / median - s) for s in mmd.SCALES) < 1e-6

  def ratio(width):
    value, variance = mmd.discrepancy(x, y, width)
    return value / np.sqrt(variance)

  most = max(ratio(median * s) for s in mmd.SCALES)
  assert ratio(best) == pytest.approx(most, rel=1e-6)
  assert best < median / 2


def test_a_wide_difference_is_told_by_a_wide_kernel():
  x, y = noise(60, 3), noise(60, 3, seed=1) + 1
  best = mmd.chosen(x, y)
  both = np.concatenate([x, y])
  far = pairwise.euclidean_distances(both)[np.triu_indices(120, 1)]
  scale = best / np.median(far)
  assert scale > mmd.SCALES[2] and mmd.MOST == 1000


def test_where_most_are_equal_the_largest_distance_is_the_measure():
  same = np.zeros((8, 1))
  other = np.array([[3.0], *same[1:]])
  assert mmd.chosen(same, other) in [3 * scale for scale in mmd.SCALES]


def test_equal_samples_have_no_discrepancy():
  same = np.ones((8, 3))
  assert mmd.chosen(same, same) == 0
  assert mmd.discrepancy(same, same, 0.0) == (0, 0)
  with pytest.raises(UserError, match='mmd: fake: at least 4'):
    mmd.discrepancy(same, same[:3], 1.0)
  with pytest.raises(UserError, match='expected as many fakes'):
    mmd.discrepancy(same, same[:5], 1.0)


# ------------------------------------------------------------- correlations


@pytest.mark.parametrize('pair', correlations.PAIRS)
def test_correlations_against_loops(pair):
  x = noise(7, 9, 2) * [1, 3] + [0.5, -1]
  f = {'values': lambda v: v, 'absolute': abs, 'squares': lambda v: v * v}
  before, after = f.get(pair, f['values']), f.get(pair, f['squares'])
  total = correlations.sums(x, pair, 4)
  made = correlations.correlations(total)
  assert made.shape == (4, 2)
  for c in range(2):
    a, b = before(x[..., c]), after(x[..., c])
    scale = a.std() * b.std()
    for k in (1, 4):
      products = [
        (a[n, t] - a.mean()) * (b[n, t + k] - b.mean())
        for n in range(7)
        for t in range(9 - k)
      ]
      assert made[k - 1, c] == pytest.approx(np.mean(products) / scale)
  halves = [correlations.sums(part, pair, 4) for part in (x[:3], x[3:])]
  again = correlations.correlations(correlations.added(halves))
  np.testing.assert_allclose(again, made)


def test_a_process_has_the_correlations_that_are_known():
  x = noise(400, 60, 1)
  for t in range(1, 60):
    x[:, t] += 0.8 * x[:, t - 1]
  x = x[:, 20:]
  made = correlations.correlations(correlations.sums(x, 'values', 5))
  np.testing.assert_allclose(made[:, 0], 0.8 ** np.arange(1, 6), atol=0.03)
  # Where a fall makes what follows wilder, the leverage is negative.
  wild = noise(400, 40, 1, seed=2)
  wild[:, 1:] *= np.where(wild[:, :-1] < 0, 2, 0.5)
  made = correlations.correlations(correlations.sums(wild, 'leverage', 2))
  assert made[0, 0] < -0.2 and abs(made[1, 0]) < 0.15


def test_a_distance_is_the_length_over_lags_and_the_mean_of_columns():
  x, y = noise(9, 8, 2), noise(5, 8, 2, seed=1)
  a, b = (correlations.sums(v, 'values', 3) for v in (x, y))
  gap = correlations.correlations(a) - correlations.correlations(b)
  want = np.linalg.norm(gap, axis=0).mean()
  assert correlations.distance(a, b) == pytest.approx(want)
  still = correlations.sums(np.full((5, 8, 2), 0.3), 'values', 3)
  assert (correlations.correlations(still) == 0).all()


# -------------------------------------------------------------------- tails


def test_sums_of_neighbours():
  x = np.arange(12.0).reshape(2, 6, 1)
  assert tails.sums(x, 5)[..., 0].tolist() == [[10, 15], [40, 45]]
  np.testing.assert_array_equal(tails.sums(x, 1), x)
  assert tails.horizons(4) == (1,) and tails.horizons(20) == (1, 5, 20)


def test_distances_against_scipy():
  x, y = noise(50), 2 * noise(40, seed=1) + 0.3
  groups = np.arange(40) % 3
  value, others = tails.distances(x, y, groups)
  assert value == pytest.approx(stats.wasserstein_distance(x, y))
  for g in range(3):
    want = stats.wasserstein_distance(x, y[groups != g])
    assert others[g] == pytest.approx(want)


def test_columns_are_measured_in_their_own_deviations():
  x, y = noise(30, 6, 2), noise(20, 6, 2, seed=1)
  value, others = tails.scaled(x, y, np.arange(20) % 2)
  want = [
    stats.wasserstein_distance(x[..., c].ravel(), y[..., c].ravel())
    / x[..., c].std()
    for c in range(2)
  ]
  assert value == pytest.approx(np.mean(want)) and others.shape == (2,)
  still = tails.scaled(0 * x, np.ones_like(y), np.arange(20) % 2)[0]
  assert still == 1  # where real ones do not move: as it is
  big = tails.scaled(100 * x, 100 * y, np.arange(20) % 2)[0]
  assert big == pytest.approx(value)
