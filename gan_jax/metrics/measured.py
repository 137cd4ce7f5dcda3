"""One metric, measured: its values and intervals as records."""

from typing import Any, NamedTuple

import numpy as np

from gan_jax.metrics import compute, intervals, measures, records
from gan_jax.metrics.features import base
from gan_jax.metrics.metric import Metric
from gan_jax.metrics.views import GROUPS, SampleStats
from gan_jax.types import UserError

FEWEST = 100  # samples, for an interval
SAMPLES = base.Features(name='samples', hash='', apply=None)
NOT_LOOKED = frozenset({'samples', 'labels'})  # fields that need no net


class Inputs(NamedTuple):
  """The arguments of a metric's function."""

  real: SampleStats | None
  fake: SampleStats
  known: compute.Known


def unscored(name: str, reason: str, protocol: dict) -> dict:
  """The record of a score that there is not, and why."""
  return {
    'metric': name,
    'value': None,
    'interval': None,
    **protocol,
    'reason': reason,
    'versions': records.versions(),
  }


def _as_promised(metric, made):
  """(values, intervals), if a metric gives what it names."""
  name = ', '.join(metric.outputs)
  if not (isinstance(made, tuple) and len(made) == 2):
    raise TypeError(
      f'metric {name}: compute gives {type(made).__name__}; expected (values,'
      ' intervals), each by name.'
    )
  if lacks := [
    k for k in (*metric.outputs, *metric.extras) if k not in made[0]
  ]:
    raise TypeError(
      f'metric {name}: compute gives no {lacks[0]}, but'
      f' {", ".join(made[0]) or "nothing"}.'
    )
  return made


def records_of(metric: Metric, inputs: Inputs, *, protocol: dict) -> dict:
  """The metric's records by name.

  Args:
    metric: that is computed.
    inputs: the samples.
    protocol: how, and how the samples were made; part of each record.

  Raises:
    whatever the metric raises.
  """
  values, own_intervals = _as_promised(metric, metric.compute(*inputs))
  intervals_of = own_intervals | _jackknife(
    metric, inputs, values, without=own_intervals
  )
  extras = {name: values[name] for name in metric.extras}
  method = metric.method(protocol) if callable(metric.method) else metric.method
  return {
    name: {
      'metric': name,
      'value': float(values[name]),
      'interval': _interval(name, intervals_of[name]),
      'interval_method': method if name in own_intervals else 'jackknife',
      **protocol,
      **extras,
      'versions': records.versions(),
    }
    for name in metric.outputs
  }


def _jackknife(metric, inputs, values, *, without):
  """Intervals of the outputs that the metric gives none of its own.

  One group of the fakes after the other is left out.
  """
  names = [name for name in metric.outputs if name not in without]
  if not names or inputs.fake.count < FEWEST:
    return dict.fromkeys(names)
  sizes = np.bincount(inputs.fake.group, minlength=GROUPS)
  there = [g for g in range(GROUPS) if sizes[g]]
  inputs = inputs._replace(known=inputs.known._replace(spans=False))
  try:
    others = [
      metric.compute(*inputs._replace(fake=inputs.fake.without(g)))[0]
      for g in there
    ]
  except UserError:  # of a rare class, say, too few are left for a value
    return dict.fromkeys(names)
  return {
    name: intervals.jackknife(
      values[name], [o[name] for o in others], sizes=sizes[there]
    )
    for name in names
  }


def protocol(metric: Metric, inputs: Inputs, real: Any, features: Any) -> dict:
  """What a record says of how its value is measured.

  Args:
    metric: that is computed.
    inputs: the samples.
    real: with the `reference`, and the one that is `held_out`.
    features: the net that looks at the samples, or None.
  """
  looks = not set(metric.fake) <= NOT_LOOKED
  net = features if looks and features else SAMPLES
  fields = {
    'features': net.name,
    'features_hash': net.hash,
    'features_accuracy': net.accuracy,
    'resize': net.resize,
    'reference': real.reference.name,
    'reference_hash': real.reference.hash,
    'n_real': _count_of_real(metric, inputs.real),
    'n_fake': inputs.fake.count,
    'draws': 1,
  }
  if metric.held_out:
    fields['held_out'] = real.held_out.name
    fields['held_out_hash'] = real.held_out.hash
  return fields


def _count_of_real(metric, real):
  """0 where no real samples are used, None where their number is unknown."""
  if real is None or not metric.real:
    return 0
  return real.count or None


def _interval(name, span):
  """[low, high] at 95 %, or None where there is none."""
  if span is None or not np.isfinite(span).all():
    return None
  low, high = map(float, span)
  # Of a score that may not be negative an interval does not go below 0.
  return [low if name in measures.SIGNED else max(0.0, low), high]
