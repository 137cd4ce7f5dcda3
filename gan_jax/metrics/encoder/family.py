"""Metrics of encoders: a line for each. They look at real samples alone."""

import numpy as np

from gan_jax.metrics import intervals
from gan_jax.metrics.encoder import knn, rebuilding
from gan_jax.metrics.metric import Family, Metric
from gan_jax.types import UserError


def rebuilt(real, fake, known):
  """Error of what is rebuilt of held-out samples."""
  del real, fake
  return _rebuilt('reconstruction_error', known.held_out, known)


def rebuilt_of_training(real, fake, known):
  """The same of samples that were trained on."""
  del fake
  return _rebuilt('train_reconstruction_error', real, known)


def _rebuilt(name, stats, known):
  made = _encoder(known).rebuild(stats.samples)
  each = rebuilding.errors(stats.samples, made)
  return _mean(name, each)


def neighbour(real, fake, known):
  """Accuracy of the nearest training example's label."""
  del fake
  encode, unseen = _encoder(known).encode, known.held_out
  right = knn.right(
    encode(real.samples), real.labels, encode(unseen.samples), unseen.labels
  )
  return _mean('knn_accuracy', right.astype(np.float64))


def _mean(name, each):
  span = intervals.bootstrap(each) if len(each) > 1 else None
  return {name: each.mean()}, {name: span}


def _encoder(known):
  if known.encoder is None:
    raise UserError('these samples come without an encoder')
  return known.encoder


FAMILY = Family(
  (
    Metric(
      ('reconstruction_error',), rebuilt, (), held_out=('samples',),
      where='encoder unlabelled',
    ),
    Metric(
      ('train_reconstruction_error',), rebuilt_of_training, (), ('samples',),
      where='encoder unlabelled',
    ),
    Metric(
      ('knn_accuracy',), neighbour, (), ('samples', 'labels'),
      held_out=('samples', 'labels'), where='encoder classed',
    ),
  ),
  where={
    'encoder': 'a run of a model with an encoder',
    'unlabelled': 'a generator without labels (conditional=False)',
    'classed': 'a labelled data set',
  },
  lower_is_better=frozenset(
    {'reconstruction_error', 'train_reconstruction_error'}
  ),
)  # fmt: skip
