"""How long it takes to score a run's samples, from the scores of a few."""

import functools
import time
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.metrics import reference, scores
from gan_jax.metrics.features import base, classifier, convnet, spaces
from gan_jax.run import labels as labels_lib
from gan_jax.run import score_failures, scorers, scoring
from gan_jax.run.samplers.drawing import batches
from gan_jax.run.sampling import BATCH, take_seed
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import contents
from gan_jax.types import UserError

FEW = 2 * BATCH  # samples


class Seconds(NamedTuple):
  """What the first score takes besides, and what each one takes."""

  first: float
  each: float


def measure(setup: Setup, config: dict, averages) -> Seconds:
  """Seconds of the scores of all seeds, as if they took their share of a few's.

  Nothing is trained or downloaded for them: a classifier is one of the same
  size, untrained. Where the feature net is not there, or a metric needs more
  than that, no time is known and 0 is given.

  Args:
    setup: whose examples can be read.
    config: of it.
    averages: State.ema [S, ...].
  """
  protocol = contents.eval_protocol(config)
  try:
    names = scoring.metric_names(setup, config['metrics'], protocol=protocol)
    once = _scoring(setup, names, protocol, take_seed(averages, 0))
    first, second = once(), once()
  except UserError:
    return Seconds(0.0, 0.0)
  few = min(FEW, protocol.num_samples)
  each = len(setup.keys) * second * protocol.num_samples / few
  return Seconds(max(0.0, first - second), each)


def _scoring(setup, names, protocol, variables):
  """What scores a few samples of one seed; its seconds."""
  features = _feature_net(setup.dataset, protocol)
  look = functools.partial(_real, setup, features)
  scorer = scores.make_scorer(
    names,
    look(),
    facts=scorers.facts_of(setup.dataset, num_classes=setup.num_classes),
    features=features,
    held_out=look() if setup.open_split else None,
    options=dict(protocol.options),
  )
  scorer.prepare()
  few, key = min(FEW, protocol.num_samples), setup.keys[0]

  def once():
    begin = time.perf_counter()
    own = labels_lib.of_draw(setup, protocol.labels, key, few)
    collector = scorer.collector(few)
    for x, label in batches(
      setup, protocol.way, variables, key, few, labels=own
    ):
      collector.add(np.nan_to_num(x), label)
    # A metric may refuse so few samples.
    refused = score_failures.Refusals().note
    scorer.score(collector.view(), refused=refused, step=0, seed=0)
    return time.perf_counter() - begin

  return once


def _real(setup, features):
  """A few real samples."""
  rows = np.arange(FEW) % setup.dataset.size
  (batch,) = reference.batches(setup.dataset, rows)
  return reference.from_arrays(
    batch['x'], labels=batch.get('label'), features=features, name='few'
  )


def _feature_net(dataset, protocol) -> base.Features:
  """The net that looks at samples; of one that is trained here, its like."""
  space = spaces.choose(dataset, protocol.space)
  if space != 'classifier':
    return spaces.load(
      dataset, space, resize=protocol.resize, weights=protocol.weights
    )
  count, look = len(dataset.class_names), classifier.images_of(dataset)
  shape = look(np.zeros((1, *dataset.shape), np.float32)).shape[1:]
  params = jax.tree.map(np.asarray, convnet.init(shape, count, 0))
  return base.Features(
    space,
    '',
    lambda samples: convnet.apply(params, count, look(samples)),
    knows=spaces.knows(space),
  )
