"""Series of one's own: a .csv, a row for each moment, or an .npz."""

import pathlib

import numpy as np

from gan_jax.data import archive_labels, conditions, names, tables, windows
from gan_jax.storage import npz, paths
from gan_jax.types import Dataset, UserError

# Columns of the .csv files that `python -m gan_jax.sample` writes.
SERIES, TIME, CLASS = 'series', 'time', 'class'
X_KEYS = ('x', 'samples', 'data', 'arr_0')


def load(
  *,
  path: str = '',
  split: str = 'train',
  length: int = 0,
  stride: int = 1,
  columns: str | tuple = '',
  returns: bool = False,
  test: float = 0.2,
  scale: str = 'range',
) -> Dataset:
  """Cuts windows from the series of a file.

  A .csv has a row for each moment and a column for each quantity; where columns
  are called `series` and `time` they say which of many series a row belongs to,
  and `class` of which class that is, as in the files that sampling writes. An
  .npz holds `x` [T, C], or [T], one long series, or [N, T, C] with, if there
  are classes, `label` [N]; and the names of the `columns` [C]. Vectors [N, K]
  in place of classes are as in datasets/npz.

  The last part of a long series is the test split; of many, some of them are.
  No window lies across the two, and the scale is that of the training part.

  Args:
    path: the file.
    split: 'train' or 'test'.
    length: moments of a window; 0 = whole series, where there are many.
    stride: moments from the beginning of a window to that of the next.
    columns: their names, close,volume; '' = all of them.
    returns: differences of the logarithms from one moment to the next, in
      place of the values, which must be above 0.
    test: share of the moments, or of the series, in the test split.
    scale: what is -1 and 1 in the networks: 'range', 'deviation' or 'none', see
      data.windows.dataset.

  Raises:
    UserError: what is wrong with the file, and in which line; an option out of
      range, a part shorter than a window.
  """
  if not path:
    raise UserError('data.path: expected a .csv or .npz file of series.')
  read = _from_npz if path.endswith('.npz') else _from_text
  series = read(path, _asked(columns))
  if returns:
    series = series._replace(x=[log_returns(x, series.where) for x in series.x])
  choice = windows.Choice(split, length, stride, test, scale)
  return windows.dataset(pathlib.Path(path).stem, 'series', series, choice)


def log_returns(x, where: str) -> np.ndarray:
  """[T, C] values -> [T - 1, C], how much their logarithms grow.

  Raises:
    UserError: a value that is not above 0.
  """
  if x.size and x.min() <= 0:
    raise UserError(
      f'{where}: data.returns: expected values above 0, the lowest is'
      f' {x.min():g}.'
    )
  return np.diff(np.log(x), axis=0)


def _asked(columns):
  """Names of columns; () for all."""
  parts = columns.split(',') if isinstance(columns, str) else columns
  return tuple(name for part in parts if (name := str(part).strip()))


def _chosen(asked, there, where):
  """Those that are asked for, if they are there."""
  for name in asked:
    if name not in there:
      raise UserError(
        f'{where}: data.columns: there is no {name!r}, but'
        f' {tables.listed(there)}.'
      )
  return asked or tuple(there)


def _from_text(path, asked):
  table = tables.read(path)
  own = {SERIES, TIME} <= {*table.columns}
  marks = {SERIES, TIME, CLASS} if own else set()
  there = [name for name in table.columns if name not in marks]
  chosen = _chosen(asked, there, table.where)
  if not chosen:
    raise UserError(f'{table.where}: there is no column of values.')
  x = table.numbers(chosen)
  if not own:
    return windows.Series([x], chosen, table.where)
  keys = table.numbers((SERIES, TIME))
  order = np.lexsort((keys[:, 1], keys[:, 0]))
  _, first = np.unique(keys[order, 0], return_index=True)
  series = np.split(x[order], first[1:])
  labels, class_names = _classes(table, order[first])
  return windows.Series(series, chosen, table.where, labels, class_names)


def _classes(table, rows):
  """(labels, names) by the class in the first row of each series."""
  if CLASS not in table.columns:
    return None, ()
  at = table.columns.index(CLASS)
  given = [names.tidy(table.rows[row][at]) for row in rows]
  class_names = names.in_order(given)
  return np.array([class_names.index(n) for n in given], np.int32), class_names


def _from_npz(path, asked):
  where = f'data.path={path}'
  arrays = _arrays(path, where)
  x, labels, columns = _take(arrays, where)
  if x.dtype.kind not in 'uif' or not 1 <= x.ndim <= 3 or not x.size:
    raise UserError(
      f'{where}: expected numbers [T], [T, C] or [N, T, C], got {x.dtype}'
      f' {list(x.shape)}.'
    )
  x = x.astype(np.float64)
  if not np.isfinite(x).all():
    raise UserError(f'{where}: `x` has values that are not finite.')
  x = x[:, None] if x.ndim == 1 else x
  usual = ['value'] if x.shape[-1] == 1 else range(1, x.shape[-1] + 1)
  there = tuple(map(str, usual if columns is None else columns.tolist()))
  if len(there) != x.shape[-1]:
    raise UserError(
      f'{where}: {len(there)} names of columns for {x.shape[-1]} columns.'
    )
  chosen = _chosen(asked, there, where)
  x = x[..., [there.index(name) for name in chosen]]
  if x.ndim == 2:
    return windows.Series([x], chosen, where)
  if conditions.are_vectors(labels):
    labels, meaning = archive_labels.read(labels, arrays, len(x), path)
    return windows.Series([*x], chosen, where, labels, **meaning)
  labels, class_names = _numbered(labels, len(x), where)
  return windows.Series([*x], chosen, where, labels, class_names)


def _arrays(path, where):
  """The arrays of a file that count, by their names."""
  file = paths.expand(path)
  if not file.exists():
    raise UserError(f'{where}: there is no such file.')
  try:
    also = {'label', 'labels', 'columns', archive_labels.ATTRIBUTES_KEY}
    return npz.read(str(file), {*X_KEYS, *also})
  except npz.DAMAGED as e:
    raise UserError(f'{where}: not an .npz file ({e}).') from e


def _take(arrays, where):
  """(x, labels or None, columns or None)."""
  x = next((arrays[key] for key in X_KEYS if key in arrays), None)
  if x is None:
    raise UserError(f'{where}: no array `x`.')
  labels = arrays.get('label', arrays.get('labels'))
  return x, labels, arrays.get('columns')


def _numbered(labels, size, where):
  """(labels [N] int32, names) of classes by number or name; (None, ())."""
  if labels is None:
    return None, ()
  if labels.shape != (size,) or labels.dtype.kind not in 'iuUS':
    raise UserError(
      f'{where}: expected {size} labels, numbers or names, got {labels.dtype}'
      f' {list(labels.shape)}.'
    )
  given = [names.tidy(v) for v in labels.tolist()]
  class_names = names.in_order(given)
  return np.array([class_names.index(n) for n in given], np.int32), class_names
