"""Fréchet distance: moments in batches, singular covariances, classes."""

import functools

import numpy as np
import pytest

from gan_jax.metrics import checks, fid
from gan_jax.types import UserError


def draw(n, d, seed, scale=1.0, shift=0.0):
  rng = np.random.default_rng(seed)
  mix = np.random.default_rng(99).normal(size=(d, d)) / np.sqrt(d)
  return scale * rng.normal(size=(n, d)) @ mix + shift


def by_singular_values(a, b):
  """The distance from the centred examples: no covariance, no square root."""
  mean = np.sum((a.mean(0) - b.mean(0)) ** 2)
  x = (a - a.mean(0)) / np.sqrt(len(a) - 1)
  y = (b - b.mean(0)) / np.sqrt(len(b) - 1)
  nuclear = np.linalg.svd(x @ y.T, compute_uv=False).sum()
  return mean + np.sum(x**2) + np.sum(y**2) - 2 * nuclear


# Moments.


@pytest.mark.parametrize('sizes', [(50,), (1, 1, 48), (20, 30), (7,) * 7])
def test_moments_of_batches(sizes):
  x = draw(sum(sizes), 5, 0, shift=3).astype(np.float32)
  moments = fid.Moments()
  for part in np.split(x, np.cumsum(sizes)[:-1]):
    moments.add(part)
  mu, sigma = moments.statistics()
  assert moments.count == len(x) and mu.dtype == sigma.dtype == np.float64
  np.testing.assert_allclose(mu, x.astype(float).mean(0), rtol=1e-12)
  want = np.cov(x.astype(float), rowvar=False)
  np.testing.assert_allclose(sigma, want, rtol=1e-9, atol=1e-12)


def test_moments_of_more_rows_than_a_block(monkeypatch):
  monkeypatch.setattr(fid, 'ROWS', 16)
  x = draw(100, 4, 0)
  np.testing.assert_allclose(
    fid.statistics(x)[1], np.cov(x, rowvar=False), rtol=1e-12, atol=1e-14
  )


def test_moments_far_from_zero_lose_no_digits():
  # Sums of squares would be 1e16 with an error of about 1.
  x = draw(200, 3, 0)
  moments = fid.Moments()
  for part in np.split(x + 1e8, 10):
    moments.add(part)
  np.testing.assert_allclose(
    moments.statistics()[1], np.cov(x, rowvar=False), atol=1e-6
  )


def test_merged_moments_are_those_of_all():
  x = draw(90, 4, 0, shift=2)
  parts = []
  for rows in (slice(0, 20), slice(20, 21), slice(21, 90)):
    parts.append(fid.Moments())
    parts[-1].add(x[rows])
  before = [p.scatter.copy() for p in parts]
  merged = functools.reduce(fid.Moments.merge, [fid.Moments(), *parts])
  assert merged.count == 90
  np.testing.assert_allclose(merged.mean, x.mean(0), rtol=1e-12)
  np.testing.assert_allclose(
    merged.statistics()[1], np.cov(x, rowvar=False), rtol=1e-12, atol=1e-14
  )
  merged.add(x)
  for old, part in zip(before, parts, strict=True):
    np.testing.assert_array_equal(old, part.scatter)


def test_merging_with_nothing_copies():
  some = fid.Moments()
  some.add(draw(9, 3, 0))
  scatter = some.scatter.copy()
  for merged in (some.merge(fid.Moments()), fid.Moments().merge(some)):
    merged.add(draw(9, 3, 1))
    assert (some.count, merged.count) == (9, 18)
    np.testing.assert_array_equal(some.scatter, scatter)
  assert fid.Moments().merge(fid.Moments()).count == 0


def test_a_bad_batch_leaves_moments_as_they_were(monkeypatch):
  monkeypatch.setattr(fid, 'ROWS', 4)
  moments = fid.Moments()
  moments.add(draw(9, 3, 0))
  scatter = moments.scatter.copy()
  bad = draw(9, 3, 1)
  bad[8, 0] = np.inf
  with pytest.raises(UserError, match='batch: 1 of 9'):
    moments.add(bad, name='batch')
  assert moments.count == 9
  np.testing.assert_array_equal(moments.scatter, scatter)


