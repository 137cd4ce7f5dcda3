"""Precision, recall, density, coverage: reference figures, borders and ties."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.metrics.prdc import neighbourhoods, prdc
from gan_jax.types import UserError

NAMES = ('precision', 'recall', 'density', 'coverage')


def in_integers(real, fake, k, closed):
  """From whole numbers, so that every tie is exact."""
  squared = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(axis=-1)
  radius = lambda x: np.sort(squared(x, x), axis=1)[:, k]
  within = np.less_equal if closed else np.less
  d = squared(real, fake)
  in_real = within(d, radius(real)[:, None])
  in_fake = within(d, radius(fake)[None])
  return in_real.sum(axis=0), in_fake.any(axis=1), in_real.any(axis=1)


@pytest.mark.parametrize('block', [300, 1024])
@pytest.mark.parametrize(
  'k, want',
  [
    (5, (0.5825, 0.96, 0.41925, 0.762)),
    (3, (0.46875, 0.923, 503 / 1200, 0.569)),
  ],
)
def test_anchor(anchor, k, want, block):
  got = prdc(*anchor, k, block=block)
  assert tuple(got) == NAMES
  np.testing.assert_allclose([got[n] for n in NAMES], want, rtol=1e-14)
  # No example lies on a sphere of the other kind.
  assert prdc(*anchor, k, block=block, closed=True) == got


@pytest.mark.parametrize('closed', [False, True])
@pytest.mark.parametrize('block', [7, 29, 1024])
@pytest.mark.parametrize('factor, shift', [(1, 0), (0.1, 0), (0.7, 30.3)])
def test_ties(closed, block, factor, shift):
  rng = np.random.default_rng(0)
  real, fake = rng.integers(5, size=(50, 3)), rng.integers(1, 6, size=(40, 3))
  want = in_integers(real, fake, 3, closed)
  assert 0 < want[1].mean() < 1 and 0 < want[2].mean() < 1
  got = neighbourhoods(
    real * factor + shift, fake * factor + shift, 3, closed=closed, block=block
  )
  for x, y in zip(got, want, strict=True):
    np.testing.assert_array_equal(x, y)


def test_closed_and_open_differ_in_ties_only():
  real = np.array([[0.0], [1.0], [-1.0]])
  fake = np.array([[2.0], [2.0]])  # where the ball of 1 ends
  assert prdc(real, fake, 1) == dict.fromkeys(NAMES, 0)
  closed = prdc(real, fake, 1, closed=True)
  third = pytest.approx(1 / 3)
  assert closed == {
    'precision': 1, 'recall': 0, 'density': 1, 'coverage': third
  }  # fmt: skip
  nearer = prdc(real, fake - 1e-6, 1)
  assert nearer == closed


def test_what_is_inside_by_a_billionth_is_inside():
  """A ball of radius 1 around 0; only rounding counts as being on it."""
  real = np.array([[0.0], [1.0], [7.0]])
  for distance, hit in ((1 - 1e-9, 1), (1 + 1e-9, 0)):
    fake = np.array([[-distance], [70.0], [80.0]])
    for closed in (False, True):
      found = neighbourhoods(real, fake, 1, closed=closed)
      assert found.hits[0] == hit


@pytest.mark.parametrize('value', [0, 1 / 3, 1e8 / 3])
def test_constant_features(value):
  # All balls are points, which all examples lie on.
  real, fake = np.full((20, 3), value), np.full((30, 3), value)
  assert prdc(real, fake, 4) == dict.fromkeys(NAMES, 0)
  want = dict.fromkeys(NAMES, 1) | {'density': 20 / 4}
  assert prdc(real, fake, 4, closed=True) == want


@pytest.mark.parametrize('n', [257, 64])
def test_of_the_same(n):
  x = np.random.default_rng(3).normal(size=(n, 100)).astype(np.float32)
  open_, closed = (
    neighbourhoods(x, x.copy(), 5, closed=c, block=64) for c in (False, True)
  )
  # A ball holds its centre and k - 1 neighbours; the k-th lies on the sphere.
  assert open_.hits.sum() == 5 * n and closed.hits.sum() == 6 * n
  for found in (open_, closed):
    assert found.recalled.all() and found.covered.all()


def test_contributions_average_to_the_measures(anchor):
  real, fake = anchor[0][:300], anchor[1][:200]
  found = neighbourhoods(real, fake, 4, block=128)
  assert [x.shape for x in found] == [(200,), (300,), (300,)]
  assert found.hits.dtype == np.int64 and found.covered.dtype == bool
  assert prdc(real, fake, 4) == {
    'precision': np.mean(found.hits > 0),
    'recall': found.recalled.mean(),
    'density': found.hits.mean() / 4,
    'coverage': found.covered.mean(),
  }


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.int32])
def test_numbers_of_any_kind(dtype):
  # The squares would overflow float16.
  x = np.arange(2000, 2048, 3)[:, None].astype(dtype)
  want = in_integers(x.astype(int), x[::2].astype(int) + 1, 1, True)
  got = neighbourhoods(x, x[::2] + dtype(1), 1, closed=True)
  for x, y in zip(got, want, strict=True):
    np.testing.assert_array_equal(x, y)


def test_the_session_stays_in_float32(anchor):
  before = jax.config.jax_enable_x64
  prdc(anchor[0][:50], anchor[1][:50])
  with pytest.raises(UserError):
    prdc(anchor[0][:50], anchor[1][:3])
  assert jax.config.jax_enable_x64 == before
  assert jnp.asarray(np.float64(1)).dtype == jnp.float32


X = np.random.default_rng(4).normal(size=(9, 3))
NAN = np.where(np.arange(27).reshape(9, 3) == 5, np.nan, X)


@pytest.mark.parametrize('function', [prdc, neighbourhoods])
@pytest.mark.parametrize(
  'real, fake, k, told',
  [
    (X, X[:5], 5, 'fake: at least 6 .* got 5'),
    (X[:5], X, 5, 'real: at least 6 .* got 5'),
    (X, X, 0, 'k of 1 or more, got 0'),
    (NAN, X, 5, 'real: 1 of 9 .* NaN'),
    (X, X * np.inf, 5, 'fake: 9 of 9 .* infinity'),
    (X, X[:, 0], 5, r'\[N, D\], got \[9\]'),
    (X, X[:, :2], 5, 'real have 3 dimensions, fake 2'),
  ],
)
def test_errors_are_one_line(function, real, fake, k, told):
  with pytest.raises(UserError, match=told) as e:
    function(real, fake, k)
  assert '\n' not in str(e.value)
