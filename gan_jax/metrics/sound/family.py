"""Metrics of sounds: a line for each."""

import numpy as np

from gan_jax.kinds.hearing import spectra
from gan_jax.metrics import intervals
from gan_jax.metrics.metric import Family, Metric
from gan_jax.metrics.sound import log_spectral, pitch


def spectral(real, fake, known):
  """Log-spectral distance."""
  del known
  value = log_spectral.distance(_waves(real), _waves(fake))
  return {'log_spectral_distance': value}, {}


def pitched(real, fake, known):
  """Share of sounds with one of the known pitches."""
  del real
  pitches, rate = known.about['pitches'], spectra.rate_of(known.about)
  return _share(
    'pitch_accuracy', pitch.near_any(_waves(fake), pitches, rate=rate)
  )


def pitched_by_class(real, fake, known):
  """Share of sounds with the pitch of their class."""
  del real
  pitches, rate = known.about['pitches'], spectra.rate_of(known.about)
  right = pitch.near_own(_waves(fake), fake.labels, pitches, rate=rate)
  return _share('class_pitch_accuracy', right)


def _share(name, right):
  right = right.astype(np.float64)
  return {name: right.mean()}, {name: intervals.bootstrap(right)}


def _waves(stats):
  """[N, T, 1] -> [N, T]."""
  return stats.samples.reshape(stats.count, -1)


FAMILY = Family(
  (
    Metric(
      ('log_spectral_distance',), spectral, ('samples',), ('samples',),
      where='sound',
    ),
    Metric(('pitch_accuracy',), pitched, ('samples',), where='pitches'),
    Metric(
      ('class_pitch_accuracy',), pitched_by_class, ('samples', 'labels'),
      where='pitches labels',
    ),
  ),
  where={
    'sound': 'sounds',
    'pitches': 'a data set with known pitches',
  },
  lower_is_better=frozenset({'log_spectral_distance'}),
)  # fmt: skip