# Distances.


@pytest.mark.parametrize(
  'n, m', [(15, 20), (15, 200), (200, 15), (200, 150), (2, 2)]
)
def test_distance_whatever_the_rank(n, m):
  a, b = draw(n, 60, 0), draw(m, 60, 1, scale=1.2, shift=0.1)
  want = by_singular_values(a, b)
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-10)
  assert np.isclose(fid.frechet_distance(b, a), want, rtol=1e-10)


def test_distance_of_dead_and_of_nearly_dead_features():
  scale = np.where(np.arange(30) < 10, 0, 10.0 ** -(np.arange(30) / 4))
  a, b = draw(100, 30, 0) * scale, draw(80, 30, 1, 1.3) * scale
  want = by_singular_values(a, b)
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-9)


def test_distance_of_constant_features():
  a, b = np.zeros((5, 3)), draw(50, 3, 0)
  want = np.sum(b.mean(0) ** 2) + np.trace(np.cov(b, rowvar=False))
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-12)
  assert np.isclose(fid.frechet_distance(b, a), want, rtol=1e-12)
  assert fid.frechet_distance(a, a + 2) == 12


def test_statistics_made_in_float32_are_taken():
  # Their covariances have eigenvalues below zero.
  a, b = draw(15, 60, 0), draw(20, 60, 1, scale=1.2)
  rounded = [x.astype(np.float32) for y in (a, b) for x in fid.statistics(y)]
  assert np.linalg.eigvalsh(rounded[1].astype(float))[0] < -1e-9
  want = by_singular_values(a, b)
  assert np.isclose(fid.frechet_from_statistics(*rounded), want, rtol=1e-3)


def test_many_distances_to_the_same():
  real = fid.statistics(draw(80, 6, 0))
  distance = fid.distance_to(*real)
  for seed in range(3):
    fake = fid.statistics(draw(30, 6, seed, scale=1.1))
    assert distance(*fake) == fid.frechet_from_statistics(*real, *fake)
  assert distance(*real) < 1e-12


def test_large_float32_features_are_not_copied_whole(monkeypatch):
  largest = 0
  add = fid.Moments._add

  def spied(self, x):
    nonlocal largest
    largest = max(largest, len(x))
    add(self, x)

  monkeypatch.setattr(fid.Moments, '_add', spied)
  x = np.random.default_rng(0).normal(size=(9000, 2)).astype(np.float32)
  fid.frechet_distance(x, x)
  assert largest == fid.ROWS < len(x)
  assert checks.unconverted(x, 'x') is x


# Classes.


def test_intra_class_distance_sees_swapped_classes():
  rng = np.random.default_rng(0)
  labels = rng.integers(3, size=600)
  x = draw(600, 4, 0) + 5 * labels[:, None]
  swapped = np.array([1, 0, 2])[labels]
  got = fid.intra_class_distance(x, labels, x, swapped, 3)
  parts = [x[labels == c] for c in range(3)]
  want = fid.frechet_distance(parts[0], parts[1])
  assert got['per_class'][0] == pytest.approx(want, rel=1e-9)
  assert got['per_class'][1] == pytest.approx(want, rel=1e-9)
  assert got['per_class'][2] < 1e-9 < want
  assert got['mean'] == pytest.approx(2 * want / 3, rel=1e-9)
  assert fid.frechet_distance(x, x) < 1e-9


def test_a_class_that_neither_side_has_does_not_count():
  labels = np.repeat([0, 2], 30)
  x, y = draw(60, 4, 0), draw(60, 4, 1)
  got = fid.intra_class_distance(x, labels, y, labels, 4)
  each = [
    fid.frechet_distance(x[rows], y[rows]) for rows in (labels < 1, labels > 1)
  ]
  assert got['per_class'] == [each[0], None, each[1], None]
  assert got['mean'] == pytest.approx(np.mean(each))


