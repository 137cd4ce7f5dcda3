"""Judges of series against formulas by hand, and what each must tell apart."""

import types

import numpy as np
import pytest

from gan_jax.metrics import content
from gan_jax.metrics.series import (
  discriminative,
  judge,
  predictive,
  usefulness,
)
from gan_jax.types import UserError

SMALL = judge.Recipe(3, sees='each')
QUICK = judge.Recipe(4, sees='last', steps=60, learning_rate=3e-2)


def waves(n, *, seed=0, columns=1, length=6):
  rng = np.random.default_rng(seed)
  phase = rng.uniform(0, 6.28, (n, 1, columns))
  t = np.arange(length)[:, None]
  return np.sin(phase + t).astype(np.float32)


def gru(cell, x):
  """The states [T, H] of one series [T, C], step by step."""
  sigmoid = lambda v: 1 / (1 + np.exp(-v))
  dense = lambda name, v: v @ cell[name]['kernel'] + cell[name].get('bias', 0)
  state, states = np.zeros(3), []
  for value in x:
    r = sigmoid(dense('ir', value) + dense('hr', state))
    z = sigmoid(dense('iz', value) + dense('hz', state))
    n = np.tanh(dense('in', value) + r * dense('hn', state))
    state = (1 - z) * n + z * state
    states.append(state)
  return np.array(states)


def test_a_judge_is_a_gru_and_a_dense_layer():
  x = waves(130, columns=2)  # more than one batch
  params = judge._init(judge.jax.random.key(1), (6, 2), SMALL)
  made = judge.judge(params, x, SMALL)
  assert made.shape == (130, 6, 1)
  inner = judge.jax.tree.map(np.float64, params)['params']
  for k in (0, 129):
    states = gru(inner['GRUCell_0'], x[k].astype(float))
    want = states @ inner['Dense_0']['kernel'] + inner['Dense_0']['bias']
    np.testing.assert_allclose(made[k], want, atol=1e-5)
  last = judge.judge(params, x, SMALL._replace(sees='last'))
  mean = judge.judge(params, x, SMALL._replace(sees='mean', squashed=True))
  np.testing.assert_allclose(last, made[:, -1], atol=1e-6)
  np.testing.assert_allclose(mean, 1 / (1 + np.exp(-made.mean(1))), atol=1e-6)


def test_batches_go_through_all_series():
  rows = judge._batches(300, 7, 0)
  assert rows.shape == (7, judge.BATCH)
  counts = np.bincount(rows.ravel(), minlength=300)
  assert counts.min() >= 2 and counts.max() <= 3
  assert judge._batches(5, 2, 0).max() == 4  # fewer than a batch


def test_a_judge_learns_one_batch_after_the_other(monkeypatch):
  monkeypatch.setattr(judge, 'CHUNK', 4)
  recipe = judge.Recipe(2, steps=10)
  x, y = waves(200), np.arange(200, dtype=np.float32) % 2
  made = judge.train(x, y, recipe, seed=3)
  params = judge._init(judge.jax.random.key(3), (6, 1), recipe)
  rule = judge._optimizer(recipe)
  opt = rule.init(params)
  slope = judge.jax.jit(judge.jax.grad(judge._loss), static_argnums=3)
  for rows in judge._batches(200, 10, 3):
    change, opt = rule.update(slope(params, x[rows], y[rows], recipe), opt)
    params = judge.optax.apply_updates(params, change)
  for one, other in zip(
    *map(judge.jax.tree.leaves, (made, params)), strict=True
  ):
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_verdicts_are_right_by_the_sign_of_a_logit(monkeypatch):
  learned = []
  logits = {4: [0.3, -0.2, 0.0, 2.0], 3: [0.3, -0.2, 0.0]}  # by how many
  monkeypatch.setattr(judge, 'train', lambda *given: learned.append(given))
  monkeypatch.setattr(
    judge, 'judge', lambda params, x, recipe: np.array([logits[len(x)]]).T
  )
  parts = discriminative.Parts((waves(2), waves(3)), (waves(4), waves(3)))
  right = discriminative._right(parts, QUICK)
  assert right.tolist() == [True, False, False, True, False, True, True]
  assert learned[0][1].tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize('steps, warm', [(10, 1), (40, 4)])
def test_the_rate_rises_and_falls_along_a_cosine(steps, warm):
  rule = judge._optimizer(judge.Recipe(1, steps=steps))
  opt, rates = rule.init(1.0), []
  for _ in range(steps):
    change, opt = rule.update(1.0, opt)  # of Adam the rate, of a slope of 1
    rates.append(-float(change))
  t = np.arange(steps)
  fall = (1 + np.cos(np.pi * (t - warm) / (steps - warm))) / 2
  want = 0.01 * np.where(t < warm, t / warm, fall)
  np.testing.assert_allclose(rates, want, atol=1e-7)


