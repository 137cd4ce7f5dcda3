"""Scores of the generators of a setup, every seed of them."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gan_jax.data import kinds
from gan_jax.game import keys as keys_lib
from gan_jax.metrics import (
  intervals,
  measured,
  measures,
  metric_options,
  protocols,
  records,
  reference,
)
from gan_jax.metrics.features import base, spaces
from gan_jax.run import compatibility, encoding, scorers, standing
from gan_jax.run import labels as labels_lib
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.drawing import batches
from gan_jax.run.sampling import take_seed
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

NOT_FINITE = 'its samples are not finite'


class EvalProtocol(NamedTuple):
  """How samples are scored; '' and 0 stand for the default."""

  space: str = ''  # of features, see metrics.features.spaces
  resize: str = ''
  weights: str = ''  # path of the feature net's
  split: str = ''  # of the data set, that scores are taken against
  num_samples: int = 0  # of each seed
  draws: int = 1  # of that many samples
  statistics: str = ''  # path of published ones, in place of real samples
  name: str = ''  # of metrics.protocols, if it is one of these
  labels: str = labels_lib.DATA  # of which classes, see run.labels
  options: tuple = ()  # of metrics, pairs of a name and a value
  standing_stats: int = 0  # passes that G's batch norms take theirs from
  way: way_lib.Way = way_lib.Way()  # in which samples are drawn; settled


def named_protocol(name: str) -> EvalProtocol:
  """The protocol of that name in metrics.protocols.

  Raises:
    UserError: there is no such protocol.
  """
  p = protocols.get(name)
  return EvalProtocol(
    space=p.features,
    resize=p.resize,
    split=p.split,
    num_samples=p.num_samples,
    name=name,
  )


def metric_names(
  setup: Setup, wanted, *, protocol: EvalProtocol, loadable: bool = True
) -> tuple[str, ...]:
  """The metrics wanted, or the default ones of this kind of data.

  Args:
    setup: the networks and their data.
    wanted: names of metrics; () for the default ones.
    protocol: how to score.
    loadable: whether the feature net's weights must be available.

  Raises:
    UserError: a metric that does not exist, or not for this data set, or
      standing statistics without a batch norm.
  """
  standing.check(setup, protocol.standing_stats)
  possible = _possible(setup, protocol, loadable)
  names = measures.expand(wanted, possible)
  return names or measures.default_names(setup.dataset.kind, possible)


def _possible(setup, protocol, loadable):
  """What this setup's samples can be scored by, see measures.WHERE."""
  split = protocol.split or setup.split
  if split != setup.split and setup.open_split is None:
    raise UserError(
      f'split={split}: {setup.dataset.name} has no splits, only the data that'
      ' it is trained on.'
    )
  space = protocol.space
  if protocol.statistics:
    space = spaces.check_published(space)
  if loadable:
    space = spaces.check(
      setup.dataset, space, resize=protocol.resize, weights=protocol.weights
    )
  space = spaces.choose(setup.dataset, space)
  # Samples that are scored against the test split leave nothing held out.
  held_out = setup.open_split is not None and 'test' not in split
  return measures.where_possible(
    features=base.Features(space, '', None, knows=spaces.knows(space)),
    modes=setup.dataset.modes,
    labels=setup.num_classes > 0,
    held_out=held_out,
    kind=setup.dataset.kind,
    about=setup.dataset.about,
    also=encoding.conditions(setup),
  )


def fitting(setup: Setup, protocol: EvalProtocol) -> Callable:
  """Returns fits(record): could this protocol have made the record?

  Args:
    setup: the networks and their data.
    protocol: how samples are scored; num_samples is not 0.
  """
  split = protocol.split or setup.split
  space = spaces.choose(setup.dataset, protocol.space)
  nets = (space, f'{space}_biased', measured.SAMPLES.name)
  options = dict(protocol.options)
  usual = {'protocol': protocol.name, 'ema': setup.averaged}
  usual['n_fake'] = protocol.num_samples
  drawn = way_lib.names(protocol.way)
  usual |= {name: drawn.get(name) for name in way_lib.NAMES}
  usual['batch_norm'] = standing.name_of(protocol.standing_stats)
  if setup.conditional:
    usual['labels'] = protocol.labels
  if setup.dataset.fingerprint and split == setup.split:
    most = kinds.of(setup.dataset).MAX_REAL
    usual['reference_hash'] = reference.identify(setup.dataset, most)

  def fits(record):
    known = usual | metric_options.of_record(record, options)
    return (
      record.get('features') in nets
      and str(record.get('reference')).endswith(f'/{split}')
      and all(record.get(name) == value for name, value in known.items())
    )

  return fits


