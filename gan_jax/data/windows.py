"""Windows of long series: split by time, scaled by the training part alone."""

import math
from typing import Any, NamedTuple

import numpy as np

from gan_jax import types
from gan_jax.components import options
from gan_jax.data import classes, fingerprint
from gan_jax.types import Dataset, UserError

SPLITS = ('train', 'test')
SCALES = ('range', 'deviation', 'none')
_SEED = 20140610  # of the choice of whole series; any number would do


class Series(NamedTuple):
  """What a source holds: one long series, or many."""

  x: list[np.ndarray]  # [T, C] each, float64 and finite
  columns: tuple[str, ...]
  where: str  # what an error begins with
  labels: np.ndarray | None = None  # [N], one for each series
  class_names: tuple[str, ...] = ()
  attributes: tuple[str, ...] = ()  # of labels [N, C] that are vectors


class Choice(NamedTuple):
  """What is made of them: options of a data set, all checked here."""

  split: str
  length: int
  stride: int
  test: float
  scale: str


def dataset(name: str, kind: str, series: Series, choice: Choice) -> Dataset:
  """The windows of one part of the series.

  Args:
    name: shown to people.
    kind: of such samples.
    series: whose last moments are the test part; of many series, some of them,
      drawn once and for all.
    choice: `length` moments in a window, 0 for whole series; `stride` from one
      to the next; `test`, the share of the test part; `scale`, what is -1 and 1
      in the networks: 'range', the lowest and highest value of each column;
      'deviation', its mean less and plus a deviation; 'none'. All of the
      training part alone, whichever part is asked for.

  Raises:
    UserError: an option out of range, a part shorter than a window, a column
      that never changes.
  """
  _check(choice)
  parts = {s: _part(series, choice, s) for s in SPLITS}
  length = _length(series, choice)
  about = _about(
    series, choice, [series.x[k][a:b] for k, a, b in parts['train']]
  )
  spans = parts[choice.split]
  for _, a, b in spans:
    if b - a < length:
      raise UserError(
        f'{series.where}: a series of the {choice.split} part has {b - a}'
        f' moments, fewer than a window of data.length={length}.'
      )
  starts = [
    (k, at)
    for k, a, b in spans
    for at in range(a, b - length + 1, choice.stride)
  ]
  made = _of_starts(series, np.array(starts), length, about)
  return Dataset(name, kind, **made)


def _of_starts(series, starts, length, about):
  """Fields of the data set of windows that begin at (series, moment) [N, 2]."""
  ends = np.cumsum([0, *map(len, series.x)])
  values = np.concatenate(series.x).astype(np.float32)  # [sum of T, C]
  first = ends[starts[:, 0]] + starts[:, 1]
  labels = None if series.labels is None else series.labels[starts[:, 0]]

  def read(rows):
    batch = {'x': values[first[rows][:, None] + np.arange(length)]}
    return batch if labels is None else batch | {'label': labels[rows]}

  shape = (length, values.shape[1])
  return dict(
    shape=shape,
    size=len(first),
    read=read,
    nbytes=4 * len(first) * math.prod(shape),
    class_names=series.class_names,
    attributes=series.attributes,
    fingerprint=fingerprint.digest(
      values, first, length, labels, about, *series.attributes
    ),
    about=about,
    count_classes=classes.counter(
      lambda rows: labels[rows], len(first), len(series.class_names)
    ),
    read_labels=None if labels is None else (lambda rows: labels[rows]),
    any_order=len(series.x) > 1,
  )


def _part(series, choice, split):
  """[(series, first moment, last moment + 1)] of a split."""
  test = choice.test
  if len(series.x) == 1:
    size = len(series.x[0])
    at = size - round(test * size)
    return [(0, 0, at) if split == 'train' else (0, at, size)]
  count = round(test * len(series.x))
  if not 0 < count < len(series.x):
    raise UserError(
      f'data.test={test}: {count} of {len(series.x)} series; expected at least'
      ' 1, and 1 to train on.'
    )
  order = np.random.default_rng(_SEED).permutation(len(series.x))
  own = order[count:] if split == 'train' else order[:count]
  return [(k, 0, len(series.x[k])) for k in np.sort(own).tolist()]


def _length(series, choice):
  """Of a window."""
  if choice.length:
    return choice.length
  lengths = sorted({len(x) for x in series.x})
  if len(series.x) > 1 and len(lengths) == 1:
    return lengths[0]
  what = (
    'one long series'
    if len(series.x) == 1
    else f'series of {lengths[0]} to {lengths[-1]} moments'
  )
  raise UserError(
    f'{series.where}: {what}; data.length=N cuts windows of N moments.'
  )


def _about(series, choice, trained):
  """Columns, and how they are scaled, from the training part."""
  about: dict[str, Any] = {'columns': list(series.columns)}
  if choice.scale == 'none':
    return about
  x = np.concatenate(trained)
  least, most = (x.min(axis=0), x.max(axis=0)) if len(x) else (x, x)
  for name, a, b in zip(series.columns, least, most, strict=False):
    if not a < b:
      raise UserError(
        f'{series.where}: column {name!r} is {a:g} throughout the training'
        ' part; data.scale=none takes it as it is.'
      )
  limits = least, most
  if choice.scale == 'deviation':
    limits = x.mean(axis=0) - x.std(axis=0), x.mean(axis=0) + x.std(axis=0)
    about |= {'least': least.tolist(), 'most': most.tolist()}
  return about | {'low': limits[0].tolist(), 'high': limits[1].tolist()}


def _check(choice):
  for name, there in (('split', SPLITS), ('scale', SCALES)):
    value = getattr(choice, name)
    if value not in there:
      raise UserError(f'data.{name}={value!r}: there are {", ".join(there)}.')
  most = types.MAX_SIZE
  options.whole_number('data.length', choice.length, least=0, most=most)
  options.whole_number('data.stride', choice.stride, least=1, most=most)
  if not 0 < choice.test < 1:
    raise UserError(f'data.test={choice.test}: expected a share below 1.')
