"""Scores of generated samples as records, several metrics in one pass.

A metric is requested by the name of one of its outputs, or of its file; it is
computed once, however many of its outputs are wanted.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.data import kinds
from gan_jax.metrics import compute, measured, measures
from gan_jax.metrics.features import base, pixels
from gan_jax.metrics.reference import Reference, from_arrays
from gan_jax.metrics.views import Collector, SampleStats
from gan_jax.types import UserError


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
    encoder: compute.Encoder | None = None,
    **maker,
  ) -> list[dict]:
    """Score records, one for each of `names`.

    Args:
      fake: what the collector kept.
      refused: (names of outputs, error) -> reason; called if their metric
        fails, and its records then have no value but the reason. None lets the
        error through.
      encoder: of the networks that made the samples, if a metric needs it.
      **maker: describes how the samples were made (step, seed, ema, ...);
        becomes part of each record.

    Raises:
      UserError: too few samples, or samples that a metric cannot take.
    """
    real, held_out = self._real.stats(self.names)
    known = self._known._replace(held_out=held_out, encoder=encoder)
    inputs = measured.Inputs(real, fake, known)
    made = {}
    for metric in measures.chosen(self.names):
      protocol = self._protocol(metric, inputs) | maker
      try:
        made |= measured.records_of(metric, inputs, protocol=protocol)
      except Exception as error:  # of a metric of one's own: of any type
        if refused is None:
          raise
        wanted = [name for name in metric.outputs if name in self.names]
        reason = refused(wanted, error)
        made |= {n: measured.unscored(n, reason, protocol) for n in wanted}
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
    inputs = measured.Inputs(real, fake, self._known)
    made = {}
    for metric in measures.chosen(self.names):
      protocol = self._protocol(metric, inputs) | maker
      for name in metric.outputs:
        made[name] = measured.unscored(name, reason, protocol)
    return [made[name] for name in self.names]

  def _protocol(self, metric, inputs):
    """What a record says of the metric, its samples and its options."""
    protocol = measured.protocol(metric, inputs, self._real, self._features)
    counts = protocol['n_real'] or 0, protocol['n_fake']
    return protocol | measures.decisive(metric, self._known.options, *counts)


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


def make_scorer(
  names: Sequence[str] | None,
  reference: Reference,
  *,
  facts: compute.Facts,
  features: base.Features | None = None,
  held_out: Reference | None = None,
  options: dict | None = None,
) -> Scorer:
  """Prepares to score many sets of samples against the same real ones.

  The names are checked here, so that a mistake does not surface at the end of
  a training; the real samples are read once, with the first score.

  Args:
    names: of metrics; none means `measures.default_names`.
    reference: the real samples, seen through the same features.
    facts: of the data set.
    features: what fid and its like compare; None if nothing looks at samples.
    held_out: real samples that were never trained on, or None.
    options: in place of some of `measures.OPTIONS`.

  Raises:
    UserError: a metric or option that does not exist, or not for this data.
  """
  there = measures.where_possible(
    features=features,
    modes=facts.modes,
    labels=facts.num_classes > 0,
    held_out=held_out is not None,
    kind=facts.kind,
    about=facts.about,
    also=facts.also,
  )
  usual = measures.default_names(facts.kind, there)
  names = measures.expand(names or usual, there)
  known = compute.Known(
    _checked_options(options or {}),
    facts.modes,
    facts.num_classes,
    about=facts.about,
  )
  if look := kinds.named(facts.kind).as_images:
    known = known._replace(images=functools.partial(look, about=facts.about))
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
  **more,
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
    **more: options; fields of compute.Facts, the kind at least.

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
    options=more.pop('options', None),
    facts=compute.Facts(**more),
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
    if name not in measures.OPTIONS:
      raise UserError(
        f'metric option {name!r} does not exist; there are: '
        f'{", ".join(measures.OPTIONS)}'
      )
  return measures.OPTIONS | options


def _stats(reference, wants):
  return reference.view(wants) if reference and wants else None
