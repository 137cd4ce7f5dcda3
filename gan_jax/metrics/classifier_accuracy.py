"""Classifier accuracy score: what samples teach about the real classes.

Ravuri and Vinyals, Classification Accuracy Score for Conditional Generative
Models, https://arxiv.org/abs/1905.10887.
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.metrics.features import convnet
from gan_jax.types import UserError


def classifier_accuracy(
  fake,
  fake_labels,
  real,
  real_labels,
  num_classes: int,
  *,
  seed: int = 0,
  steps: int | None = None,
) -> dict:
  """Accuracy on real samples of a classifier trained on generated ones.

  It falls with poor samples, wrong labels and missing variety alike. Compare
  it with the same classifier's accuracy when trained on as many real samples.
  With fake and real exchanged it is the GAN-test of Shmelkov et al.,
  https://arxiv.org/abs/1807.09499: trained on real, tested on fakes, it does
  not see missing variety. Another seed trains another classifier, which is
  most of the score's noise.

  Args:
    fake: generated images [N, H, W, C], uint8 or float in model range.
    fake_labels: [N] integers, the classes that were asked for.
    real: real images that were not trained on [M, H, W, C], as fake.
    real_labels: [M] integers.
    num_classes: number of classes.
    seed: of the training.
    steps: updates; default as of `features.convnet.train`.

  Returns:
    classifier_accuracy: share of the real samples classified correctly.
    per_class: list of num_classes such shares, None without a real sample.
    right: bool [M], which of the real samples these are.

  Raises:
    UserError: shapes that do not fit, too few samples, NaN or infinity,
      labels out of range.
  """
  fake, fake_labels = _checked(fake, fake_labels, 'fake', num_classes)
  real, real_labels = _checked(real, real_labels, 'real', num_classes)
  if fake.shape[1:] != real.shape[1:]:
    raise UserError(
      f'classifier_accuracy: fake images are {list(fake.shape[1:])}, real '
      f'ones {list(real.shape[1:])}'
    )
  params, _ = convnet.train_by_content(
    fake, fake_labels, num_classes, seed=seed, steps=steps
  )
  probabilities = convnet.predict(params, num_classes, real)  # [M, C]
  right = probabilities.argmax(axis=1) == real_labels
  return {
    'classifier_accuracy': float(right.mean()),
    'per_class': _shares(right, real_labels, num_classes),
    'right': right,
  }


def _shares(right, labels, num_classes):
  counts = np.bincount(labels, minlength=num_classes)
  hits = np.bincount(labels, weights=right, minlength=num_classes)
  return [
    float(h / n) if n else None for h, n in zip(hits, counts, strict=True)
  ]


def _checked(x, labels, name, num_classes):
  x, labels = np.asarray(x), np.asarray(labels)
  if x.ndim != 4 or labels.shape != x.shape[:1] or not len(x):
    raise UserError(
      f'classifier_accuracy: expected {name} images [N, H, W, C] and labels '
      f'[N], got {list(x.shape)} and {list(labels.shape)}'
    )
  if not np.issubdtype(labels.dtype, np.integer):
    raise UserError(
      f'classifier_accuracy: {name} labels are {labels.dtype}, not integers'
    )
  what = f'classifier_accuracy: {name} labels'
  checks.label_range(labels, num_classes, what)
  if x.dtype.kind == 'f' and not np.isfinite(x).all():
    raise UserError(f'classifier_accuracy: {name} images hold NaN or infinity')
  return x, labels
