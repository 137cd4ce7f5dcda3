"""Scores samples of any other program, from a folder or an .npz."""

import functools
from typing import NamedTuple

from gan_jax.metrics import measures, reference, scores, views
from gan_jax.metrics.features import base, spaces
from gan_jax.run import score_failures, scorers, scoring, sources
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError


class _Comparison(NamedTuple):
  """Samples, and what they are compared with."""

  fake: Dataset
  real: Dataset  # the samples themselves where `published`
  data: str  # name or path of `real`
  options: dict  # of `data`
  statistics: str  # that `data` holds, see sources.statistics_of
  published: bool  # whether nothing else of it is needed
  protocol: scoring.EvalProtocol
  unlike: str  # why the classes do not match, or ''


def evaluate(
  samples: str,
  data: str,
  *,
  data_options: dict,
  samples_options: dict,
  metrics: tuple[str, ...] = (),
  protocol: scoring.EvalProtocol,
  progress,
) -> list[dict]:
  """Scores samples against a data set, a folder, an .npz, or statistics.

  Args:
    samples: a folder of images, or an .npz with `samples` or `x`.
    data: the name of a data set, a folder of images, an .npz with samples, or
      one with published statistics `mu` and `sigma`. Where it has both, metrics
      that need no more are of the statistics, in Inception's space.
    data_options: of the data, see sources.open_pair.
    samples_options: of the samples.
    metrics: their names; () for the default ones.
    protocol: how to score.
    progress: console.Counter.

  Returns:
    a record for each metric, without a value but with a reason where these
    samples have no such score.

  Raises:
    UserError: files that cannot be read or do not fit together, a metric that
      these data cannot have, or none that these samples can give.
  """
  samples, data = paths.text(samples), paths.text(data)
  statistics = sources.statistics_of(data, protocol.space)
  enough = set(metrics) <= set(_by_mean(metrics))  # so are the usual metrics
  published = statistics == 'all' or (bool(statistics) and enough)
  fake, real = sources.open_pair(
    samples,
    data,
    split=protocol.split,
    published=published,
    data_options=data_options,
    samples_options=samples_options,
  )
  real, unlike = real or fake, ''
  if not published:
    declared = sources.declares(samples), sources.declares(data)
    fake, unlike = sources.with_classes_of(fake, real, declared=declared)
  pair = _Comparison(
    fake, real, data, data_options, statistics, published, protocol, unlike
  )
  _check(pair, samples)
  scored = _score(pair, metrics, progress)
  maker = {'protocol': protocol.name, 'source': samples}
  return scored(**maker, seed=None, step=None)


def _by_mean(names):
  """Those of the metrics that need only moments of the real samples."""
  asked = measures.chosen(names)
  return [n for m in asked if m.real == ('moments',) for n in m.outputs]


def _score(pair, metrics, progress):
  """Looks at both sides; returns (**maker) -> records."""
  space = _space(pair)
  names = _metric_names(pair, space, metrics)
  features = None
  if measures.looked(names):
    features = _features(pair, space, progress.say)
  make = functools.partial(_make_scorer, pair, features, say=progress.say)
  scorers = [
    make(part, published=published)
    for published, part in _parts(pair, names)
    if part
  ]
  for scorer in scorers:  # first: errors in the real ones must show at once
    scorer.prepare()
  stats = _collect(names, features, pair.fake, progress)

  def score(**maker):
    refusals = score_failures.Refusals()
    maker['refused'] = refusals.note
    made = [r for s in scorers for r in s.score(stats, **maker)]
    refusals.check(made)
    return sorted(made, key=lambda r: names.index(r['metric']))

  return score


def _check(pair, samples):
  """Refuses a protocol that the files do not allow."""
  protocol, size = pair.protocol, pair.fake.size
  if protocol.name and size != protocol.num_samples:
    raise UserError(
      f'--protocol={protocol.name} is of {protocol.num_samples:,} samples,'
      f' there are {size:,} in {samples}.'
    )
  if pair.published and protocol.split and not protocol.name:
    raise UserError(f'--split={protocol.split}: {pair.data} has no splits.')


def _parts(pair, names):
  """[(whether scored against published statistics, names)]."""
  if not pair.statistics or pair.published:
    return [(pair.published, names)]
  by_mean = _by_mean(names)
  rest = tuple(n for n in names if n not in by_mean)
  return [(True, tuple(by_mean)), (False, rest)]


def _space(pair):
  """The feature net, see metrics.features.spaces."""
  fake, real, protocol = pair.fake, pair.real, pair.protocol
  space = protocol.space
  if pair.statistics:
    space = spaces.check_published(space)
  space = spaces.check(
    real, space, resize=protocol.resize, weights=protocol.weights
  )
  if space != 'inception':  # which resizes both
    scores.check_shape((fake.size, *fake.shape), (real.size, *real.shape))
  return space


def _metric_names(pair, space, wanted):
  possible = functools.partial(
    measures.where_possible,
    features=base.Features(space, '', None, knows=spaces.knows(space)),
    modes=pair.real.modes,
    held_out=sources.has_splits(pair.data)
    and 'test' not in pair.protocol.split,
    kind=pair.real.kind,
    about=pair.real.about,
  )
  labels = bool(pair.fake.class_names) and not pair.published
  names = measures.expand(wanted, possible(labels=labels or bool(pair.unlike)))
  if pair.unlike and 'labels' in measures.wanted(names, 'fake'):
    raise UserError(f'labels of the samples: {pair.unlike}')
  return names or measures.default_names(
    pair.fake.kind, possible(labels=labels)
  )


def _make_scorer(pair, features, names, *, published, say):
  fake, real, protocol = pair.fake, pair.real, pair.protocol
  view = functools.partial(scorers.real_reference, features=features, say=say)
  held_out = None
  if measures.wanted(names, 'held_out'):
    unseen = sources.open_data(pair.data, 'test', **pair.options)
    held_out = view(unseen, split='test')
  return scores.make_scorer(
    names,
    reference.from_statistics(pair.data, features=features)
    if published
    else view(real, split=protocol.split or 'train'),
    facts=scorers.facts_of(
      real, num_classes=0 if pair.published else len(fake.class_names)
    ),
    features=features,
    held_out=held_out,
    options=dict(protocol.options),
  )


def _features(pair, space, say):
  """The feature net; one that is trained sees the training split only."""
  protocol, dataset = pair.protocol, pair.real
  if protocol.split not in ('', 'train') and space in spaces.TRAINED:
    dataset = sources.open_data(pair.data, **pair.options)
  return spaces.load(
    dataset,
    space,
    resize=protocol.resize,
    weights=protocol.weights,
    say=say,
  )


def _collect(names, features, fake, progress):
  wants = measures.wanted(names, 'fake')
  collector = views.Collector(fake.size, wants=wants, features=features)
  done = 0
  for batch in reference.batches(fake, range(fake.size)):
    collector.add(batch['x'], batch.get('label'))
    done += len(batch['x'])
    progress.tick(done, fake.size)
  return collector.view()
