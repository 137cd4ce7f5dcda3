"""The metrics by the names of what they give, and what each of them needs.

A metric belongs to a family: `general` of any data, others of series, of sound,
of text, of what encoders see. Adding one is adding its file and its line to the
family's table. One of one's own is a file outside the package, requested by its
dotted name, whose METRIC is a Metric.
"""

import functools
import operator
from typing import Any

from gan_jax.components import modules
from gan_jax.data import kinds
from gan_jax.metrics import general
from gan_jax.metrics.encoder import family as encoder
from gan_jax.metrics.features import base
from gan_jax.metrics.metric import Metric
from gan_jax.metrics.series import family as series
from gan_jax.metrics.sound import family as sound
from gan_jax.metrics.text import family as text
from gan_jax.metrics.views import SEEN
from gan_jax.types import UserError

FAMILIES = (
  general.FAMILY,
  series.FAMILY,
  sound.FAMILY,
  text.FAMILY,
  encoder.FAMILY,
)


def _merged(field):
  """All families' entries of a field."""
  return functools.reduce(
    operator.or_, (getattr(family, field) for family in FAMILIES)
  )


METRICS = tuple(m for family in FAMILIES for m in family.metrics)
# Where a metric is possible, by its `where`, and what it needs to be.
WHERE = _merged('where')
OPTIONS, CHOICES = _merged('options'), _merged('choices')
COUNTS = _merged('counts')  # options: None, or a whole number from 0
FILES = _merged('files')  # by which metrics may be requested too
LOWER_IS_BETTER = _merged('lower_is_better')  # of all the others, more is
SIGNED = _merged('signed')
LEAST = _merged('least')  # samples, see Family

# Those from outside the package that were requested, by what they give.
_own: dict[str, Metric] = {}


def where_possible(
  *,
  features: base.Features | None = None,
  modes: Any = None,
  labels: bool = False,
  held_out: bool = False,
  kind: str = '',
  about: Any = None,
  also: frozenset = frozenset(),
) -> frozenset[str]:
  """Which of WHERE holds.

  Args:
    features: the feature net; None stands for pixels or points.
    modes: known modes as the data set gives them, or None.
    labels: whether the samples were made for labels.
    held_out: whether there are real samples that were never trained on.
    kind: of data, if it is known: its samples may have metrics of their own.
    about: what the data set tells of itself; metrics may need to know it.
    also: what holds for the networks that are scored.

  Returns:
    Keys of WHERE.
  """
  there = {'features', *(kinds.named(kind).MEASURED if kind else ()), *also}
  if isinstance(about, dict):
    there |= WHERE.keys() & about.keys()
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


def decisive(metric: Metric, options: dict, real: int, fake: int) -> dict:
  """Those of a metric's options that its score depends on.

  Args:
    metric: whose score it is.
    options: of all metrics.
    real: real samples that it is measured by.
    fake: samples that are scored.
  """
  own = {name: options[name] for name in metric.options}
  return metric.decisive(own, real, fake) if metric.decisive else own


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
      f'metrics={name!r}: the module has no METRIC of metrics.metric.Metric.'
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
  return {*metric.where.split()} | ({'held_out'} if metric.held_out else set())


def _possible(metric, there):
  return _needs(metric) <= there


def _lacking(metric, there):
  lacking = sorted(_needs(metric) - there)
  return WHERE[lacking[0]] if lacking else ''
