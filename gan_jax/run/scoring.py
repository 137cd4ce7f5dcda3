"""Scores of the generators of a setup, every seed of them."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gan_jax import options as options_lib
from gan_jax.data import kinds
from gan_jax.game import keys as keys_lib
from gan_jax.metrics import (
  intervals,
  measures,
  memorisation,
  protocols,
  records,
  reference,
  scores,
)
from gan_jax.metrics.features import base, spaces
from gan_jax.run.sampling import batches, collect, take_seed
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

COSTLY = ('inception',)  # nets that only a score is worth


class Way(NamedTuple):
  """How samples are scored; '' and 0 stand for the usual."""

  space: str = ''  # of features, see metrics.features.spaces
  resize: str = ''
  weights: str = ''  # path of the feature net's
  split: str = ''  # of the data set, that scores are taken against
  num_samples: int = 0  # of each seed
  draws: int = 1  # of that many samples
  statistics: str = ''  # path of published ones, in place of real samples
  protocol: str = ''  # the name of all this, if it has one


def named_way(name: str) -> Way:
  """The way of a named protocol.

  Raises:
    UserError: there is no such protocol.
  """
  p = protocols.get(name)
  return Way(
    space=p.features,
    resize=p.resize,
    split=p.split,
    num_samples=p.num_samples,
    protocol=name,
  )


def metric_names(
  setup: Setup, wanted, *, way: Way, loadable: bool = True
) -> tuple[str, ...]:
  """The metrics wanted, or the usual ones of this kind of data.

  Args:
    setup: the networks and their data.
    wanted: names of metrics; () for the usual ones.
    way: how to score.
    loadable: whether the feature net's weights have to be at hand.

  Raises:
    UserError: one does not exist, or not for this data set.
  """
  there = _there(setup, way, loadable)
  names = measures.expand(wanted, there)
  return names or measures.default_names(setup.dataset.kind, there)


def _there(setup, way, loadable):
  """What this setup's samples can be scored by."""
  if way.split and way.split != setup.split and setup.open_split is None:
    raise UserError(
      f'split={way.split}: {setup.dataset.name} has no splits, only what it is'
      ' trained on.'
    )
  space = spaces.check_published(way.space) if way.statistics else way.space
  if loadable:
    space = spaces.check(
      setup.dataset, space, resize=way.resize, weights=way.weights
    )
  space = spaces.choose(setup.dataset, space)
  apart = 'test' not in (way.split or setup.split)  # what is held out, else not
  return measures.where_possible(
    features=base.Features(space, '', None, knows=spaces.KNOWS[space]),
    modes=setup.dataset.modes,
    labels=setup.num_classes > 0,
    held_out=setup.open_split is not None and apart,
  )


def make_look(
  setup: Setup,
  names: tuple[str, ...],
  *,
  way: Way,
  say: Callable = print,
  tick: Callable = lambda done, total: None,
  rollbacks: int = 0,
) -> Callable:
  """Returns look(step, variables [S], keys [S], seeds [S]) -> Iterator.

  It yields (seed, compute) for every draw of every seed: to look is to draw
  samples and to keep what the metrics need of them; then compute() -> records
  may run in another thread. `gather` joins the draws. Real samples and
  features are prepared at the first look and kept.

  Args:
    setup: the networks and their data.
    names: from metric_names.
    way: how to score; num_samples is given.
    say: told when something takes its time.
    tick: told how many samples are made, of how many.
    rollbacks: of the run before the step.
  """
  scorer = functools.cache(lambda: make_scorer(setup, names, way=way, say=say))

  def view(variables, key):
    collector = scorer().collector(way.num_samples)
    drawn = batches(
      setup.sample,
      variables,
      key,
      way.num_samples,
      num_classes=setup.num_classes,
    )
    done = 0
    for samples, labels in drawn:
      if not np.isfinite(samples).all():
        return None
      collector.add(samples, labels)
      done += len(samples)
      tick(done, way.num_samples)
    return collector.view()

  def look(step, variables, keys, seeds) -> Iterator[tuple[int, Callable]]:
    scorer().prepare()
    told = {'ema': setup.averaged, 'batch_norm': 'running', 'truncation': None}
    told |= {'protocol': way.protocol, 'step': int(step)}
    told |= {'rollbacks': rollbacks} if rollbacks else {}
    for s, seed in enumerate(map(int, seeds)):
      for d in range(way.draws):
        seen = view(take_seed(variables, s), keys_lib.draw_key(keys[s], d))
        if seen is None:
          say(f'seed {seed} makes non-finite samples: not scored')
          continue
        score = functools.partial(scorer().score, seen, seed=seed, **told)
        del seen  # it may be large, and is not needed while the next is made
        yield seed, score

  return look


