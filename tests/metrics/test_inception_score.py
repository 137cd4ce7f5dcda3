"""Inception score: the reference figures and what the score means."""

import numpy as np
import pytest

from gan_jax.metrics.inception_score import inception_score
from gan_jax.types import UserError


def softmax(logits):
  e = np.exp(logits - logits.max(axis=1, keepdims=True))
  return e / e.sum(axis=1, keepdims=True)


def draw(n, classes=7, seed=0):
  rng = np.random.default_rng(seed)
  return softmax(2 * rng.normal(size=(n, classes)))


def by_entropies(p):
  """exp of the mutual information, H(y) - H(y | x)."""
  q = p.mean(axis=0)
  return np.exp(-np.sum(q * np.log(q)) + np.sum(p * np.log(p), axis=1).mean())


def test_anchor():
  rng = np.random.default_rng(20240501)
  mix = rng.normal(size=(64, 64)) / 8
  rng.normal(size=(1000, 64))  # the real ones
  fake = np.maximum(rng.normal(size=(800, 64)) @ mix * 1.1 + 0.35, 0)
  probs = softmax(fake.astype(np.float32).astype(np.float64))
  mean, std = inception_score(probs, 10, shuffle_seed=2020)
  assert abs(mean - 1.5418900816) < 1e-10
  assert abs(std - 0.0193552078859) < 1e-10


@pytest.mark.parametrize(
  'n, splits, edges',
  [
    (40, 4, (0, 10, 20, 30, 40)),
    (43, 4, (0, 10, 21, 32, 43)),
    (3, 3, (0, 1, 2, 3)),
    (20, 1, (0, 20)),
  ],
)
def test_splits_are_taken_in_order(n, splits, edges):
  p = draw(n)
  scores = [
    by_entropies(p[i:j]) for i, j in zip(edges, edges[1:], strict=False)
  ]
  mean, std = inception_score(p, splits)
  assert mean == pytest.approx(np.mean(scores), rel=1e-12)
  assert std == pytest.approx(np.std(scores), rel=1e-9, abs=1e-15)


def test_shuffled_by_the_legacy_generator():
  p = draw(50)
  order = np.random.RandomState(7).permutation(50)
  assert inception_score(p, 5, shuffle_seed=7) == inception_score(p[order], 5)
  assert inception_score(p, 5, shuffle_seed=7) != inception_score(p, 5)


def test_zeros_are_no_error():
  # Sure of each of four classes, a fifth that never comes.
  sure = np.eye(5)[np.arange(20) % 4]
  mean, std = inception_score(sure, 5)
  assert mean == pytest.approx(4, rel=1e-12) and std < 1e-12
  assert inception_score(sure[:1], 1)[0] == 1


def test_from_one_to_the_number_of_classes():
  assert inception_score(np.full((30, 6), 1 / 6), 3)[0] == pytest.approx(1)
  for p in (draw(100), draw(100).astype(np.float32)):
    assert 1 < inception_score(p)[0] < 7


P = draw(20, 3)


@pytest.mark.parametrize(
  'probs, options, told',
  [
    (np.where(P == P.max(), np.nan, P), {}, 'probs: 1 of 20 .* NaN'),
    (P[:9], {}, 'at least 10 .* got 9'),
    (P[0], {}, r'\[N, D\], got \[3\]'),
    (P, {'splits': 0}, '1 split or more, got 0'),
    (P - 0.5, {}, 'none below 0, got -'),
    (P * 1.002, {}, 'add up to 1, got one of 1.002'),
    (np.array([[0.5, 0.5], [0.25, 0.25]]), {'splits': 1}, 'got one of 0.5'),
    (P * np.linspace(1, 3, 20)[:, None], {}, 'got one of 3 '),
  ],
)
def test_errors_are_one_line(probs, options, told):
  with pytest.raises(UserError, match=told) as e:
    inception_score(probs, **options)
  assert '\n' not in str(e.value)


def test_rounded_probabilities_are_taken():
  assert inception_score(P * 1.0009)[0] == pytest.approx(
    inception_score(P)[0], rel=1e-2
  )
