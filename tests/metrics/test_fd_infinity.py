"""FD infinity: where the truth is known, and what the line goes through."""

import numpy as np
import pytest

from gan_jax.metrics import fid
from gan_jax.metrics.fd_infinity import fd_infinity
from gan_jax.types import UserError

D = 20
STANDARD = (np.zeros(D), np.eye(D))


def fakes(n, scale=1.2, shift=0.1, seed=0):
  return scale * np.random.default_rng(seed).normal(size=(n, D)) + shift


@pytest.mark.parametrize('scale, shift', [(1.0, 0.0), (1.2, 0.1), (0.8, 0.3)])
def test_nearer_to_the_truth_than_all_examples(scale, shift):
  truth = D * (shift**2 + (1 - scale) ** 2)
  extrapolated, at_n = [], []
  for seed in range(8):
    x = fakes(600, scale, shift, seed)
    extrapolated.append(fd_infinity(STANDARD, x, seed=seed)['fd_infinity'])
    at_n.append(fid.distance_to(*STANDARD)(*fid.statistics(x)))
  bias = np.mean(at_n) - truth
  assert bias > 0.1  # of D / N, and more for the covariance
  assert abs(np.mean(extrapolated) - truth) < 0.3 * bias


def test_the_line_is_that_of_least_squares():
  x = fakes(300)
  got = fd_infinity(STANDARD, x, points=6, smallest=50, seed=3)
  assert got['sizes'] == [50, 100, 150, 200, 250, 300]
  ones = np.ones(6)
  line = np.stack([ones, ones / got['sizes']], axis=1)
  want = np.linalg.lstsq(line, np.array(got['distances']))[0][0]
  assert got['fd_infinity'] == pytest.approx(want, rel=1e-9)
  everything = fid.distance_to(*STANDARD)(*fid.statistics(x))
  assert got['distances'][-1] == pytest.approx(everything, rel=1e-9)


def test_subsets_are_drawn_without_replacement(monkeypatch):
  # A row drawn twice would lie twice in the mean of the powers of two.
  monkeypatch.setattr(fid, 'ROWS', 5)
  seen = []
  add = fid.Moments._add

  def spied(self, x):
    seen.append(x[:, 0])
    add(self, x)

  monkeypatch.setattr(fid.Moments, '_add', spied)
  x = np.stack([np.arange(12.0), np.ones(12)], axis=1)
  fd_infinity((np.zeros(2), np.eye(2)), x, points=2, smallest=7)
  rows = np.concatenate(seen)
  assert [len(s) for s in seen] == [5, 2, 5, 5, 2]
  assert len(set(rows[:7])) == 7 and set(rows[:7]) != set(range(7))
  np.testing.assert_array_equal(rows[7:], np.arange(12))


def test_seeded():
  x = fakes(200)
  first, same, other = (
    fd_infinity(STANDARD, x, seed=seed)['distances'] for seed in (0, 0, 1)
  )
  assert first == same
  assert all(a != b for a, b in zip(first[:-1], other[:-1], strict=True))


@pytest.mark.parametrize(
  'n, d, smallest',
  [(50_000, 2, 5000), (100, 3, 10), (100, 20, 40), (90, 64, 45)],
)
def test_smallest_subset(n, d, smallest):
  x = np.random.default_rng(0).normal(size=(n, d))
  got = fd_infinity((np.zeros(d), np.eye(d)), x, points=3)
  assert got['sizes'] == [smallest, (smallest + n) // 2, n]


@pytest.mark.parametrize(
  'x, options, told',
  [
    (fakes(50) * np.inf, {}, 'fake_features: 50 of 50 .* NaN'),
    (fakes(3), {}, 'at least 4 .* got 3'),
    (fakes(50)[:, 0], {}, r'\[N, D\], got \[50\]'),
    (fakes(50)[:, :3], {}, '3 dimensions, expected 20'),
    (fakes(50), {'points': 1}, '2 points or more, got 1'),
    (fakes(50), {'smallest': 50}, 'from 2 to 49 of the 50 .* got 50'),
    (fakes(50), {'smallest': 1}, 'got 1'),
  ],
)
def test_errors_are_one_line(x, options, told):
  with pytest.raises(UserError, match=told) as e:
    fd_infinity(STANDARD, x, **options)
  assert '\n' not in str(e.value)