def gather(found: list[tuple[int, list[dict]]]) -> list[dict]:
  """Records of all seeds; several draws of one become one record.

  Args:
    found: (seed, records) of every draw, in the order that look gave them.
  """
  draws = {}
  for seed, made in found:
    draws.setdefault(seed, []).append(made)
  merge = functools.partial(records.merge_draws, interval=intervals.of_draws)
  return [record for each in draws.values() for record in merge(each)]


def make_scorer(
  setup: Setup, names: tuple[str, ...], *, way: Way, say: Callable
) -> scores.Scorer:
  """What scores samples of a setup's data set; see make_look."""
  dataset = setup.dataset
  if way.split and way.split != setup.split:
    dataset = setup.open_split(way.split)
  looked = measures.looked(names)
  features = None
  if looked:
    # The net is that of the training data, whatever it is compared with.
    features = spaces.load(
      setup.dataset,
      way.space or ('inception' if way.statistics else ''),
      resize=way.resize,
      weights=way.weights,
      say=say,
    )
  of = functools.partial(
    reference.from_dataset,
    features=features,
    most=kinds.of(dataset).MAX_REAL,
    say=say,
  )
  held_out = None
  if measures.wanted(names, 'held_out'):
    held_out = of(setup.open_split('test'), split='test')
  real = (
    reference.from_statistics(way.statistics, features=features)
    if way.statistics
    else of(dataset, split=way.split or setup.split)
  )
  return scores.make_scorer(
    names,
    real,
    kind=dataset.kind,
    features=features,
    modes=dataset.modes,
    num_classes=setup.num_classes,
    held_out=held_out,
  )


def neighbours(
  setup: Setup, variables, *, way: Way, num: int = 16, k: int = 5, say=print
) -> tuple[np.ndarray, np.ndarray] | None:
  """Samples of the first seed and the real ones nearest to them.

  Args:
    setup: the networks and their data.
    variables: [S, ...], of G.
    way: how to score: nearness is that of its features.
    num: samples that are looked at.
    k: neighbours of each.
    say: told when something takes its time.

  Returns:
    (samples [num, H, W, C], neighbours [num, k, H, W, C]); None for data that
    are no images, for features too costly for all real samples, and for
    samples that are not finite.
  """
  dataset = setup.dataset
  space = spaces.choose(dataset, way.space)
  comparable = kinds.of(dataset).neighbours is not None
  if not comparable or space in COSTLY or dataset.size < k:
    return None
  samples = show_samples(setup, variables, num=num)
  if not np.isfinite(samples).all():
    return None
  features = spaces.load(dataset, space, say=say)
  real = reference.from_dataset(
    dataset,
    features=features,
    split=setup.split,
    most=kinds.of(dataset).MAX_REAL,
    say=say,
  )
  _, rows = memorisation.nearest(
    features.apply(samples).features,
    real.view(frozenset({'features'})).features,
    k=k,
  )
  rows = real.rows[rows].reshape(-1)  # [num k]
  real = kinds.in_model_range(dataset, dataset.read(rows)['x'])
  return samples, np.asarray(real).reshape(num, k, *dataset.shape)


def mean_of(records: list[dict], metric: str) -> float | None:
  """Mean over the seeds, None if there is no such score."""
  values = [r['value'] for r in records if r['metric'] == metric]
  return float(np.mean(values)) if values else None


def goal_reached(records: list[dict], goal: dict) -> bool:
  """Whether the mean over seeds is below, or above, what was wanted.

  Args:
    records: of one step.
    goal: {} or {'metric': name, 'below': value} or {..., 'above': value}.
  """
  value = mean_of(records, goal['metric']) if goal else None
  if value is None:
    return False
  return value < goal.get('below', -np.inf) or value > goal.get('above', np.inf)


def check_goal(goal: dict, names: tuple[str, ...]):
  """Refuses a config.stop_when that could never be reached.

  Raises:
    UserError: not {'metric': one of names, 'below' or 'above': number}.
  """
  if not goal:
    return
  keys = set(goal)
  if keys not in ({'metric', 'below'}, {'metric', 'above'}):
    raise UserError(
      "stop_when: expected {'metric': ..., 'below': ...} or 'above', got"
      f' {goal}.'
    )
  for key in keys - {'metric'}:
    options_lib.check_kind(f'stop_when.{key}', goal[key], float)
  if goal['metric'] not in names:
    raise UserError(
      f'stop_when.metric={goal["metric"]!r} is not among the metrics of this'
      f' run: {", ".join(names)}.'
    )


def show_samples(setup: Setup, variables, *, seed: int = 0, num: int = 100):
  """Fixed samples of one seed, float32 [num, ...] in model range."""
  return collect(
    setup.sample,
    take_seed(variables, seed),
    setup.keys[seed],
    num,
    num_classes=setup.num_classes,
  )


def real_samples(setup: Setup, num: int) -> np.ndarray:
  """Evenly spread real samples [num, ...] in model range."""
  dataset = setup.dataset
  rows = np.linspace(0, dataset.size - 1, num).astype(int)
  return np.asarray(kinds.in_model_range(dataset, dataset.read(rows)['x']))