def test_how_long_the_judges_learn():
  ours, strict = discriminative.ours(1), discriminative.STRICT
  assert (ours.steps, ours.hidden, ours.sees) == (500, 8, 'last')
  assert (strict.steps, strict.hidden, strict.sees) == (1000, 16, 'mean')
  assert {r.learning_rate for r in (ours, strict)} == {1e-2}
  assert ours.decays and strict.decays
  most = discriminative.MOST, predictive.MOST, usefulness.MOST
  assert most == (2500, 5000, 10_000)


def test_a_losses_value_is_what_it_says(monkeypatch):
  made = np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6, 1)
  fixed = lambda recipe: types.SimpleNamespace(apply=lambda params, x: made)
  monkeypatch.setattr(judge, 'Judge', fixed)
  loss = lambda kind, y: judge._loss((), (), y, judge.Recipe(1, loss=kind))
  y = np.arange(24).reshape(4, 6) % 2
  p = 1 / (1 + np.exp(-made[..., 0]))
  want = -np.log(np.where(y == 1, p, 1 - p)).mean()
  assert loss('binary', y) == pytest.approx(want, rel=1e-5)
  want = np.abs(made[..., 0] - 0.3).mean()
  assert loss('absolute', 0 * y + 0.3) == pytest.approx(want, rel=1e-5)
  made = made[..., 0]  # [4, 6 classes]
  shares = np.exp(made) / np.exp(made).sum(1, keepdims=True)
  want = -np.log(shares[np.arange(4), [5, 0, 3, 3]]).mean()
  classes = np.array([5, 0, 3, 3])
  assert loss('classes', classes) == pytest.approx(want, rel=1e-5)


def test_equal_fakes_are_told_by_chance_and_others_always():
  real, held_out = waves(200), waves(100, seed=1)
  told = lambda fake: discriminative.mended(real, held_out, fake, QUICK)
  other = told(0.2 * waves(160, seed=2))
  assert other.shape == (160,) and discriminative.value(other) > 0.35
  assert discriminative.value(told(waves(160, seed=3))) < 0.15
  assert discriminative.value([True, False]) == 0
  assert discriminative.value([False] * 4) == 0.5


def test_no_series_is_both_learned_from_and_tested(monkeypatch):
  seen = []
  monkeypatch.setattr(
    discriminative, '_right', lambda parts, recipe: seen.append((parts, recipe))
  )
  real, held_out, fake = (waves(n, seed=n) for n in (50, 30, 41))
  discriminative.mended(real, held_out, fake, QUICK)
  discriminative.as_timegan(real, fake)
  (parts, _), (published, recipe) = seen
  np.testing.assert_array_equal(parts.learned[0], real[:20])
  np.testing.assert_array_equal(parts.learned[1], fake[:20])
  np.testing.assert_array_equal(parts.tested[0], held_out[:20])
  np.testing.assert_array_equal(parts.tested[1], fake[20:40])
  np.testing.assert_array_equal(published.learned[0], real[:32])  # 80 % of 41
  np.testing.assert_array_equal(published.tested[0], real[32:41])
  np.testing.assert_array_equal(published.tested[1], fake[32:])
  assert recipe.hidden == 1 and recipe.steps == 2000
  assert recipe.learning_rate == 1e-3 and not recipe.decays
  discriminative.as_timegan(real[:2], fake[:2])  # as few as there may be
  discriminative.mended(real[:1], held_out[:1], fake[:2], QUICK)
  monkeypatch.setattr(discriminative, 'MOST', 7)
  discriminative.mended(real, held_out, fake, QUICK)
  sizes = [[len(side) for pair in parts for side in pair] for parts, _ in seen]
  assert sizes[2:] == [[1] * 4, [1] * 4, [7] * 4]
  with pytest.raises(UserError, match='real: at least 2 .* got 1'):
    discriminative.as_timegan(real[:1], fake)


@pytest.mark.parametrize('columns, ours, published', [(1, 8, 1), (28, 14, 14)])
def test_units_by_the_columns(columns, ours, published):
  assert discriminative.ours(columns).hidden == ours
  assert discriminative.published(columns).hidden == published
  assert predictive.published(columns).hidden == published


@pytest.mark.slow
def test_a_forecaster_foresees_what_it_learned(monkeypatch):
  quick = predictive.MENDED._replace(hidden=4, steps=100, learning_rate=3e-2)
  monkeypatch.setattr(predictive, 'MENDED', quick)
  held_out = waves(60, seed=1, columns=2)
  good = predictive.mended(held_out, waves(200, columns=2))
  assert good.shape == (60,) and good.mean() < 0.3
  # Of the other order of moments it learns the wrong thing.
  still = 0 * waves(200, columns=2)
  np.testing.assert_allclose(
    predictive.mended(held_out, still),
    np.abs(held_out[:, 1:, -1]).mean(axis=1),
    atol=0.05,
  )


