"""Metrics of encoders, against scikit-learn."""

import types

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error
from sklearn.neighbors import KNeighborsClassifier

from gan_jax.metrics import compute, measures, reference, scores
from gan_jax.metrics.encoder import family, knn, rebuilding
from gan_jax.types import UserError

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(120, 3, 2)), np.arange(120) % 4
X = (X + LABELS[:, None, None]).astype(np.float32)
TRAIN, REST = slice(0, 80), slice(80, None)
HALVED = compute.Encoder(lambda x: x[:, :, 0], lambda x: x / 2)
ENCODER = frozenset({'encoder', 'classed', 'unlabelled'})


def test_the_nearest_code_is_that_of_sklearn():
  judge = KNeighborsClassifier(1).fit(X[TRAIN].reshape(80, -1), LABELS[TRAIN])
  want = judge.predict(X[REST].reshape(40, -1)) == LABELS[REST]
  found = knn.right(X[TRAIN], LABELS[TRAIN], X[REST], LABELS[REST])
  np.testing.assert_array_equal(found, want)
  assert 0.2 < want.mean() < 0.95  # a judge that errs


def test_the_error_is_the_mean_square():
  each = rebuilding.errors(X, X / 2)
  want = mean_squared_error(X.reshape(120, -1), X.reshape(120, -1) / 2)
  assert each.shape == (120,)
  assert each.mean() == pytest.approx(want, rel=1e-6)
  assert rebuilding.errors(X, X).max() == 0


def scored(names, *, encoder=HALVED, order=slice(None)):
  x, labels = X[REST][order], LABELS[REST][order]
  made = scores.make_scorer(
    names,
    reference.from_arrays(X[TRAIN], labels=LABELS[TRAIN], name='mine/train'),
    facts=compute.Facts('point', also=ENCODER),
    held_out=reference.from_arrays(x, labels=labels, name='mine/test'),
  )
  collector = made.collector(5)
  collector.add(np.zeros((5, 3, 2), np.float32))
  return made.score(collector.view(), encoder=encoder, step=0, seed=0)


NAMES = ('knn_accuracy', 'reconstruction_error', 'train_reconstruction_error')


def test_records_are_of_the_encoder_and_of_real_samples():
  accuracy, error, of_training = scored(NAMES)
  judge = KNeighborsClassifier(1).fit(X[TRAIN][:, :, 0], LABELS[TRAIN])
  want = judge.score(X[REST][:, :, 0], LABELS[REST])
  assert accuracy['value'] == pytest.approx(want)
  assert error['value'] == pytest.approx((X[REST] ** 2).mean() / 4, rel=1e-5)
  want = (X[TRAIN] ** 2).mean() / 4
  assert of_training['value'] == pytest.approx(want, rel=1e-5)
  for record in (accuracy, error, of_training):
    low, high = record['interval']
    assert low < record['value'] < high
  assert error['held_out'] == 'mine/test' and accuracy['n_real'] == 80


def test_a_single_sample_has_no_interval():
  for count in (1, 2):
    known = compute.Known(
      held_out=types.SimpleNamespace(samples=X[:count]), encoder=HALVED
    )
    _, spans = family.rebuilt(None, None, known)
    assert (spans['reconstruction_error'] is None) == (count == 1)


def test_the_order_of_the_samples_is_nothing_to_them():
  values = lambda records: [r['value'] for r in records]
  shuffled = RNG.permutation(40)
  assert values(scored(NAMES, order=shuffled)) == values(scored(NAMES))


def test_without_an_encoder_there_is_no_score():
  with pytest.raises(UserError, match='without an encoder'):
    scored(('knn_accuracy',), encoder=None)
  there = measures.where_possible(held_out=True)
  with pytest.raises(UserError, match='a run of a model with an encoder'):
    measures.expand(['reconstruction_error'], there)
  there = measures.where_possible(held_out=True, also=frozenset({'encoder'}))
  with pytest.raises(UserError, match='needs a labelled data set'):
    measures.expand(['knn_accuracy'], there)
  with pytest.raises(UserError, match='conditional=False'):
    measures.expand(['reconstruction_error'], there)


def test_codes_of_any_shape_are_compared_flat():
  known = compute.Known(
    held_out=types.SimpleNamespace(samples=X[REST], labels=LABELS[REST]),
    encoder=compute.Encoder(lambda x: x, None),
  )
  real = types.SimpleNamespace(samples=X[TRAIN], labels=LABELS[TRAIN])
  values, _ = family.neighbour(real, None, known)
  judge = KNeighborsClassifier(1).fit(X[TRAIN].reshape(80, -1), LABELS[TRAIN])
  want = judge.score(X[REST].reshape(40, -1), LABELS[REST])
  assert values['knn_accuracy'] == pytest.approx(want)
