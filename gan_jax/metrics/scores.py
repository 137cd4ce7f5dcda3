"""Scores of generated samples as records, several metrics in one pass.

A metric is asked for by the name of one of its outputs, or of its file; it is
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


class Scorer(NamedTuple):
  """Scores many sets of samples against the same real ones."""

  names: tuple[str, ...]  # of the scores
  collector: Callable  # N -> Collector that takes the samples
  prepare: Callable  # () -> None: sees the real samples now
  score: Callable  # (SampleStats, **told) -> list of records


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

  The names are checked at once, so that a training does not find out at its
  end; the real samples are seen once, when the first score is asked for.

  Args:
    names: of metrics; none means `measures.default_names`.
    reference: the real samples, seen through the same features.
    kind: 'image' or 'point', as the data set says.
    features: what fid and its like compare; None if nothing looks at samples.
    modes: known modes as the data set gives them, or None.
    num_classes: of the labels that the fakes are made for; 0 without.
    held_out: real samples that nobody has trained on, or None.
    options: in place of some of `compute.OPTIONS`.

  Returns:
    a Scorer. Its `score` takes what describes the maker of the samples (step,
    seed, ema, ...) and returns a record for each name, in their order. It
    raises UserError for too few samples, or for what a metric cannot take.

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
  options = _checked_options(options or {})
  chosen = measures.chosen(names)
  wants = measures.wanted(names, 'fake')

  def collector(total):
    if total < 1:
      raise UserError('nothing to score: 0 samples')
    return Collector(total, wants=wants, features=features)

  def prepare():
    real = _seen(reference, measures.wanted(names, 'real'))
    return real, _seen(held_out, measures.wanted(names, 'held_out'))

  def score(fake: SampleStats, **maker):
    real, apart = prepare()
    known = compute.Known(options, modes, num_classes, apart)
    made = {}
    for metric in chosen:
      values, given = metric.compute(real, fake, known)
      made |= _records(
        metric,
        values,
        given,
        _jackknife(metric, values, given, real, fake, known),
        protocol=_protocol(metric, features, reference, real, fake, held_out)
        | {name: options[name] for name in metric.options}
        | maker,
      )
    return [made[name] for name in names]

  return Scorer(names, collector, prepare, score)


def score(
  names: Sequence[str] | None,
  fake,
  real,
  *,
  kind: str,
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
    kind: 'image' or 'point'.
    features: default the pixels.
    labels: (of the fakes [M], of the real [N]), or None.
    held_out: (samples [L, ...], labels [L] or None), or None.
    reference: what the real samples are called.
    **scorer: modes, num_classes, options.

  Returns:
    List of records, one for each name, in their order.

  Raises:
    UserError: as `make_scorer` and what it returns.
  """
  check_shape(np.shape(fake), np.shape(real))
  features = features or pixels.load(np.shape(real)[1:])
  ours, theirs = labels or (None, None)
  of = lambda x, y: from_arrays(x, labels=y, features=features, name=reference)
  made = make_scorer(
    names,
    of(real, theirs),
    kind=kind,
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


def _seen(reference, wants):
  return reference.view(wants) if reference and wants else None


def _jackknife(metric, values, given, real, fake, known):
  """Intervals by leaving out one group of the fakes after the other.

  Of those outputs that the metric gives no interval of its own.
  """
  names = [name for name in metric.outputs if name not in given]
  if not names or fake.count < FEWEST:
    return dict.fromkeys(names)
  others = [
    metric.compute(real, fake.without(g), known)[0] for g in range(GROUPS)
  ]
  return {
    name: intervals.jackknife(values[name], [o[name] for o in others])
    for name in names
  }


def _protocol(metric, features, reference, real, fake, held_out):
  looked = not set(metric.fake) <= NOT_LOOKED
  net = features if looked and features else SAMPLES
  compared = real is not None and bool(metric.real)
  fields = {
    'features': net.name,
    'features_hash': net.hash,
    'features_accuracy': net.accuracy,
    'resize': net.resize,
    'reference': reference.name,
    'reference_hash': reference.hash,
    'n_real': (real.count or None) if compared else 0,  # None: not told
    'n_fake': fake.count,
    'draws': 1,
  }
  if metric.held_out:
    fields['held_out'], fields['held_out_hash'] = held_out.name, held_out.hash
  return fields


def _records(metric, values, given, jackknifed, *, protocol):
  """The metric's records by name."""
  extras = {name: values[name] for name in metric.extras}
  return {
    name: {
      'metric': name,
      'value': float(values[name]),
      'interval': _interval(name, (given | jackknifed)[name]),
      'interval_method': metric.method if name in given else 'jackknife',
      **protocol,
      **extras,
      'versions': records.versions(),
    }
    for name in metric.outputs
  }


def _interval(name, span):
  """[low, high] at 95 %, or None where there is none."""
  if span is None or not np.isfinite(span).all():
    return None
  low, high = map(float, span)
  return [low if name in SIGNED else max(0.0, low), high]
