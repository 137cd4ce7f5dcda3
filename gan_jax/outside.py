"""Scores samples that another program has made, from a folder or an .npz."""

import functools
import pathlib

from gan_jax import data as data_lib
from gan_jax import scoring
from gan_jax.metrics import measures, reference, scores
from gan_jax.metrics.features import base, spaces
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
  fake = open_samples(samples)
  published = is_statistics(data)
  real = fake if published else open_data(data, folder, way.split)
  space = spaces.check_published(way.space) if published else way.space
  space = spaces.check(real, space, resize=way.resize, weights=way.weights)
  if space != 'inception':
    scores.check_shape((fake.size, *fake.shape), (real.size, *real.shape))
  held_out = functools.partial(_held_out, data, folder)
  labels = bool(fake.class_names) and fake.class_names == real.class_names
  there = measures.where_possible(
    features=base.Features(space, '', None, knows=spaces.KNOWS[space]),
    modes=real.modes,
    labels=labels,
    held_out='split' in _options(data),
  )
  names = measures.expand(metrics, there)
  names = names or measures.default_names(fake.kind, there)
  features = None
  if measures.looked(names):
    features = spaces.load(
      real, space, resize=way.resize, weights=way.weights, say=progress.say
    )
  of = functools.partial(
    reference.from_dataset,
    features=features,
    most=scoring.MAX_REAL[fake.kind],
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
  view = _collect(scorer, fake, progress)
  return scorer.score(
    view, protocol=way.protocol, source=samples, seed=None, step=None
  )


def _collect(scorer, fake, progress):
  collector = scorer.collector(fake.size)
  done = 0
  for batch in reference.batches(fake, range(fake.size)):
    collector.add(batch['x'], batch.get('label'))
    done += len(batch['x'])
    progress.tick(done, fake.size)
  return collector.view()


def open_samples(path: str) -> Dataset:
  """A folder of pictures or an .npz of samples.

  Raises:
    UserError: it is neither.
  """
  if pathlib.Path(path).is_dir():
    return data_lib.load('folder', dir=path)
  if path.endswith('.npz'):
    return data_lib.load('npz', path=path)
  raise UserError(f'--samples={path}: expected a folder, or an .npz.')


def open_data(data: str, folder: str = '', split: str = '') -> Dataset:
  """A data set by name, or as `open_samples`.

  Args:
    data: a name or a path.
    folder: where the data set of that name lies.
    split: of it.

  Raises:
    UserError: it does not exist, or has no splits.
  """
  if pathlib.Path(data).is_dir() or data.endswith('.npz'):
    if split:
      raise UserError(f'--split={split}: {data} has no splits.')
    return open_samples(data)
  return data_lib.load(data, dir=folder, split=split)


def is_statistics(path: str) -> bool:
  """Whether an .npz holds `mu` and `sigma` rather than samples."""
  if not path.endswith('.npz') or not pathlib.Path(path).is_file():
    return False
  return reference.holds_statistics(path)


def _held_out(data, folder):
  return open_data(data, folder, 'test')


def _options(data):
  path = pathlib.Path(data)
  return [] if path.exists() else data_lib.options_of(data)
