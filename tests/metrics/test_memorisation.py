"""Memorisation: naive loops, and copies, fresh draws and underfitting."""

import numpy as np
import pytest
from scipy import stats
from sklearn import cluster

from gan_jax.metrics import intervals, memorisation
from gan_jax.types import UserError


def normal(n, d=5, *, seed=0, scale=1.0):
  return scale * np.random.default_rng(seed).normal(size=(n, d))


def distances(a, b):
  return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


# Nearest neighbours.


@pytest.mark.parametrize('k', [1, 3, 30])
@pytest.mark.parametrize('block', [7, 1024])
def test_nearest_against_brute_force(k, block):
  a, b = normal(50), normal(30, seed=1)
  all_of_them = distances(a, b)
  want = np.argsort(all_of_them, axis=1)[:, :k]
  for shift in (0, 1e4):
    found, rows = memorisation.nearest(a + shift, b + shift, k=k, block=block)
    np.testing.assert_array_equal(rows, want)
    np.testing.assert_allclose(
      found, np.take_along_axis(all_of_them, want, 1), rtol=1e-9
    )


def test_nearest_is_exact():
  # Products alone would put equal rows 1e-6 apart, so far from the origin.
  b = normal(100, 64, scale=100) + 1e3
  found, rows = memorisation.nearest(b[::-1].astype(np.float32), b)
  assert (found < 1e-2).all() and found.max() > 0
  found, rows = memorisation.nearest(b[::-1], b)
  assert (found == 0).all() and (rows[:, 0] == np.arange(100)[::-1]).all()
  tiny = b[:1] + 1e-9 * np.eye(64)[:1]
  found, _ = memorisation.nearest(tiny, b)
  assert found[0, 0] == pytest.approx((tiny - b[0])[0, 0], rel=1e-12)


def test_nearest_of_equals_is_the_first():
  b = np.repeat([[1.0, 2.0], [3.0, 4.0]], 3, axis=0)
  found, rows = memorisation.nearest([[3.0, 4.0]], b, k=4)
  assert rows.tolist() == [[3, 4, 5, 0]]
  assert found[0].tolist() == [0, 0, 0, np.sqrt(8)]


# Authenticity.


def naive_authentic(train, fake):
  among, apart = distances(train, train), distances(train, fake)
  np.fill_diagonal(among, np.inf)
  return [among[i].min() < apart[i, j] for j, i in enumerate(apart.argmin(0))]


def test_authentic_against_a_loop():
  train, fake = normal(80), normal(60, seed=1)
  got = memorisation.authentic(train, fake, block=17)
  assert got.dtype == bool and got.tolist() == naive_authentic(train, fake)
  assert memorisation.authenticity(train, fake) == got.mean()
  assert 0 < got.mean() < 1


def test_authenticity_anchor(anchor):
  # As dgm-eval's compute_authpct, in float64.
  assert memorisation.authenticity(*anchor) == 0.87125


def test_authentic_by_hand():
  # Of 0, 1 and 3, the neighbours are 1, 0 and 1, at 1, 1 and 2.
  train = np.array([[0.0], [1.0], [3.0]])
  fake = np.array([[0.4], [-1.0], [-1.1], [4.9], [5.0], [5.1]])
  got = memorisation.authentic(train, fake)
  assert got.tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize('times', [1, 2, 3, 9])
def test_copies_are_not_authentic(times):
  # Whether or not the training set holds duplicates.
  train = np.repeat(normal(50, 64) + 100, times, axis=0)
  assert memorisation.authenticity(train, train[::-1]) == 0


@pytest.mark.parametrize('d, want', [(1, 1 / 3), (2, 0.3785)])
def test_authenticity_of_fresh_draws(d, want):
  # How often a nearest neighbour is mutual is known: 2/3 on a line, and
  # 6 pi / (8 pi + 3 sqrt 3) = .6215 in the plane.
  rng = np.random.default_rng(0)
  got = memorisation.authenticity(rng.random((4000, d)), rng.random((4000, d)))
  assert got == pytest.approx(want, abs=0.025)


def test_authenticity_in_many_dimensions():
  train, fake = normal(1500, 16), normal(1500, 16, seed=1)
  assert memorisation.authenticity(train, fake) == pytest.approx(0.7, abs=0.05)
  near = train + normal(1500, 16, seed=2, scale=0.1)
  assert memorisation.authenticity(train, near) == 0
  assert memorisation.authenticity(train, 3 * fake) > 0.99


# C_T.


def test_c_t_anchor(anchor):
  # The authors' code, less the half of a pair that it adds for continuity.
  real, fake = anchor
  got = memorisation.c_t(real[:600], real[600:], fake, cells=1)
  half = 0.5 / np.sqrt(800 * 400 * 1201 / 12)
  assert got['c_t'] == pytest.approx(12.156377038981814 - half, abs=1e-10)


def test_c_t_of_one_cell_is_mann_whitney():
  train, test, fake = (normal(n, seed=n) for n in (90, 70, 50))
  ours, theirs = (distances(x, train).min(1) for x in (test, fake))
  u = stats.mannwhitneyu(theirs, ours).statistic
  want = (u - 50 * 70 / 2) / np.sqrt(50 * 70 * 121 / 12)
  got = memorisation.c_t(train, test, fake, cells=1)
  assert got['c_t'] == pytest.approx(want, rel=1e-12)
  assert got['cells'] == [
    {'train': 90, 'test': 70, 'fake': 50, 'z': got['c_t']}
  ]


