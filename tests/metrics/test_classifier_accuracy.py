"""Classifier accuracy: what real, shuffled and one-sided samples teach."""

import numpy as np
import pytest
from sklearn import datasets

from gan_jax.metrics.classifier_accuracy import classifier_accuracy
from gan_jax.types import UserError


@pytest.fixture(scope='module')
def digits():
  """(x, labels) to learn from and (x, labels) to test on."""
  found = datasets.load_digits()
  x = np.round(found.images * 255 / 16).astype(np.uint8)[..., None]
  return (x[:1300], found.target[:1300]), (x[1300:], found.target[1300:])


def test_real_samples_teach_the_classes(digits):
  (x, y), (real, labels) = digits
  got = classifier_accuracy(x, y, real, labels, 10, steps=100)
  assert got['classifier_accuracy'] > 0.9
  right = got['right']
  assert right.shape == (497,) and right.mean() == got['classifier_accuracy']
  want = [right[labels == k].mean() for k in range(10)]
  np.testing.assert_allclose(got['per_class'], want, rtol=1e-12)
  again = classifier_accuracy(x, y, real, labels, 10, steps=100)
  assert again['per_class'] == got['per_class']


def test_shuffled_labels_teach_nothing(digits):
  (x, y), (real, labels) = digits
  shuffled = np.random.default_rng(0).permutation(y)
  got = classifier_accuracy(x, shuffled, real, labels, 10, steps=60)
  assert got['classifier_accuracy'] < 0.25


def test_a_class_that_is_missing_is_not_known(digits):
  (x, y), (real, labels) = digits
  kept, seen = y != 3, labels != 4
  got = classifier_accuracy(
    x[kept], y[kept], real[seen], labels[seen], 10, steps=60
  )
  assert got['per_class'][3] == 0
  assert got['per_class'][4] is None
  assert 0.6 < got['classifier_accuracy'] < 0.92


GOOD = np.zeros((8, 4, 4, 1), np.float32)
LABELS = np.arange(8) % 2
NAN = np.where(np.arange(8)[:, None, None, None] == 3, np.nan, GOOD)


@pytest.mark.parametrize(
  'fake, fake_labels, real, real_labels, told',
  [
    (GOOD, LABELS, GOOD[:, :3], LABELS, r'\[4, 4, 1\], real ones \[3, 4, 1\]'),
    (GOOD[0], LABELS, GOOD, LABELS, r'fake images.*got \[4, 4, 1\]'),
    (GOOD, LABELS[:5], GOOD, LABELS, r'\[8, 4, 4, 1\] and \[5\]'),
    (GOOD, LABELS, GOOD[:0], LABELS[:0], 'expected real'),
    (GOOD, LABELS * 1.0, GOOD, LABELS, 'float64, not integers'),
    (GOOD, LABELS + 1, GOOD, LABELS, 'fake labels from 1 to 2 do not fit 2'),
    (GOOD, LABELS, GOOD, LABELS - 1, 'real labels from -1 to 0'),
    (NAN, LABELS, GOOD, LABELS, 'fake images hold NaN'),
    (GOOD, LABELS, NAN, LABELS, 'real images hold NaN'),
    (GOOD[:1], LABELS[:1], GOOD, LABELS, 'two or more images'),
  ],
)
def test_errors_are_one_line(fake, fake_labels, real, real_labels, told):
  with pytest.raises(UserError, match=told) as e:
    classifier_accuracy(fake, fake_labels, real, real_labels, 2, steps=1)
  assert '\n' not in str(e.value)
