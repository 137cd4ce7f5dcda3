"""Kernel distance: the reference figures, and sums over pairs one by one."""

import numpy as np
import pytest

from gan_jax.metrics import kid
from gan_jax.types import UserError


def draw(n, d=4, seed=0, shift=0.0):
  return np.random.default_rng(seed).normal(size=(n, d)) + shift


def pair_by_pair(a, b, degree=3, gamma=None, coef=1.0):
  gamma = 1 / a.shape[1] if gamma is None else gamma
  kernel = lambda x, y: (gamma * sum(x * y) + coef) ** degree
  within = lambda x: np.mean(
    [kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]
  )
  across = np.mean([kernel(x, y) for x in a for y in b])
  return within(a) + within(b) - 2 * across


@pytest.mark.parametrize('block', [230, 512])
def test_anchor(anchor, block, monkeypatch):
  monkeypatch.setattr(kid, 'BLOCK', block)
  real, fake = anchor
  assert abs(kid.kernel_distance(real, fake) - 0.04549113408634) < 1e-13
  assert abs(kid.kernel_distance(fake, real) - 0.04549113408634) < 1e-13
  equal = kid.kernel_distance(real[:800], fake)
  assert abs(equal - 0.04508763687121) < 1e-13


def test_anchor_of_subsets(anchor):
  each = kid.kernel_distance_subsets(*anchor, subsets=50, subset_size=500)
  # clean-fid has 0.045453, torch-fidelity 0.045504 with +- 0.0061 among the
  # subsets.
  assert each.shape == (50,) and 0.0045 < each.std() < 0.0075
  assert abs(each.mean() - 0.0455) < 0.002
  few = kid.kernel_distance(*anchor, subsets=3, subset_size=500)
  assert few == each[:3].mean()


@pytest.mark.parametrize(
  'options',
  [{}, {'degree': 1}, {'degree': 2, 'gamma': 0.3, 'coef': 0.5}, {'degree': 4}],
)
def test_pair_by_pair(options, monkeypatch):
  monkeypatch.setattr(kid, 'BLOCK', 5)
  a, b = draw(12), draw(7, seed=1, shift=0.5)
  want = pair_by_pair(a, b, **options)
  assert np.isclose(kid.kernel_distance(a, b, **options), want, rtol=1e-11)


def test_of_few():
  a, b = draw(2), draw(2, seed=1)
  assert np.isclose(kid.kernel_distance(a, b), pair_by_pair(a, b), rtol=1e-11)


def test_unbiased():
  # Two sets of the same distribution: zero on average, so below it at times.
  each = np.array(
    [
      kid.kernel_distance(draw(30, seed=s), draw(20, seed=1000 + s))
      for s in range(300)
    ]
  )
  assert abs(each.mean()) < 3 * each.std() / np.sqrt(len(each))
  assert each.min() < 0 < each.max()


def test_subsets_are_seeded_and_drawn_without_replacement():
  a, b = draw(30), draw(40, seed=1)
  options = {'subsets': 4, 'subset_size': 10}
  first, same, other = (
    kid.kernel_distance_subsets(a, b, seed=s, **options) for s in (0, 0, 1)
  )
  np.testing.assert_array_equal(first, same)
  assert len(set(first) | set(other)) == 8
  # A subset of all is all of them, if none is drawn twice.
  whole = kid.kernel_distance(a, b[:30], subsets=3, subset_size=30)
  assert np.isclose(whole, kid.kernel_distance(a, b[:30]), rtol=1e-10)


def test_blocks_are_disjoint_and_count_as_they_are():
  a, b = draw(11), draw(8, seed=1)
  got = kid.kernel_distance_blocks(a, b, block_size=4)
  parts = [(a[:3], b[:2]), (a[3:7], b[2:5]), (a[7:], b[5:])]
  want = [pair_by_pair(x, y) for x, y in parts]
  np.testing.assert_allclose(got, want, rtol=1e-10)
  (one,) = kid.kernel_distance_blocks(a, b, block_size=11)
  assert one == kid.kernel_distance(a, b)


A = draw(9)
NAN = np.where(np.arange(36).reshape(9, 4) == 5, np.nan, A)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: kid.kernel_distance(A, NAN), 'b: 1 of 9 .* NaN'),
    (lambda: kid.kernel_distance(A, A[:1]), 'b: at least 2 .* got 1'),
    (lambda: kid.kernel_distance(A, A[:, :3]), '4 dimensions, b 3'),
    (lambda: kid.kernel_distance(A[0], A), r'a: .* got \[4\]'),
    (lambda: kid.kernel_distance(A, A, degree=0), 'degree of 1'),
    (
      lambda: kid.kernel_distance(A, A[:8], subsets=5),
      'each of 2 examples to 8, got 5 of 1000',
    ),
    (
      lambda: kid.kernel_distance_subsets(A, A, subsets=0, subset_size=3),
      'got 0 of 3',
    ),
    (lambda: kid.kernel_distance(A, A, subsets=2, subset_size=1), '2 of 1'),
    (lambda: kid.kernel_distance_blocks(A, A, block_size=1), '2 or more'),
    (
      lambda: kid.kernel_distance_blocks(A, A[:5], block_size=3),
      '3 blocks of at most 3 need 2 examples each, got 9 and 5',
    ),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)
