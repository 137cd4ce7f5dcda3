"""What generated samples are scored against: real samples, or statistics.

What a feature net makes of real samples is cached on disk, under a name derived
from the content of the data, the choice of rows and the net's weights; so data
that changed are looked at again, whatever their folder is called.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gan_jax.data import kinds
from gan_jax.datasets import npz as npz_data
from gan_jax.metrics import content as content_lib
from gan_jax.metrics import fid
from gan_jax.metrics.features import base, store
from gan_jax.metrics.views import SEEN, Collector, SampleStats, look
from gan_jax.storage import npz
from gan_jax.types import Dataset, UserError

VERSION = 2  # of what is cached on disk
BATCH = 1000  # samples that are read at a time
MAX_KEPT = 2**30  # bytes of features that are cached
PARTS = ('count', 'mean', 'scatter')  # of fid.Moments
CHEAP = ('pixels', 'samples')  # nets that are not worth caching


class Reference(NamedTuple):
  """Real samples, seen through a feature net when first asked for."""

  name: str  # 'cifar10/train'
  hash: str  # of the content and the choice of rows
  shape: tuple[int, ...]  # of one sample; () if only statistics are known
  view: Callable  # frozenset of views.FIELDS -> SampleStats
  rows: np.ndarray | None = None  # [N] of the data set, as they are looked at


def from_arrays(
  samples,
  *,
  features: base.Features | None = None,
  labels=None,
  name: str = '',
) -> Reference:
  """Real samples in memory.

  Args:
    samples: [N, ...] in model range or uint8.
    features: the net that looks at them.
    labels: [N], or None.
    name: what they are called.
  """
  samples = np.asarray(samples)
  digest = store.weights_hash({'x': samples})
  see = lambda wants: look(
    samples, wants=wants, features=features, labels=labels, groups=1
  )
  return Reference(name, digest, samples.shape[1:], _once(see))


def from_dataset(
  dataset: Dataset,
  *,
  features: base.Features | None = None,
  split: str,
  most: int,
  cache_dir=None,
  say: Callable = print,
) -> Reference:
  """A data set's samples, all or a fixed draw of them.

  Args:
    dataset: types.Dataset.
    features: the net that looks at them.
    split: what the record calls it.
    most: samples that are used at most.
    cache_dir: see store.cache_dir.
    say: called with a line of text before a look that takes time.
  """
  rows = content_lib.chosen(dataset, most)
  content = dataset.fingerprint or store.weights_hash(dataset.read(rows))
  digest = _identity(dataset, content, most)
  name = f'{dataset.name}/{split}'
  folder = store.cache_dir(cache_dir)
  look_at = lambda wants: _look_at(dataset, rows, wants, features)

  def see(wants):
    if not features or features.name in CHEAP or not wants <= set(SEEN):
      return look_at(wants)
    key = (digest, features.name, features.hash, features.resize, VERSION)
    path = folder / f'reference_{_digest(*key)}.npz'
    news = f'looking at {len(rows):,} samples of {name} through {features.name}'
    return _cached(path, look_at, wants, len(rows), lambda: say(news))

  return Reference(name, digest, tuple(dataset.shape), _once(see), rows)


def identify(dataset: Dataset, most: int) -> str:
  """The hash of `from_dataset`, of a data set with a fingerprint."""
  return _identity(dataset, dataset.fingerprint, most)


def _identity(dataset, content, most):
  parts = (content, dataset.shape, dataset.size, most)
  by_content = content_lib.chooses(dataset, most)
  return _digest(*parts, *(['by content'] if by_content else []))


def from_statistics(path, *, features: base.Features) -> Reference:
  """Published statistics: an .npz with `mu` [D] and `sigma` [D, D].

  Args:
    path: of the .npz.
    features: the net that the publisher says they were made with.

  Raises:
    UserError: the file is damaged or holds something else.
  """
  mu, sigma = _read_statistics(path)
  try:
    distance = fid.distance_to(mu, sigma)
  except UserError as e:
    raise UserError(f'{path}: {e}') from e

  def view(wants):
    if not wants <= {'moments'}:
      raise UserError(_too_little(path, wants))
    known = SampleStats(0, group=np.zeros(0, np.int8))
    known.statistics, known.distance = (mu, sigma), distance
    return known

  digest = store.weights_hash({'mu': mu, 'sigma': sigma})
  return Reference(str(path).rpartition('/')[2], digest, (), view)


def _too_little(path, wants):
  both = npz_data.holds_samples(path)
  begin = (
    f'--statistics={path}: only a mean and a covariance are taken'
    if both
    else f'{path} holds only a mean and a covariance'
  )
  line = (
    f'{begin}, enough for fid and fd_infinity; the metrics also need'
    f' {", ".join(sorted(wants - {"moments"}))} of the real samples.'
  )
  if not both:
    return line
  return (
    f'{line} Those in the file count with evaluate --samples=FILE.npz'
    f' --data={path}, of samples from gan_jax.sample --out=FILE.npz.'
  )


def dimensions(path) -> int:
  """Of the features whose mean an .npz of statistics holds.

  Raises:
    UserError: the file is damaged.
  """
  return np.size(_read_statistics(path)[0])


def holds_statistics(path) -> bool:
  """Whether an .npz holds `mu` and `sigma`, with samples or without."""
  try:
    return {'mu', 'sigma'} <= set(npz.names(path))
  except store.DAMAGED:
    return False


def _read_statistics(path):
  try:
    arrays = npz.read(path, ('mu', 'sigma'))
    return [_real(arrays[k], k) for k in ('mu', 'sigma')]
  except store.DAMAGED as e:
    reason = str(e).partition('\n')[0]
    raise UserError(
      f'{path}: expected an .npz with mu and sigma ({reason}).'
    ) from e


def _real(x, name):
  if x.dtype.kind not in 'fiu':
    raise ValueError(f'`{name}` is {x.dtype}')
  return np.asarray(x, np.float64)


def _digest(*parts):
  return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _once(see):
  """Looks again only if more is wanted than was before."""
  seen = {}

  def view(wants):
    if not wants <= seen.get('wants', frozenset()) or 'view' not in seen:
      wants = wants | seen.get('wants', frozenset())
      seen.update(view=see(wants), wants=wants)
    return seen['view']

  return view


def _cached(path, look_at, wants, count, announce):
  """What a file holds of `count` samples, or what `look_at` gives, kept."""
  arrays = store.read_arrays(path) or {}
  if 'position' in arrays and wants <= _fields(arrays):
    return _from_arrays(arrays, wants, count)
  announce()
  # With what the file held already, or two users would take turns rewriting it.
  view = look_at(wants | (_fields(arrays) - {'position'}))
  _write(path, view)
  return view


def _look_at(dataset, rows, wants, features):
  collector = Collector(len(rows), wants=wants, features=features, groups=1)
  for batch in batches(dataset, rows):
    collector.add(batch['x'], batch.get('label'))
  return collector.view()


def batches(dataset: Dataset, rows, *, size: int = BATCH) -> Iterator[dict]:
  """Yields some rows [N] as metrics take them, at most `size` at a time."""
  to_metrics = kinds.of(dataset).to_metrics
  for start in range(0, len(rows), size):
    batch = dataset.read(rows[start : start + size])
    yield {**batch, 'x': to_metrics(batch['x'], dataset=dataset)}


def _fields(kept):
  """The fields of a view that are among kept arrays."""
  return {name.partition('/')[0] for name in kept}


def _from_arrays(kept, wants, count):
  """The view that `_write` kept."""
  arrays = {k: kept[k] for k in ('features', 'probabilities') if k in wants}
  moments = {
    k: (_moments(**{n: kept[f'{k}/{n}'] for n in PARTS}),)
    for k in ('moments', 'spatial')
    if k in wants
  }
  return SampleStats(
    count,
    group=np.zeros(count, np.int8),
    position=kept['position'],
    **moments,
    **arrays,
  )


def _moments(count, mean, scatter):
  moments = fid.Moments()
  moments.count, moments.mean, moments.scatter = int(count), mean, scatter
  return moments


def _write(path, view):
  arrays = {
    k: x
    for k in ('features', 'probabilities', 'position')
    if (x := getattr(view, k)) is not None
  }
  if sum(x.nbytes for x in arrays.values()) <= MAX_KEPT:
    store.write_arrays(path, arrays | _parts_of_moments(view))


def _parts_of_moments(view):
  return {
    f'{kind}/{part}': getattr(moments, part)
    for kind in ('moments', 'spatial')
    for moments in getattr(view, kind)
    for part in PARTS
  }