def test_the_published_forecaster_looks_at_the_other_columns(monkeypatch):
  seen = []
  monkeypatch.setattr(predictive, '_errors', lambda *given: seen.append(given))
  real = 3 + 2 * waves(9, columns=3)
  real[..., 1] = 5  # which never moves
  predictive.as_timegan(real, real + 1)
  ((real, fake, columns, recipe),) = seen
  assert real.min() == 0 and real.max() == pytest.approx(1, abs=1e-5)
  assert fake.max() > 1  # scaled as the real ones are
  assert columns == slice(-1) and recipe.squashed and recipe.steps == 5000
  assert recipe.learning_rate == 1e-3 and not recipe.decays
  with pytest.raises(UserError, match='expected two or more, there is one'):
    predictive.as_timegan(waves(4), waves(4))


def test_a_forecaster_learns_on_fakes_what_comes_next(monkeypatch):
  learned, tested = [], []
  monkeypatch.setattr(
    judge, 'train', lambda *given: learned.append(given) or 'weights'
  )
  monkeypatch.setattr(
    judge, 'judge', lambda *given: tested.append(given) or given[1][..., :1]
  )
  held_out, fake = waves(5, columns=2), waves(7, seed=1, columns=2)
  errors = predictive.mended(held_out, fake)
  ((x, y, recipe),), ((weights, before, same),) = learned, tested
  np.testing.assert_array_equal(x, fake[:, :-1])
  np.testing.assert_array_equal(y, fake[:, 1:, 1])
  np.testing.assert_array_equal(before, held_out[:, :-1])
  assert weights == 'weights' and recipe == same
  assert recipe == judge.Recipe(16, sees='each', loss='absolute', steps=500)
  want = np.abs(held_out[:, :-1, 0] - held_out[:, 1:, 1]).mean(axis=1)
  np.testing.assert_allclose(errors, want, rtol=1e-6)


def test_a_classifier_is_right_where_its_best_class_is(monkeypatch):
  learned, tested = [], []
  guesses = np.array([2, 0, 1, 1, 2, 0, 0])  # places of classes
  monkeypatch.setattr(
    judge, 'train', lambda *given: learned.append(given) or 'weights'
  )
  monkeypatch.setattr(
    judge, 'judge', lambda *given: tested.append(given) or np.eye(3)[guesses]
  )
  (x, labels), (other, expected) = (
    (waves(n, seed=n), np.arange(n) * 2 % 3) for n in (9, 7)
  )
  right = usefulness.right((x, labels), (other, expected), 3)
  order, place = content.order(x, labels, 3)
  assert right.tolist() == (guesses == place[expected]).tolist()
  assert 0 < right.sum() < 7 and sorted(place) == [0, 1, 2]
  ((seen, classes, recipe),), ((weights, judged, same),) = learned, tested
  np.testing.assert_array_equal(seen, x[order])
  np.testing.assert_array_equal(classes, place[labels[order]])
  np.testing.assert_array_equal(judged, other)
  assert weights == 'weights' and recipe == same
  assert recipe == judge.Recipe(24, 3, loss='classes', steps=500)
  with pytest.raises(UserError, match='tstr, trts: tested: labels'):
    usefulness.right((x, labels), (other, expected + 1), 3)
  with pytest.raises(UserError, match='tstr, trts: learned: expected series'):
    usefulness.right((x[0], labels), (other, expected), 3)


@pytest.mark.slow
def test_a_classifier_is_independent_of_the_numbers_of_classes(monkeypatch):
  monkeypatch.setattr(usefulness, 'STEPS', 50)
  labels = np.arange(90) % 3
  scale = np.float32([0.1, 0.5, 1.5])[labels][:, None, None]
  x = np.abs(waves(90)) * scale
  other = np.array([2, 0, 1])
  right = usefulness.right((x, labels), (x, labels), 3)
  assert right.mean() > 0.8
  again = usefulness.right((x, other[labels]), (x, other[labels]), 3)
  np.testing.assert_array_equal(right, again)


@pytest.mark.parametrize(
  'wrong, words',
  [
    (np.zeros((4, 6)), r'fake: expected series \[N, T, C\], got \[4, 6\]'),
    (np.zeros((4, 5, 1)), r'series of shape \[5, 1\] are compared .* \[6, 1\]'),
    (np.zeros((1, 6, 1)), 'fake: at least 2 examples needed, got 1'),
    (np.full((4, 6, 1), np.nan), 'fake: 4 of 4 examples hold NaN'),
  ],
)
def test_what_is_no_series_is_refused(wrong, words):
  with pytest.raises(UserError, match=words):
    discriminative.mended(waves(4), waves(4), wrong, QUICK)
