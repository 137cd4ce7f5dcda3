"""Scores samples of any other program, from a folder or an .npz."""

import functools
import os
from typing import NamedTuple

from gan_jax.data import loading
from gan_jax.metrics import measures, reference, scores
from gan_jax.metrics.features import base, spaces
from gan_jax.run import scoring
from gan_jax.types import Dataset, UserError


class _Comparison(NamedTuple):
  """Samples, and what they are compared with."""

  fake: Dataset
  real: Dataset  # the samples themselves where `published`
  data: str  # name or path of `real`
  folder: str  # where the data set of that name lies
  published: bool  # whether `data` holds statistics
  protocol: scoring.EvalProtocol


def evaluate(
  samples: str,
  data: str,
  *,
  folder: str = '',
  metrics: tuple[str, ...] = (),
  protocol: scoring.EvalProtocol,
  progress,
) -> list[dict]:
  """Scores samples against a data set, a folder, an .npz, or statistics.

  Args:
    samples: a folder of images, or an .npz with `samples` or `x`.
    data: the name of a data set, a folder of images, an .npz with samples, or
      one with published statistics `mu` and `sigma`.
    folder: where the data set of that name lies.
    metrics: their names; () for the default ones.
    protocol: how to score.
    progress: console.Counter.

  Returns:
    a record for each metric.

  Raises:
    UserError: files that cannot be read or do not fit together, or a metric
      that is not possible.
  """
  published = is_statistics(data)
  fake, real = _open(samples, data, folder, protocol.split)
  pair = _Comparison(fake, real, data, folder, published, protocol)
  _check(pair, samples)
  space = _space(pair)
  names = _metric_names(pair, space, metrics)
  scorer = _make_scorer(pair, space, names, say=progress.say)
  scorer.prepare()  # first: errors in the real samples must show at once
  stats = _collect(scorer, fake, progress)
  return scorer.score(
    stats, protocol=protocol.name, source=samples, seed=None, step=None
  )


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


def _space(pair):
  """The feature net, see metrics.features.spaces."""
  fake, real, protocol = pair.fake, pair.real, pair.protocol
  space = protocol.space
  if pair.published:
    space = spaces.check_published(space)
  space = spaces.check(
    real, space, resize=protocol.resize, weights=protocol.weights
  )
  if space != 'inception':  # which resizes both
    scores.check_shape((fake.size, *fake.shape), (real.size, *real.shape))
  return space


def _metric_names(pair, space, wanted):
  possible = measures.where_possible(
    features=base.Features(space, '', None, knows=spaces.KNOWS[space]),
    modes=pair.real.modes,
    labels=_same_classes(pair),
    held_out=_has_splits(pair.data) and 'test' not in pair.protocol.split,
  )
  names = measures.expand(wanted, possible)
  return names or measures.default_names(pair.fake.kind, possible)


def _same_classes(pair):
  """Whether labels mean the same; an .npz may number the classes."""
  fake, real = pair.fake.class_names, pair.real.class_names
  return bool(fake) and fake in (real, tuple(map(str, range(len(real)))))


def _make_scorer(pair, space, names, *, say):
  fake, real, protocol = pair.fake, pair.real, pair.protocol
  features = _features(pair, space, say) if measures.looked(names) else None
  view = functools.partial(scoring.real_reference, features=features, say=say)
  held_out = None
  if measures.wanted(names, 'held_out'):
    held_out = view(_held_out(pair.data, pair.folder), split='test')
  return scores.make_scorer(
    names,
    reference.from_statistics(pair.data, features=features)
    if pair.published
    else view(real, split=protocol.split or 'train'),
    kind=fake.kind,
    features=features,
    modes=real.modes,
    num_classes=len(fake.class_names) if _same_classes(pair) else 0,
    held_out=held_out,
  )


def _features(pair, space, say):
  """The feature net; one that is trained sees the training split only."""
  protocol, dataset = pair.protocol, pair.real
  if protocol.split not in ('', 'train') and space in spaces.TRAINED:
    dataset = open_data(pair.data, pair.folder)
  return spaces.load(
    dataset,
    space,
    resize=protocol.resize,
    weights=protocol.weights,
    say=say,
  )


def _collect(scorer, fake, progress):
  collector = scorer.collector(fake.size)
  done = 0
  for batch in reference.batches(fake, range(fake.size)):
    collector.add(batch['x'], batch.get('label'))
    done += len(batch['x'])
    progress.tick(done, fake.size)
  return collector.view()


def _open(samples, data, folder, split):
  """(samples, real ones): images of a folder get the other side's channels."""
  if os.path.isdir(data):
    fake = open_samples(samples)
    return fake, open_data(data, folder, split, _channels(fake))
  real = None if is_statistics(data) else open_data(data, folder, split)
  fake = open_samples(samples, _channels(real) if real else 0)
  return fake, real or fake


def _channels(dataset):
  """1 or 3 for opening a folder; 0 leaves them to the folder."""
  channels = dataset.shape[-1]
  return channels if channels in (1, 3) else 0


def open_samples(path: str, channels: int = 0) -> Dataset:
  """A folder of images or an .npz of samples.

  Args:
    path: of the folder or the file.
    channels: of the images of a folder, 1 or 3; 0 for the default, 3.

  Raises:
    UserError: the path is neither, or the samples cannot be read.
  """
  if os.path.isdir(path):
    return loading.load('folder', dir=path, channels=channels or None)
  if path.endswith('.npz'):
    return loading.load('npz', path=path)
  raise UserError(f'--samples={path}: expected a folder, or an .npz.')


def open_data(
  data: str, folder: str = '', split: str = '', channels: int = 0
) -> Dataset:
  """A data set by its name, or samples by their path as in open_samples.

  Args:
    data: a name or a path.
    folder: where the data set of that name lies.
    split: of the data set.
    channels: see open_samples.

  Raises:
    UserError: the data set does not exist, or has no splits.
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