def make_look(
  setup: Setup,
  names: tuple[str, ...],
  *,
  protocol: EvalProtocol,
  say: Callable = print,
  tick: Callable = lambda done, total: None,
  rollbacks: int = 0,
  refused: Callable | None = None,
) -> Callable:
  """Returns look(step, variables [S], keys [S], seeds [S]) -> Iterator.

  It yields (seed, compute) for every draw of every seed. Looking means drawing
  samples and keeping what the metrics need of them; compute() -> records may
  then run in another thread. `gather` merges the draws. Real samples and
  features are prepared at the first look and kept.

  Args:
    setup: the networks and their data.
    names: from metric_names.
    protocol: how to score; num_samples is not 0.
    say: called with a line about whatever takes long or is not scored.
    tick: called with the number of samples drawn so far, and of all.
    rollbacks: of the run before the step.
    refused: (step, what, error) -> reason; called where something cannot be
      scored, and its records then have no value but the reason. None leaves
      out samples that are not finite, and raises anything else.
  """
  scorer = functools.cache(
    lambda: scorers.make_scorer(setup, names, protocol=protocol, say=say)
  )

  def look(step, variables, keys, seeds) -> Iterator[tuple[int, Callable]]:
    scorer().prepare()
    maker = _maker(setup, protocol, step, rollbacks)
    looks = encoding.is_wanted(names)
    for s, seed in enumerate(map(int, seeds)):
      own = encoding.of_seed(setup, take_seed(variables, s)) if looks else None
      how = protocol.standing_stats, protocol.labels
      ready = standing.settled(setup, take_seed(variables, s), keys[s], *how)
      for d in range(protocol.draws):
        draw = ready, keys_lib.draw_key(keys[s], d)
        stats, reason = None, NOT_FINITE
        try:
          stats = _collect(scorer(), setup, protocol, draw, tick)
          if stats is None:
            say(f'seed {seed} makes non-finite samples: not scored')
        except UserError as error:
          if refused is None:
            raise
          reason = refused(step, f'seed {seed}', error)
        if stats is None and refused is None:
          continue
        score = _compute(scorer(), protocol, stats, reason, refused, own)
        del stats  # may be large, and the next draw does not need it
        yield seed, functools.partial(score, seed=seed, **maker)

  return look


def _compute(scorer, protocol, stats, reason, refused, encoder):
  """(seed, step, ...) -> records, of samples or of why there are none."""
  if stats is None:
    return functools.partial(scorer.unscored, protocol.num_samples, reason)
  if refused is None:
    return functools.partial(scorer.score, stats, encoder=encoder)

  def score(*, step, **maker):
    why = lambda names, error: refused(step, ', '.join(names), error)
    return scorer.score(stats, refused=why, encoder=encoder, step=step, **maker)

  return score


def _collect(scorer, setup, protocol, draw, tick):
  """Stats of the samples of draw, (variables, key); None if not finite."""
  total, how = protocol.num_samples, protocol.labels
  collector, done = scorer.collector(total), 0
  labels = labels_lib.of_draw(setup, how, draw[1], total)
  drawn = batches(setup, protocol.way, *draw, total, labels=labels)
  for samples, labels in drawn:
    if not np.isfinite(samples).all():
      return None
    collector.add(samples, labels)
    done += len(samples)
    tick(done, total)
  return collector.view()


def _maker(setup, protocol, step, rollbacks):
  """What a record says of how the samples were made."""
  maker = {
    'ema': setup.averaged,
    'batch_norm': standing.name_of(protocol.standing_stats),
    **way_lib.names(protocol.way),
    'protocol': protocol.name,
    'step': int(step),
  }
  maker |= {'labels': protocol.labels} if setup.conditional else {}
  maker |= {'rollbacks': rollbacks} if rollbacks else {}
  forced = compatibility.names(setup.clashes)
  return maker | ({'forced': forced} if forced else {})


def gather(scored: list[tuple[int, list[dict]]]) -> list[dict]:
  """Records of all seeds; several draws of one become one record.

  Args:
    scored: (seed, records) of every draw, in the order in which look gave them.
  """
  draws = {}
  for seed, made in scored:
    draws.setdefault(seed, []).append(made)
  merge = functools.partial(records.merge_draws, interval=intervals.of_draws)
  return [record for each in draws.values() for record in merge(each)]
