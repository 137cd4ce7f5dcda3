"""The Vendi score: cases that are known in closed form, and the definition."""

import math

import numpy as np
import pytest

from gan_jax.metrics import diversity
from gan_jax.types import UserError

ORDERS = [0, 0.1, 0.5, 1, 2, 30, math.inf]


def naive(similarities, order):
  p = np.linalg.eigvals(similarities / len(similarities)).real
  p = p[p > 1e-12]
  if order == 1:
    return np.prod(p**-p)
  return np.sum(p**order) ** (1 / (1 - order))


def test_anchor(anchor):
  # Of the package vendi_score, by score_dual.
  real, fake = anchor
  assert diversity.vendi(real) == pytest.approx(18.3898306535001, rel=1e-12)
  assert diversity.vendi(fake) == pytest.approx(17.9205344901205, rel=1e-12)
  wants = {0.5: 38.3477963416160, 2: 5.51350694505701}
  wants[math.inf] = 2.40979304458400
  for order, want in wants.items():
    got = diversity.vendi(real, order=order)
    assert got == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('n, d', [(12, 5), (5, 12)])
def test_identical_samples_count_as_one(order, n, d):
  x = np.tile(np.arange(1, d + 1), (n, 1))
  assert diversity.vendi(x, order=order) == pytest.approx(1, rel=1e-9)
  rbf = diversity.vendi(x, order=order, kernel='rbf', bandwidth=1)
  assert rbf == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('times', [1, 7])
def test_equal_orthogonal_groups_are_counted(order, times):
  # Whatever their lengths and however they are turned.
  rng = np.random.default_rng(0)
  turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
  x = np.repeat(turn[:4], times, axis=0) * rng.uniform(1, 9, (4 * times, 1))
  assert diversity.vendi(x, order=order) == pytest.approx(4, rel=1e-9)


@pytest.mark.parametrize('order', ORDERS)
def test_distant_groups_are_counted_by_rbf(order):
  x = np.repeat([[0.0, 0.0], [1e3, 0.0], [0.0, 1e3]], 5, axis=0)
  got = diversity.vendi(x, order=order, kernel='rbf', bandwidth=1)
  assert got == pytest.approx(3, rel=1e-9)


def test_unequal_groups_have_the_entropy_of_their_shares():
  x = np.repeat(np.eye(3), [6, 3, 1], axis=0)
  p = np.array([0.6, 0.3, 0.1])
  assert diversity.vendi(x) == pytest.approx(np.prod(p**-p), rel=1e-9)
  assert diversity.vendi(x, order=0) == pytest.approx(3)
  assert diversity.vendi(x, order=2) == pytest.approx(1 / np.sum(p**2))
  assert diversity.vendi(x, order=math.inf) == pytest.approx(1 / 0.6)


@pytest.mark.parametrize('order', [0.5, 1, 3])
@pytest.mark.parametrize('n, d', [(20, 9), (9, 20), (11, 11)])
def test_cosine_against_the_definition(order, n, d):
  x = np.random.default_rng(1).normal(size=(n, d)).astype(np.float32) + 0.5
  unit = x.astype(float) / np.linalg.norm(x.astype(float), axis=1)[:, None]
  want = naive(unit @ unit.T, order)
  assert diversity.vendi(x, order=order) == pytest.approx(want, rel=1e-9)
  assert diversity.vendi(3 * x, order=order) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize('order', [0.5, 1, 3])
@pytest.mark.parametrize('shift', [0, 1e4])
def test_rbf_against_the_definition(order, shift):
  x = np.random.default_rng(2).normal(size=(15, 4))
  squares = ((x[:, None] - x[None]) ** 2).sum(-1)
  want = naive(np.exp(-squares / (2 * 1.7**2)), order)
  got = diversity.vendi(x + shift, order=order, kernel='rbf', bandwidth=1.7)
  assert got == pytest.approx(want, rel=1e-7)


def test_orders_near_one_are_continuous():
  x = np.random.default_rng(3).normal(size=(30, 6))
  middle = diversity.vendi(x)
  for order in (1 - 1e-6, 1 + 1e-6):
    assert diversity.vendi(x, order=order) == pytest.approx(middle, rel=1e-5)
  large = diversity.vendi(x, order=1e4)
  assert large == pytest.approx(diversity.vendi(x, order=math.inf), rel=1e-3)


def test_modes_that_are_dropped_lower_it():
  x = np.repeat(np.eye(10), 10, axis=0)
  x = x + 0.05 * np.random.default_rng(4).normal(size=x.shape)
  scores = [diversity.vendi(x[: 10 * k]) for k in range(1, 11)]
  assert (np.diff(scores) > 0.5).all()


GOOD = np.random.default_rng(5).normal(size=(9, 3))
ZEROS = np.where(np.arange(9)[:, None] < 2, 0, GOOD)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: diversity.vendi(ZEROS), '2 of 9 features are all zero'),
    (lambda: diversity.vendi(GOOD / [1, 1, np.nan]), '9 of 9.*NaN'),
    (lambda: diversity.vendi(GOOD[:0]), 'at least 1'),
    (lambda: diversity.vendi(GOOD[0]), r'\[N, D\], got \[3\]'),
    (lambda: diversity.vendi(GOOD, order=-1), 'order of 0 or more, got -1'),
    (lambda: diversity.vendi(GOOD, order=math.nan), 'got nan'),
    (lambda: diversity.vendi(GOOD, kernel='linear'), 'cosine and rbf'),
    (lambda: diversity.vendi(GOOD, kernel='rbf'), 'bandwidth.* got None'),
    (
      lambda: diversity.vendi(GOOD, kernel='rbf', bandwidth=0),
      'bandwidth above 0, got 0',
    ),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)
