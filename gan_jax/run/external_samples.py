"""Scores samples that another program has made, from a folder or an .npz."""

import functools
import os

from gan_jax.data import kinds, loading
from gan_jax.metrics import measures, reference, scores
from gan_jax.metrics.features import base, spaces
from gan_jax.run import scoring
from gan_jax.types import Dataset, UserError


def evaluate(
  samples: str,
  data: str,
  *,
  folder: str = '',
  metrics: tuple[str, ...] = (),
  way: scoring.Way,
  progress,
) -> list[dict]:
  """Scores samples against a data set, a folder, an .npz, or statistics.

  Args:
    samples: a folder of pictures, or an .npz with `samples` or `x`.
    data: the name of a data set, a folder of pictures, an .npz with samples,
      or one with published statistics `mu` and `sigma`.
    folder: where the data set of that name lies.
    metrics: their names; () for the usual ones.
    way: how to score.
    progress: console.Counter.

  Returns:
    a record for each metric.

  Raises:
    UserError: whatever is wrong with the files, or a metric that is not
      possible.
  """
  published = is_statistics(data)
  fake, real = _open(samples, data, folder, way.split)
  _check_way(way, fake, samples, data if published else '')
  space = spaces.check_published(way.space) if published else way.space
  space = spaces.check(real, space, resize=way.resize, weights=way.weights)
  if space != 'inception':
    scores.check_shape((fake.size, *fake.shape), (real.size, *real.shape))
  held_out = functools.partial(_held_out, data, folder)
  labels = _same_classes(fake.class_names, real.class_names)
  there = measures.where_possible(
    features=base.Features(space, '', None, knows=spaces.KNOWS[space]),
    modes=real.modes,
    labels=labels,
    held_out=_has_splits(data) and 'test' not in way.split,
  )
  names = measures.expand(metrics, there)
  names = names or measures.default_names(fake.kind, there)
  features = None
  if measures.looked(names):
    # The net is that of the training data, whatever it is compared with.
    apart = way.split not in ('', 'train') and space in spaces.TRAINED
    features = spaces.load(
      open_data(data, folder) if apart else real,
      space,
      resize=way.resize,
      weights=way.weights,
      say=progress.say,
    )
  of = functools.partial(
    reference.from_dataset,
    features=features,
    most=kinds.of(fake).MAX_REAL,
    say=progress.say,
  )
  scorer = scores.make_scorer(
    names,
    reference.from_statistics(data, features=features)
    if published
    else of(real, split=way.split or 'train'),
    kind=fake.kind,
    features=features,
    modes=real.modes,
    num_classes=len(fake.class_names) if labels else 0,
    held_out=of(held_out(), split='test')
    if measures.wanted(names, 'held_out')
    else None,
  )
  scorer.prepare()  # now: what is wrong with the real ones is told at once
  view = _collect(scorer, fake, progress)
  return scorer.score(
    view, protocol=way.protocol, source=samples, seed=None, step=None
  )


def _check_way(way, fake, samples, statistics):
  if way.protocol and fake.size != way.num_samples:
    raise UserError(
      f'--protocol={way.protocol} is of {way.num_samples:,} samples, there are'
      f' {fake.size:,} in {samples}.'
    )
  if statistics and way.split and not way.protocol:
    raise UserError(f'--split={way.split}: {statistics} has no splits.')


def _same_classes(fake, real):
  """Whether labels mean the same; an .npz may number the classes."""
  return bool(fake) and fake in (real, tuple(map(str, range(len(real)))))


def _collect(scorer, fake, progress):
  collector = scorer.collector(fake.size)
  done = 0
  for batch in reference.batches(fake, range(fake.size)):
    collector.add(batch['x'], batch.get('label'))
    done += len(batch['x'])
    progress.tick(done, fake.size)
  return collector.view()


def _open(samples, data, folder, split):
  """(samples, real ones): a folder gets the channels of what it meets."""
  if os.path.isdir(data):
    fake = open_samples(samples)
    return fake, open_data(data, folder, split, _channels(fake))
  real = None if is_statistics(data) else open_data(data, folder, split)
  fake = open_samples(samples, _channels(real) if real else 0)
  return fake, real or fake


def _channels(dataset):
  """1 or 3, what a folder can be opened with; 0 leaves it to the folder."""
  channels = dataset.shape[-1]
  return channels if channels in (1, 3) else 0


def open_samples(path: str, channels: int = 0) -> Dataset:
  """A folder of pictures or an .npz of samples.

  Args:
    path: of it.
    channels: of the pictures of a folder, 1 or 3; 0 for the usual 3.

  Raises:
    UserError: it is neither.
  """
  if os.path.isdir(path):
    return loading.load('folder', dir=path, channels=channels or None)
  if path.endswith('.npz'):
    return loading.load('npz', path=path)
  raise UserError(f'--samples={path}: expected a folder, or an .npz.')


def open_data(
  data: str, folder: str = '', split: str = '', channels: int = 0
) -> Dataset:
  """A data set by name, or as `open_samples`.

  Args:
    data: a name or a path.
    folder: where the data set of that name lies.
    split: of it.
    channels: see open_samples.

  Raises:
    UserError: it does not exist, or has no splits.
  """
  if split and not _has_splits(data):
    if split != 'train':
      raise UserError(f'--split={split}: {data} has no splits.')
    split = ''
  if _is_path(data):
    return open_samples(data, channels)
  return loading.load(data, dir=folder, split=split)


def is_statistics(path: str) -> bool:
  """Whether an .npz holds `mu` and `sigma` rather than samples."""
  if not path.endswith('.npz') or not os.path.isfile(path):
    return False
  return reference.holds_statistics(path)


def _held_out(data, folder):
  return open_data(data, folder, 'test')


def _is_path(data):
  return os.path.isdir(data) or data.endswith('.npz')


def _has_splits(data):
  return not _is_path(data) and 'split' in loading.options_of(data)
