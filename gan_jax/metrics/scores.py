"""Scores of generated samples as records, several metrics in one pass.

A metric is requested by the name of one of its outputs, or of its file; it is
computed once, however many of its outputs are wanted.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gan_jax.metrics import compute, intervals, measures, records
from gan_jax.metrics.features import base, pixels
from gan_jax.metrics.reference import Reference, from_arrays
from gan_jax.metrics.views import GROUPS, Collector, SampleStats
from gan_jax.types import UserError

FEWEST = 100  # samples, for an interval
# Scores that may be negative; an interval of any other does not go below 0.
SIGNED = frozenset({'kid', 'c_t', 'fd_infinity'})
SAMPLES = base.Features(name='samples', hash='', apply=None)
NOT_LOOKED = frozenset({'samples', 'labels'})  # fields that need no net


class Scorer:
  """Scores many sets of samples against the same real ones.

  Made by make_scorer.

  Attributes:
    names: of the scores, in the order of the records.
  """

  def __init__(self, names, real: '_Real', *, features, known):
    """Reads no samples yet.

    Args:
      names: of outputs, each one once.
      real: what to score against.
      features: the net that looks at the samples, or None.
      known: compute.Known without the held-out samples.
    """
    self.names = names
    self._real, self._features, self._known = real, features, known

  def collector(self, total: int) -> Collector:
    """Takes the samples to be scored, batch by batch.

    Args:
      total: how many will come.

    Raises:
      UserError: none.
    """
    if total < 1:
      raise UserError('nothing to score: 0 samples')
    wants = measures.wanted(self.names, 'fake')
    return Collector(total, wants=wants, features=self._features)

  def prepare(self):
    """Reads the real samples now instead of with the first score.

    Raises:
      UserError: they cannot be read, or lack what the metrics need.
    """
    self._real.stats(self.names)

  def score(
    self,
    fake: SampleStats,
    *,
    refused: Callable | None = None,
    **maker,
  ) -> list[dict]:
    """Score records, one for each of `names`.

    Args:
      fake: what the collector kept.
      refused: (names of outputs, error) -> reason; called if their metric
        fails, and its records then have no value but the reason. None lets the
        error through.
      **maker: describes how the samples were made (step, seed, ema, ...);
        becomes part of each record.

    Raises:
      UserError: too few samples, or samples that a metric cannot take.
    """
    real, held_out = self._real.stats(self.names)
    inputs = _Inputs(real, fake, self._known._replace(held_out=held_out))
    made = {}
    for metric in measures.chosen(self.names):
      options = {name: self._known.options[name] for name in metric.options}
      protocol = _protocol(metric, inputs, self._real, self._features)
      protocol |= options | maker
      try:
        made |= _records(metric, inputs, protocol=protocol)
      except Exception as error:  # of a metric of one's own: of any type
        if refused is None:
          raise
        wanted = [name for name in metric.outputs if name in self.names]
        reason = refused(wanted, error)
        made |= {n: _unscored(n, reason, protocol) for n in wanted}
    return [made[name] for name in self.names]

  def unscored(self, count: int, reason: str, **maker) -> list[dict]:
    """Records of samples that cannot be scored, one for each of `names`.

    Args:
      count: of the samples.
      reason: why not.
      **maker: see score.
    """
    real, _ = self._real.stats(self.names)
    fake = SampleStats(count, group=np.zeros(0, np.int8))
    inputs = _Inputs(real, fake, self._known)
    made = {}
    for metric in measures.chosen(self.names):
      options = {name: self._known.options[name] for name in metric.options}
      protocol = _protocol(metric, inputs, self._real, self._features)
      protocol |= options | maker
      made |= {n: _unscored(n, reason, protocol) for n in metric.outputs}
    return [made[name] for name in self.names]


class _Real(NamedTuple):
  """The real samples that scores are taken against."""

  reference: Reference
  held_out: Reference | None  # never trained on

  def stats(self, names) -> tuple[SampleStats | None, SampleStats | None]:
    """What the metrics need of both; None where they need nothing."""
    return (
      _stats(self.reference, measures.wanted(names, 'real')),
      _stats(self.held_out, measures.wanted(names, 'held_out')),
    )


class _Inputs(NamedTuple):
  """The arguments of a metric's function."""

  real: SampleStats | None
  fake: SampleStats
  known: compute.Known


