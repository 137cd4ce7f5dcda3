"""What scores samples: its feature net, its real samples, both made once."""

import functools
from collections.abc import Callable

from gan_jax.data import kinds
from gan_jax.metrics import compute, measures, reference, scores
from gan_jax.metrics.features import base, spaces
from gan_jax.run import encoding
from gan_jax.run.setup import Setup
from gan_jax.types import Dataset


def make_scorer(
  setup: Setup, names: tuple[str, ...], *, protocol, say: Callable
) -> scores.Scorer:
  """What scores samples of a setup's data set.

  Args:
    setup: the networks and their data.
    names: of outputs.
    protocol: scoring.EvalProtocol.
    say: called with a line about whatever takes long.
  """
  split = protocol.split or setup.split
  dataset = setup.of_split(split)
  features = feature_net(setup, names, protocol=protocol, say=say)
  view = functools.partial(real_reference, features=features, say=say)
  held_out = None
  if measures.wanted(names, 'held_out'):
    held_out = view(setup.open_split('test'), split='test')
  return scores.make_scorer(
    names,
    reference.from_statistics(protocol.statistics, features=features)
    if protocol.statistics
    else view(dataset, split=split),
    facts=facts_of(
      dataset,
      num_classes=setup.num_classes,
      also=encoding.conditions(setup),
    ),
    features=features,
    held_out=held_out,
    options=dict(protocol.options),
  )


def feature_net(
  setup: Setup, names: tuple[str, ...], *, protocol, say: Callable
) -> base.Features | None:
  """The net that looks at samples; None if these metrics need none.

  Args: see make_scorer.
  """
  if not measures.looked(names):
    return None
  # Of the training data, whatever the samples are compared with.
  return spaces.load(
    setup.dataset,
    protocol.space or ('inception' if protocol.statistics else ''),
    resize=protocol.resize,
    weights=protocol.weights,
    say=say,
  )


def real_reference(
  dataset: Dataset, *, features: base.Features | None, split: str, say: Callable
) -> reference.Reference:
  """A data set's samples as a reference, as many as its kind asks for."""
  most = kinds.of(dataset).MAX_REAL
  return reference.from_dataset(
    dataset, features=features, split=split, most=most, say=say
  )


def facts_of(
  dataset: Dataset, *, num_classes: int, also: frozenset = frozenset()
) -> compute.Facts:
  """What metrics are told of a data set.

  Args:
    dataset: that samples are scored against.
    num_classes: that they are made for, 0 without.
    also: what holds for the networks, see measures.WHERE.
  """
  return compute.Facts(
    dataset.kind, dataset.modes, dataset.about, num_classes, also
  )