def test_c_t_of_cells_is_their_weighted_mean():
  train, test = normal(300, seed=1), normal(200, seed=2)
  fake = normal(250, seed=3) + [1.5, 0, 0, 0, 0]
  got = memorisation.c_t(train, test, fake, cells=4, seed=5)
  means = cluster.KMeans(4, n_init=1, random_state=5).fit(train)
  home, ours, theirs = (means.predict(x) for x in (train, test, fake))
  total = weight = left_out = 0
  for cell, told in enumerate(got['cells']):
    near = [
      distances(x, train[home == cell]).min(1)
      for x in (fake[theirs == cell], test[ours == cell])
    ]
    m, n = map(len, near)
    assert told['fake'] == m and told['test'] == n
    assert (told['z'] is None) == (m <= 20)
    left_out += m <= 20
    if m > 20:
      u = stats.mannwhitneyu(*near).statistic
      z = (u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12)
      total, weight = total + n * z, weight + n
  assert left_out == 1  # or the test shows less than it should
  assert got['c_t'] == pytest.approx(total / weight, rel=1e-12)


def test_c_t_tells_copies_from_fresh_draws_and_underfitting():
  train, test, fresh = (normal(600, seed=s) for s in range(3))
  near = train + normal(600, seed=4, scale=0.05)
  c_t = lambda fake: memorisation.c_t(train, test, fake, cells=3)['c_t']
  assert c_t(train) < -10 and c_t(near) < -10
  assert abs(c_t(fresh)) < 3
  assert c_t(2 * fresh) > 10


def test_c_t_of_ties_is_zero():
  # All distances equal: neither is nearer.
  train, near = np.zeros((9, 2)), np.ones((40, 2))
  got = memorisation.c_t(train, near, near[:30], cells=1)
  assert (got['c_t'], got['std']) == (0, 0)


@pytest.mark.parametrize('scale', [1.0, 0.8])
def test_c_t_has_the_standard_deviation_it_says(scale):
  # Distances drawn anew from the same cell; under the null it is 1.
  rng = np.random.default_rng(0)
  found = [
    memorisation._mann_whitney(scale * rng.random(80), rng.random(120))
    for _ in range(400)
  ]
  z, variance = np.array(found).T
  assert z.std() == pytest.approx(np.sqrt(variance.mean()), rel=0.08)
  assert abs(z.mean()) < 0.15 if scale == 1 else z.mean() < -2
  half = intervals.normal_quantile() * np.sqrt(variance)
  assert np.mean(np.abs(z - z.mean()) < half) == pytest.approx(0.95, abs=0.033)


def test_c_t_of_several_cells_is_more_certain_than_one():
  train, test, fake = (normal(800, seed=s) for s in range(3))
  one = memorisation.c_t(train, test, fake, cells=1)['std']
  four = memorisation.c_t(train, test, fake, cells=4)['std']
  assert one == pytest.approx(1, abs=0.05)
  assert four == pytest.approx(0.5, abs=0.1)


# What cannot be measured.

GOOD = normal(40, 3)
NAN = np.where(np.arange(120).reshape(40, 3) == 5, np.nan, GOOD)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: memorisation.nearest(GOOD, GOOD, k=41), 'k from 1 to 40, got 41'),
    (lambda: memorisation.nearest(GOOD, GOOD, k=0), 'k from 1 to 40, got 0'),
    (lambda: memorisation.nearest(GOOD, NAN), 'b: 1 of 40'),
    (lambda: memorisation.nearest(GOOD, GOOD[:, :2]), '3 dim.* 2'),
    (lambda: memorisation.authentic(GOOD[:1], GOOD), 'real_train: at least 2'),
    (lambda: memorisation.authentic(GOOD, GOOD[:0]), 'fake: at least 1'),
    (lambda: memorisation.authenticity(NAN, GOOD), 'real_train: 1 of 40'),
    (lambda: memorisation.c_t(GOOD, NAN, GOOD), 'test: 1 of 40'),
    (lambda: memorisation.c_t(GOOD, GOOD, NAN), 'fake: 1 of 40'),
    (lambda: memorisation.c_t(NAN, GOOD, GOOD), 'train: 1 of 40'),
    (lambda: memorisation.c_t(GOOD[:, :2], GOOD, GOOD), 'train have 2 dim'),
    (lambda: memorisation.c_t(GOOD[0], GOOD, GOOD), r'train.*got \[3\]'),
    (lambda: memorisation.c_t(GOOD, GOOD, GOOD, cells=41), '1 to 40 cells'),
    (lambda: memorisation.c_t(GOOD, GOOD, GOOD, cells=0), 'got 0'),
    (
      lambda: memorisation.c_t(GOOD, GOOD, GOOD[:20]),
      'more than 20 of the 20 fakes',
    ),
    (
      lambda: memorisation.c_t(np.ones((40, 3)), GOOD, GOOD, cells=2),
      'too similar for 2 cells',
    ),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)
