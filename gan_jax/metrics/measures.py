"""The metrics by the names of what they give, and what each of them needs.

Adding a metric is adding its file, its function in compute and its line here.
One of one's own is a file outside the package, requested by its dotted name,
whose METRIC is a Metric.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gan_jax import modules
from gan_jax.data import kinds
from gan_jax.metrics import compute
from gan_jax.metrics.features import base
from gan_jax.metrics.views import SEEN
from gan_jax.types import UserError

# Of all the others, more is better; a C_T is best at 0.
LOWER_IS_BETTER = frozenset(
  {
    'fid', 'fd_infinity', 'sfid', 'intra_fid', 'kid', 'swd', 'reverse_kl',
    'stacked_kl',
  }
)  # fmt: skip

# Where a metric is possible, by its `where`, and what it needs to be.
WHERE = {
  'features': 'samples that a feature net can look at',
  'spatial': 'features of places: --features=inception',
  'probabilities': 'a classifier: --features=classifier or inception',
  'classes': "a classifier of the data set's own: --features=classifier",
  'labels': 'a labelled data set and a conditional generator',
  'held_out': 'a data set with a test split',
  'modes': 'a data set with known modes',
  'stacked': 'the data set stacked_mnist',
}


class Metric(NamedTuple):
  """A metric: its function and what that needs."""

  outputs: tuple[str, ...]
  # (real SampleStats, fake SampleStats, Known) -> (values, intervals), both by
  # name; an output without an interval gets one by the jackknife over fakes.
  compute: Callable
  fake: tuple[str, ...]  # fields of the fakes' stats that are needed
  real: tuple[str, ...] = ()
  held_out: tuple[str, ...] = ()
  where: str = 'features'  # it is possible, see WHERE
  options: tuple[str, ...] = ()  # that belong to the protocol
  extras: tuple[str, ...] = ()  # values recorded beside the score
  method: str = 'bootstrap'  # of the intervals that compute gives
  lower_is_better: bool = False  # of one from outside; see is_lower_better


METRICS = (
  Metric(('fid',), compute.frechet, ('moments',), ('moments',)),
  Metric(
    ('fd_infinity',), compute.frechet_extrapolated, ('features',), ('moments',)
  ),
  Metric(
    ('sfid',),
    compute.frechet_spatial,
    ('spatial',),
    ('spatial',),
    where='spatial',
  ),
  Metric(
    ('intra_fid',),
    compute.frechet_in_classes,
    ('features', 'labels'),
    ('features', 'labels'),
    where='labels',
    extras=('class_fid',),
  ),
  Metric(
    ('kid',), compute.kernel, ('features',), ('features',), method='blocks'
  ),
  Metric(
    ('is',),
    compute.inception,
    ('probabilities',),
    where='probabilities',
    options=('splits', 'order'),
    extras=('is_std',),
  ),
  Metric(
    ('precision', 'recall', 'density', 'coverage'),
    compute.neighbourhoods,
    ('features',),
    ('features',),
    options=('k', 'closed'),
  ),
  Metric(
    ('swd',),
    compute.sliced,
    ('features',),
    ('features',),
    options=('projections',),
  ),
  Metric(('vendi',), compute.variety, ('features',)),
  Metric(
    ('authenticity', 'c_t'),
    compute.copying,
    ('features',),
    ('features',),
    held_out=('features',),
    where='held_out',
  ),
  Metric(
    ('class_coverage',),
    compute.classes,
    ('probabilities',),
    ('probabilities',),
    where='classes',
    extras=('class_shares', 'min_share'),
  ),
  Metric(
    ('classifier_accuracy',),
    compute.usefulness,
    ('samples', 'labels'),
    held_out=('samples', 'labels'),
    where='labels',
  ),
  Metric(
    ('modes', 'high_quality', 'reverse_kl'),
    compute.mixture,
    ('samples',),
    where='modes',
    options=('threshold', 'min_count'),
    extras=('num_modes',),
  ),
  Metric(
    ('stacked_modes', 'stacked_kl'),
    compute.stacked,
    ('probabilities',),
    where='stacked',
    options=('min_count',),
    extras=('num_modes',),
  ),
)

# Those from outside the package that were requested, by what they give.
_own: dict[str, Metric] = {}

# A metric may also be requested by the name of its file.
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
  """Which of WHERE holds.

  Args:
    features: the feature net; None stands for pixels or points.
    modes: known modes as the data set gives them, or None.
    labels: whether the samples were made for labels.
    held_out: whether there are real samples that were never trained on.

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
  """Names of outputs for names of outputs or files, each once.

  Args:
    names: the request.
    there: from where_possible.

  Raises:
    UserError: a name that does not exist, or is not possible here.
  """
  requested = {output: name for name in names for output in outputs(name)}
  known = {name: m for m in _every() for name in m.outputs}
  possible = [n for n, m in known.items() if _possible(m, there)]
  for output, name in requested.items():
    if output not in possible:
      lacks = output in known and _lacking(known[output], there)
      why = f'needs {lacks}' if lacks else 'does not exist'
      raise UserError(
        f'metrics: {name!r} {why}; possible here: {", ".join(possible)}'
      )
  return tuple(requested)


def _every():
  return (*METRICS, *dict.fromkeys(_own.values()))


def outputs(name: str) -> tuple[str, ...]:
  """What a requested name stands for; a dotted one brings its metric.

  Raises:
    UserError: a dotted name that is no metric.
  """
  if '.' not in name:
    return FILES.get(name, (name,))
  metric = getattr(modules.named(name, flag='metrics'), 'METRIC', 0)
  if not isinstance(metric, Metric):
    raise UserError(
      f'metrics={name!r}: the module has no METRIC of metrics.measures.Metric.'
    )
  taken = {output for m in METRICS for output in m.outputs}
  if there := sorted(taken & set(metric.outputs)):
    raise UserError(f'metrics={name!r}: {there[0]} is a metric already.')
  _own.update(dict.fromkeys(metric.outputs, metric))
  return metric.outputs


def is_lower_better(name: str) -> bool:
  """Whether less of a score is better."""
  return name in LOWER_IS_BETTER or (
    name in _own and _own[name].lower_is_better
  )


def available_names(there: frozenset[str]) -> tuple[str, ...]:
  """Names of the metrics that are possible, in the order of METRICS.

  Args:
    there: from where_possible.
  """
  return tuple(n for m in _every() if _possible(m, there) for n in m.outputs)


def default_names(kind: str, there: frozenset[str]) -> tuple[str, ...]:
  """What a data set is scored by unless something else is requested.

  Args:
    kind: of data, see kinds/README.md.
    there: from where_possible.
  """
  if 'modes' in there:
    return 'modes', 'high_quality'
  if 'stacked' in there:
    return 'stacked_modes', 'stacked_kl'
  return kinds.named(kind).usual_metrics(there)


def chosen(names) -> tuple[Metric, ...]:
  """The metrics that give these outputs, each once."""
  return tuple(m for m in _every() if set(m.outputs) & set(names))


def wanted(names, side: str) -> frozenset[str]:
  """Fields of SampleStats that these outputs need.

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