def make_scorer(
  names: Sequence[str] | None,
  reference: Reference,
  *,
  kind: str,
  features: base.Features | None = None,
  modes: Any = None,
  num_classes: int = 0,
  held_out: Reference | None = None,
  options: dict | None = None,
) -> Scorer:
  """Prepares to score many sets of samples against the same real ones.

  The names are checked here, so that a mistake does not surface at the end of
  a training; the real samples are read once, with the first score.

  Args:
    names: of metrics; none means `measures.default_names`.
    reference: the real samples, seen through the same features.
    kind: of data, see kinds/README.md.
    features: what fid and its like compare; None if nothing looks at samples.
    modes: known modes as the data set gives them, or None.
    num_classes: of the labels that the fakes are made for; 0 without.
    held_out: real samples that were never trained on, or None.
    options: in place of some of `compute.OPTIONS`.

  Raises:
    UserError: a metric or option that does not exist, or not for this data.
  """
  there = measures.where_possible(
    features=features,
    modes=modes,
    labels=num_classes > 0,
    held_out=held_out is not None,
  )
  names = measures.expand(names or measures.default_names(kind, there), there)
  known = compute.Known(_checked_options(options or {}), modes, num_classes)
  real = _Real(reference, held_out)
  return Scorer(names, real, features=features, known=known)


def score(
  names: Sequence[str] | None,
  fake,
  real,
  *,
  features: base.Features | None = None,
  labels: tuple | None = None,
  held_out: tuple | None = None,
  reference: str = '',
  **scorer,
) -> list[dict]:
  """Scores one set of samples; `make_scorer` explains the arguments.

  Args:
    names: of metrics.
    fake: generated samples [M, ...] in model range, or uint8.
    real: real samples [N, ...].
    features: default the pixels.
    labels: (of the fakes [M], of the real [N]), or None.
    held_out: (samples [L, ...], labels [L] or None), or None.
    reference: what the real samples are called.
    **scorer: kind, modes, num_classes, options.

  Returns:
    A record for each name, in their order.

  Raises:
    UserError: as `make_scorer` and `Scorer`.
  """
  check_shape(np.shape(fake), np.shape(real))
  features = features or pixels.load(np.shape(real)[1:])
  ours, theirs = labels or (None, None)
  of = lambda x, y: from_arrays(x, labels=y, features=features, name=reference)
  made = make_scorer(
    names,
    of(real, theirs),
    features=features,
    held_out=of(*held_out) if held_out else None,
    **scorer,
  )
  collector = made.collector(len(fake))
  collector.add(fake, ours)
  return made.score(collector.view())


def check_shape(fake: tuple[int, ...], real: tuple[int, ...]):
  """Refuses to compare samples [N, ...] of unlike shapes, or none of them.

  Raises:
    UserError: names both.
  """
  if fake[1:] != real[1:]:
    raise UserError(
      f'samples of shape {list(fake[1:])} cannot be scored against '
      f'real ones of shape {list(real[1:])}'
    )
  if not fake[0] or not real[0]:
    raise UserError(f'nothing to score: {fake[0]} fake, {real[0]} real')


def _checked_options(options):
  for name in options:
    if name not in compute.OPTIONS:
      raise UserError(
        f'metric option {name!r} does not exist; there are: '
        f'{", ".join(compute.OPTIONS)}'
      )
  return compute.OPTIONS | options


def _stats(reference, wants):
  return reference.view(wants) if reference and wants else None


def _unscored(name, reason, protocol):
  """The record of a score that there is not."""
  return {
    'metric': name,
    'value': None,
    'interval': None,
    **protocol,
    'reason': reason,
    'versions': records.versions(),
  }


def _records(metric, inputs, *, protocol):
  """The metric's records by name."""
  values, own_intervals = metric.compute(*inputs)
  intervals_of = own_intervals | _jackknife(
    metric, inputs, values, without=own_intervals
  )
  extras = {name: values[name] for name in metric.extras}
  return {
    name: {
      'metric': name,
      'value': float(values[name]),
      'interval': _interval(name, intervals_of[name]),
      'interval_method': metric.method
      if name in own_intervals
      else 'jackknife',
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
  others = [
    metric.compute(*inputs._replace(fake=inputs.fake.without(g)))[0]
    for g in there
  ]
  return {
    name: intervals.jackknife(
      values[name], [o[name] for o in others], sizes=sizes[there]
    )
    for name in names
  }


def _protocol(metric, inputs, real, features):
  """What a record says of how its value was measured."""
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
  return [low if name in SIGNED else max(0.0, low), high]
