"""The metrics by the names of what they give, and what each of them needs.

Adding a metric is adding its file and its line in METRICS.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gan_jax.metrics import (
  class_coverage,
  classifier_accuracy,
  diversity,
  fd_infinity,
  fid,
  inception_score,
  intervals,
  kid,
  memorisation,
  modes,
  prdc,
  stacked_mnist,
  swd,
)
from gan_jax.metrics.features import base
from gan_jax.metrics.views import SEEN, View
from gan_jax.types import UserError

# Defaults of what `options` may hold, by the names that records use.
OPTIONS = {
  'k': 5,
  'closed': False,
  'splits': 10,
  'projections': 512,
  'threshold': 3.0,
  'min_count': 1,
  'min_share': None,
}

# Of all the others, more is better; a C_T is best at 0.
LOWER_IS_BETTER = frozenset(
  {
    'fid', 'fd_infinity', 'sfid', 'intra_fid', 'kid', 'swd', 'reverse_kl',
    'stacked_kl',
  }
)  # fmt: skip

# Where a metric is possible, by its `where`, and what to say elsewhere.
WHERE = {
  'features': 'samples that a feature net can look at',
  'spatial': 'features of places: --features=inception',
  'probabilities': 'a classifier: --features=classifier or inception',
  'classes': "a classifier of the data set's own: --features=classifier",
  'labels': 'a labelled data set and a generator that is told the label',
  'held_out': 'a data set with a test split',
  'modes': 'a data set with known modes',
  'stacked': 'the data set stacked_mnist',
}


class Known(NamedTuple):
  """What a metric is told beside the real samples and the fakes."""

  options: dict = OPTIONS
  modes: Any = None  # {'centers': [M, D], 'std': float}
  num_classes: int = 0  # of the labels
  held_out: View | None = None  # real samples that nobody has trained on


class Metric(NamedTuple):
  """A metric function fitted to views."""

  outputs: tuple[str, ...]
  # (real View, fake View, Known) -> (values by name, intervals by name); an
  # output without an interval gets one by the jackknife over the fakes.
  compute: Callable
  fake: tuple[str, ...]  # fields of the fakes' view that are needed
  real: tuple[str, ...] = ()
  held_out: tuple[str, ...] = ()
  where: str = 'features'  # it is possible, see WHERE
  options: tuple[str, ...] = ()  # that belong to the protocol
  extras: tuple[str, ...] = ()  # values that are kept beside the score
  method: str = 'bootstrap'  # of the intervals that compute gives


def _fid(real, fake, known):
  return {'fid': real.distance(*fake.statistics)}, {}


def _sfid(real, fake, known):
  return {'sfid': real.spatial_distance(*fake.spatial_statistics)}, {}


def _fd_infinity(real, fake, known):
  found = fd_infinity.fd_infinity(real.statistics, fake.features)
  return {'fd_infinity': found['fd_infinity']}, {}


def _intra_fid(real, fake, known):
  found = fid.intra_class_distance(
    real.features, real.labels, fake.features, fake.labels, known.num_classes
  )
  return {'intra_fid': found['mean'], 'class_fid': found['per_class']}, {}


def _kid(real, fake, known):
  value = kid.kernel_distance(real.features, fake.features)
  if min(real.count, fake.count) < 20:
    return {'kid': value}, {'kid': None}
  # Disjoint tenths of both sides, each in random order, are independent.
  tenth = -(-max(real.count, fake.count) // 10)
  rng = np.random.default_rng(0)
  blocks = kid.kernel_distance_blocks(
    rng.permutation(real.features),
    rng.permutation(fake.features),
    block_size=tenth,
  )
  low, high = intervals.of_draws(blocks)
  half = (high - low) / 2
  return {'kid': value}, {'kid': (value - half, value + half)}


def _inception_score(real, fake, known):
  mean, std = inception_score.inception_score(
    fake.probabilities, min(known.options['splits'], fake.count)
  )
  return {'is': mean, 'is_std': std}, {}


def _prdc(real, fake, known):
  k = known.options['k']
  found = prdc.neighbourhoods(
    real.features, fake.features, k, closed=known.options['closed']
  )
  each = {
    'precision': found.hits > 0,
    'recall': found.recalled,
    'density': found.hits / k,
    'coverage': found.covered,
  }
  each = {name: np.asarray(x, np.float64) for name, x in each.items()}
  return (
    {name: x.mean() for name, x in each.items()},
    {name: intervals.bootstrap(x) for name, x in each.items()},
  )


def _swd(real, fake, known):
  value = swd.sliced_wasserstein(
    real.features, fake.features, projections=known.options['projections']
  )
  return {'swd': value}, {}


def _class_coverage(real, fake, known):
  num_classes = fake.probabilities.shape[1]
  min_share = known.options['min_share']
  if min_share is None:
    min_share = class_coverage.default_min_share(num_classes)
  values = class_coverage.class_coverage(
    fake.probabilities, num_classes, min_share=min_share
  )
  counts = np.rint(np.array(values['class_shares']) * fake.count).astype(int)
  least = max(1, int(np.ceil(min_share * fake.count)))
  seen = intervals.number_seen(counts, fake.count, least=least)
  span = tuple(x / num_classes for x in seen)
  return {**values, 'min_share': min_share}, {'class_coverage': span}


def _modes(real, fake, known):
  mixture = (
    fake.samples.reshape(fake.count, -1),
    known.modes['centers'],
    known.modes['std'],
  )
  threshold, least = (known.options[k] for k in ('threshold', 'min_count'))
  found = modes.modes(*mixture, threshold=threshold, min_count=least)
  counts = modes.mode_counts(*mixture, threshold=threshold)
  span = intervals.number_seen(counts, fake.count, least=least)
  return found, {'modes': span}


def _stacked(real, fake, known):
  least = known.options['min_count']
  found = stacked_mnist.stacked_modes(fake.probabilities, min_count=least)
  counts = stacked_mnist.mode_counts(fake.probabilities)
  span = intervals.number_seen(counts, fake.count, least=least)
  return found, {'stacked_modes': span}


def _memorisation(real, fake, known):
  authentic = memorisation.authentic(real.features, fake.features)  # [M] bool
  c_t = memorisation.c_t(real.features, known.held_out.features, fake.features)
  values = {'authenticity': authentic.mean(), 'c_t': c_t['c_t']}
  spans = {'authenticity': intervals.bootstrap(authentic.astype(np.float64))}
  half = intervals.normal_quantile() * c_t['std']
  return values, {**spans, 'c_t': (c_t['c_t'] - half, c_t['c_t'] + half)}


def _vendi(real, fake, known):
  return {'vendi': diversity.vendi(fake.features)}, {}


def _classifier_accuracy(real, fake, known):
  found = classifier_accuracy.classifier_accuracy(
    fake.samples,
    fake.labels,
    known.held_out.samples,
    known.held_out.labels,
    known.num_classes,
  )
  right = found['right'].astype(np.float64)  # [N]
  spans = {'classifier_accuracy': intervals.bootstrap(right)}
  return {'classifier_accuracy': found['classifier_accuracy']}, spans


METRICS = (
  Metric(('fid',), _fid, ('moments',), ('moments',)),
  Metric(('fd_infinity',), _fd_infinity, ('features',), ('moments',)),
  Metric(('sfid',), _sfid, ('spatial',), ('spatial',), where='spatial'),
  Metric(
    ('intra_fid',),
    _intra_fid,
    ('features', 'labels'),
    ('features', 'labels'),
    where='labels',
    extras=('class_fid',),
  ),
  Metric(('kid',), _kid, ('features',), ('features',), method='blocks'),
  Metric(
    ('is',),
    _inception_score,
    ('probabilities',),
    where='probabilities',
    options=('splits',),
    extras=('is_std',),
  ),
  Metric(
    ('precision', 'recall', 'density', 'coverage'),
    _prdc,
    ('features',),
    ('features',),
    options=('k', 'closed'),
  ),
  Metric(
    ('swd',), _swd, ('features',), ('features',), options=('projections',)
  ),
  Metric(('vendi',), _vendi, ('features',)),
  Metric(
    ('authenticity', 'c_t'),
    _memorisation,
    ('features',),
    ('features',),
    held_out=('features',),
    where='held_out',
  ),
  Metric(
    ('class_coverage',),
    _class_coverage,
    ('probabilities',),
    where='classes',
    extras=('class_shares', 'min_share'),
  ),
  Metric(
    ('classifier_accuracy',),
    _classifier_accuracy,
    ('samples', 'labels'),
    held_out=('samples', 'labels'),
    where='labels',
  ),
  Metric(
    ('modes', 'high_quality', 'reverse_kl'),
    _modes,
    ('samples',),
    where='modes',
    options=('threshold', 'min_count'),
  ),
  Metric(
    ('stacked_modes', 'stacked_kl'),
    _stacked,
    ('probabilities',),
    where='stacked',
    options=('min_count',),
  ),
)

# A metric may also be asked for by the name of its file.
FILES = {
  'prdc': ('precision', 'recall', 'density', 'coverage'),
  'inception_score': ('is',),
  'memorisation': ('authenticity', 'c_t'),
  'diversity': ('vendi',),
  'stacked_mnist': ('stacked_modes', 'stacked_kl'),
}


def where_possible(
  *,
  features: base.Features | None = None,
  modes: Any = None,
  labels: bool = False,
  held_out: bool = False,
) -> frozenset[str]:
  """Which of WHERE there is.

  Args:
    features: the feature net; None stands for pixels or points.
    modes: known modes as the data set gives them, or None.
    labels: whether the samples were made for labels.
    held_out: whether there are real samples that nobody has trained on.

  Returns:
    Keys of WHERE.
  """
  there = {'features'}
  if isinstance(modes, dict) and 'centers' in modes:
    there.add('modes')
  if features is not None:
    there |= set(features.knows)
  if labels:
    there.add('labels')
  if held_out:
    there.add('held_out')
  return frozenset(there)


def expand(names, there: frozenset[str]) -> tuple[str, ...]:
  """Names of outputs for names of outputs or files, each one once.

  Args:
    names: what somebody asks for.
    there: from where_possible.

  Raises:
    UserError: a name that does not exist, or is not possible here.
  """
  known = {name: m for m in METRICS for name in m.outputs}
  possible = [n for n, m in known.items() if _possible(m, there)]
  found = []
  for name in names:
    for output in FILES.get(name, (name,)):
      if output not in possible:
        lacks = output in known and _lacking(known[output], there)
        why = f'needs {lacks}' if lacks else 'does not exist'
        raise UserError(
          f'metrics: {name!r} {why}; possible here: {", ".join(possible)}'
        )
      found.append(output)
  return tuple(dict.fromkeys(found))


def available_names(there: frozenset[str]) -> tuple[str, ...]:
  """Names of the metrics that are possible, in the order of METRICS.

  Args:
    there: from where_possible.
  """
  return tuple(n for m in METRICS if _possible(m, there) for n in m.outputs)


def default_names(kind: str, there: frozenset[str]) -> tuple[str, ...]:
  """What a data set is scored by if nobody asks for anything else.

  Args:
    kind: 'image' or 'point', as the data set says.
    there: from where_possible.
  """
  if 'modes' in there:
    return 'modes', 'high_quality'
  if 'stacked' in there:
    return 'stacked_modes', 'stacked_kl'
  if kind == 'point':
    return 'precision', 'coverage'
  return ('fid', 'class_coverage') if 'classes' in there else ('fid',)


def chosen(names) -> tuple[Metric, ...]:
  """The metrics that give these outputs, each one once."""
  return tuple(m for m in METRICS if set(m.outputs) & set(names))


def wanted(names, side: str) -> frozenset[str]:
  """Fields of a view that these outputs need.

  Args:
    names: of outputs.
    side: 'fake', 'real' or 'held_out'.
  """
  return frozenset(f for m in chosen(names) for f in getattr(m, side))


def looked(names) -> bool:
  """Whether these outputs need a feature net."""
  fields = {f for m in chosen(names) for f in (*m.fake, *m.real, *m.held_out)}
  return bool(fields & set(SEEN))


def _needs(metric):
  return {metric.where} | ({'held_out'} if metric.held_out else set())


def _possible(metric, there):
  return _needs(metric) <= there


def _lacking(metric, there):
  lacking = sorted(_needs(metric) - there)
  return WHERE[lacking[0]] if lacking else ''
