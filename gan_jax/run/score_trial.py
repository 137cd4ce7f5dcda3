"""What scoring needs is tried before the first step, not after 10,000."""

import pathlib
import traceback
from collections.abc import Callable

import numpy as np

from gan_jax.data import classes, kinds
from gan_jax.metrics import measures, needs, reference, scores
from gan_jax.run import encoding, labels, score_failures, scorers, scoring
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

FEW = 64  # samples; from 100 on there would be intervals, which take time
_tried: set = set()  # in this process


def check_numbers(
  setup: Setup,
  names: tuple[str, ...],
  *,
  protocol: scoring.EvalProtocol,
  flag: str,
):
  """Refuses metrics that these numbers of samples cannot give.

  Args:
    setup: the networks and their data.
    names: of the metrics.
    protocol: how to score; num_samples is not 0.
    flag: that says how many samples are drawn.

  Raises:
    UserError: the first of them, what it needs and what there is.
  """
  own = protocol.split in ('', setup.split) and not protocol.statistics
  dataset, num_real = setup.dataset, None
  if own and dataset.size:
    num_real = min(dataset.size, kinds.of(dataset).MAX_REAL)
  needs.check(
    names,
    options=measures.OPTIONS | dict(protocol.options),
    num_real=num_real,
    num_fake=protocol.num_samples,
    flag=flag,
    data=dataset.name,
  )
  in_classes = set(needs.IN_CLASSES) & set(names)
  if in_classes and setup.num_classes:
    fake = labels.of_draw(
      setup, protocol.labels, setup.keys[0], protocol.num_samples
    )
    fake = np.bincount(fake, minlength=setup.num_classes)
    needs.check_classes(
      sorted(in_classes),
      real=classes.counts(dataset) if own else np.full(len(fake), 2),
      fake=fake,
      class_names=dataset.class_names,
      flag=flag,
    )


def run(
  setup: Setup,
  names: tuple[str, ...],
  *,
  protocol: scoring.EvalProtocol,
  say: Callable,
):
  """Scores a few real samples as if a generator had made them.

  Feature nets are loaded, or trained, and cached now instead of with the first
  score. What so few samples cannot show passes.

  Args:
    setup: the networks and their data.
    names: of the metrics.
    protocol: how to score.
    say: called with a line about whatever takes long.

  Raises:
    UserError: what is missing or fails, in one line.
  """
  key = names, protocol, setup.dataset.name, setup.dataset.fingerprint
  if key in _tried:
    return
  try:
    _score_a_few(setup, names, protocol, say)
  except UserError:
    raise
  except Exception as error:  # of any type: nets, packages, own metrics
    raise UserError(
      'the scores were tried before the first step and failed:'
      f' {_reason(error)}'
    ) from error
  _tried.add(key)


def _score_a_few(setup, names, protocol, say):
  split = protocol.split or setup.split
  dataset = setup.of_split(split)
  features = scorers.feature_net(setup, names, protocol=protocol, say=say)
  rows = np.linspace(0, dataset.size - 1, min(FEW, dataset.size)).astype(int)
  (batch,) = reference.batches(dataset, rows)
  # Of every class some, as far as they go; which ones does not matter.
  labels = np.arange(len(rows)) % max(1, setup.num_classes)
  real = reference.from_arrays(
    batch['x'], labels=labels, features=features, name=f'{dataset.name}/{split}'
  )
  scorer = scores.make_scorer(
    names,
    real,
    facts=scorers.facts_of(
      dataset,
      num_classes=setup.num_classes,
      also=encoding.conditions(setup),
    ),
    features=features,
    held_out=real if setup.open_split else None,
    options=dict(protocol.options),
  )
  collector = scorer.collector(len(rows))
  collector.add(batch['x'], labels)
  # A metric may refuse so few samples.
  refused = score_failures.Refusals().note
  scorer.score(collector.view(), refused=refused, step=0, seed=0)


def _reason(error):
  """The error in a line, with the place in the code where it was raised."""
  words = ' '.join(f'{type(error).__name__}: {error}'.split())[:300]
  place = traceback.extract_tb(error.__traceback__)[-1]
  return f'{words} ({pathlib.Path(place.filename).name}, line {place.lineno}).'
