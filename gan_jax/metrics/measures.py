"""The metrics by the names of what they give, and what each of them needs.

Adding a metric is adding its file and its line in METRICS.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gan_jax.metrics import class_coverage, fid, modes, prdc
from gan_jax.metrics.features import base

# Defaults of what `options` may hold, by the names that records use.
OPTIONS = {'k': 5, 'threshold': 3.0, 'min_count': 1, 'min_share': None}

# Of all the others, more is better.
LOWER_IS_BETTER = frozenset({'fid', 'kid', 'reverse_kl'})

NEEDS = {
  'probabilities': 'a labelled data set',
  'modes': 'a data set with known modes',
}


@dataclasses.dataclass(frozen=True)
class View:
  """Samples as the metrics see them."""

  samples: np.ndarray  # [N, ...]
  features: np.ndarray | None = None  # [N, D]
  probabilities: np.ndarray | None = None  # [N, C]

  @functools.cached_property
  def statistics(self) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the features."""
    return fid.statistics(self.features)


class Metric(NamedTuple):
  """A metric function fitted to views."""

  outputs: tuple[str, ...]
  needs: str  # 'features', 'probabilities' or 'modes'
  uses_real: bool
  compute: Callable  # (real, fake, modes, options) -> values by name
  options: tuple[str, ...] = ()  # that belong to the protocol
  extras: tuple[str, ...] = ()  # values that are kept beside the score


def _fid(real, fake, known, options):
  value = fid.frechet_from_statistics(*real.statistics, *fake.statistics)
  return {'fid': value}


def _prdc(real, fake, known, options):
  return prdc.prdc(real.features, fake.features, options['k'])


def _class_coverage(real, fake, known, options):
  num_classes = fake.probabilities.shape[1]
  min_share = options['min_share']
  if min_share is None:
    min_share = class_coverage.default_min_share(num_classes)
  values = class_coverage.class_coverage(
    fake.probabilities, num_classes, min_share=min_share
  )
  return {**values, 'min_share': min_share}


def _modes(real, fake, known, options):
  points = fake.samples.reshape(len(fake.samples), -1)
  return modes.modes(
    points,
    known['centers'],
    known['std'],
    threshold=options['threshold'],
    min_count=options['min_count'],
  )


METRICS = (
  Metric(('fid',), 'features', True, _fid),
  Metric(
    ('precision', 'recall', 'density', 'coverage'),
    'features',
    True,
    _prdc,
    options=('k',),
  ),
  Metric(
    ('class_coverage',),
    'probabilities',
    False,
    _class_coverage,
    extras=('class_shares', 'min_share'),
  ),
  Metric(
    ('modes', 'high_quality', 'reverse_kl'),
    'modes',
    False,
    _modes,
    options=('threshold', 'min_count'),
  ),
)


def default_names(
  kind: str, *, features: base.Features | None = None, modes: Any = None
) -> tuple[str, ...]:
  """What a data set is scored by if nobody asks for anything else.

  Args:
    kind: 'image' or 'point', as the data set says.
    features: as for `scores.make_scorer`.
    modes: as for `scores.make_scorer`.

  Returns:
    Names of metrics.
  """
  if modes is not None:
    return 'modes', 'high_quality'
  if kind == 'point':
    return 'precision', 'coverage'
  if features is not None and features.accuracy is not None:
    return 'fid', 'class_coverage'
  return ('fid',)


def available_names(
  *, features: base.Features | None = None, modes: Any = None
) -> tuple[str, ...]:
  """Names of the metrics that these features and modes allow.

  Args:
    features: as for `scores.make_scorer`.
    modes: as for `scores.make_scorer`.

  Returns:
    Names of metrics, in the order of METRICS.
  """
  allowed = {'features'}
  if modes is not None:
    allowed.add('modes')
  if features is not None and features.accuracy is not None:
    allowed.add('probabilities')
  return tuple(n for m in METRICS if m.needs in allowed for n in m.outputs)