# What cannot be measured.

X, LABELS = draw(9, 3, 0), np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
NAN = np.where(np.arange(27).reshape(9, 3) == 5, np.nan, X)


def filled(*batches):
  moments = fid.Moments()
  for x in batches:
    moments.add(x)
  return moments


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: filled(NAN), 'features: 1 of 9 .* NaN'),
    (lambda: filled(X[0]), r'\[N, D\], got \[3\]'),
    (lambda: filled(X[:, :0]), r'\[9, 0\]'),
    (lambda: filled(X[:0]), 'at least 1 .* got 0'),
    (lambda: filled(X, X[:, :2]), '2 dimensions, expected 3'),
    (lambda: filled(X).merge(filled(X[:, :2])), '2 dim.* expected 3'),
    (lambda: filled().statistics(), 'at least 2 .* got 0'),
    (lambda: filled(X[:1]).statistics(), 'at least 2 .* got 1'),
    (lambda: fid.distance_to([0.0, 1.0], np.eye(3)), r'\[2\] and \[3, 3\]'),
    (lambda: fid.distance_to([np.nan], [[1.0]]), 'NaN'),
    (lambda: fid.distance_to([0.0], [[1.0]])([0.0, 0.0], np.eye(2)), '2 dim'),
    (lambda: fid.distance_to([0.0], [[1.0]])([0.0], [[np.inf]]), 'infinity'),
    (
      lambda: fid.intra_class_distance(X, LABELS, X, [0, 0, 1, *6 * [2]], 3),
      'fake, class 1: at least 2 examples needed, got 1',
    ),
    (
      lambda: fid.intra_class_distance(X, LABELS, X, LABELS[::-1] + 1, 4),
      'real, class 3: .* got 0',
    ),
    (
      lambda: fid.intra_class_distance(X, LABELS, X, LABELS, 2),
      'from 0 to 2 do not fit 2',
    ),
    (
      lambda: fid.intra_class_distance(X, LABELS[:8], X, LABELS, 3),
      r'9 integer labels, got int64 \[8\]',
    ),
    (
      lambda: fid.intra_class_distance(X, LABELS, X, LABELS / 1, 3),
      'fake: expected 9 integer labels, got float64',
    ),
    (
      lambda: fid.intra_class_distance(X, LABELS, X[:, :2], LABELS, 3),
      '2 dimensions, expected 3',
    ),
    (lambda: fid.intra_class_distance(NAN, LABELS, X, LABELS, 3), 'real: 1 of'),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)


# Frozen figures.


def test_distance_anchor(anchor):
  assert abs(fid.frechet_distance(*anchor) - 1.70993490027) < 1e-9


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_distance_against_eigenvalues_of_the_product(dtype):
  rng = np.random.default_rng(0)
  a = rng.normal(size=(60, 7)).astype(dtype)
  b = (rng.normal(size=(50, 7)) @ rng.normal(size=(7, 7))).astype(dtype)
  x, y = a.astype(float), b.astype(float)
  s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
  root = np.sqrt(np.linalg.eigvals(s1 @ s2).astype(complex)).real.sum()
  mean = np.sum((x.mean(0) - y.mean(0)) ** 2)
  want = mean + np.trace(s1) + np.trace(s2) - 2 * root
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-9)
  assert np.isclose(fid.frechet_distance(b, a), want, rtol=1e-9)


def test_distance_of_known_gaussians():
  # Diagonal: |mu1 - mu2|^2 + sum (sd1 - sd2)^2.
  got = fid.frechet_from_statistics(
    [1.0, 2.0], np.diag([4.0, 9.0]), [0.0, 0.0], np.diag([1.0, 25.0])
  )
  assert np.isclose(got, 5 + 1 + 4, rtol=1e-12)


def test_distance_of_the_same_is_zero(anchor):
  assert 0 <= fid.frechet_distance(anchor[0], anchor[0]) < 1e-9
