"""Data sets from arrays, which lie in memory or in a file."""

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gan_jax.data import blocks, classes, conditions, fingerprint
from gan_jax.data.blocks import OnDisk
from gan_jax.types import Dataset, UserError


def from_arrays(
  name: str, kind: str, x: np.ndarray | OnDisk, label: Any = None, **fields
) -> Dataset:
  """A data set from arrays.

  Args:
    name: shown to people.
    kind: a file of gan_jax/kinds, or the dotted name of a module.
    x: [N, ...], as the kind keeps its examples; in memory, or to be read as it
      is needed.
    label: [N] int, or None; with `attributes` vectors [N, C].
    **fields: of Dataset: class_names or attributes, modes, about; shape, where
      that of x is not the one in model range.

  Returns:
    the data set, with a fingerprint of the content.

  Raises:
    UserError: values that are not finite, vectors of another shape.
  """
  if x.dtype.kind == 'f' and not blocks.are_finite(x):
    raise UserError(f'data {name}: they hold NaN or infinity.')
  arrays = {'x': x}
  if label is not None and fields.get('attributes'):
    arrays['label'] = conditions.checked(label, len(x), f'data {name}')
  elif label is not None:
    arrays['label'] = np.asarray(label, np.int32)
  names = fields.get('class_names', ()) if label is not None else ()
  labels = lambda rows: arrays['label'][rows]
  return Dataset(
    name=name,
    kind=kind,
    size=len(x),
    read=lambda rows: {k: _taken(v, rows) for k, v in arrays.items()},
    nbytes=x.nbytes,
    fingerprint=fingerprint.digest(arrays, fields),
    count_classes=classes.counter(labels, len(x), len(names)),
    read_labels=labels if label is not None else None,
    **{'shape': x.shape[1:]} | fields,
  )


def described(
  name: str, kind: str, shape: tuple[int, ...], size: int, **fields
) -> Dataset:
  """A data set without its examples: what a file's `describe` gives.

  Args:
    name: shown to people.
    kind: as of from_arrays.
    shape: of one sample in model range.
    size: examples; 0 where only the files know how many.
    **fields: of Dataset: class_names, attributes, about; item, bytes of a
      value.
  """
  item = fields.pop('item', 4)
  nbytes = item * size * math.prod(shape)
  return Dataset(name, kind, shape, size, _unread, nbytes, **fields)


def _unread(rows):
  raise UserError(f'{len(rows)} examples are asked for, of a description.')


def remember(read: Callable, size: int, *, chunk: int = 1024) -> Callable:
  """A reader that reads everything at the first call, and keeps it.

  Args:
    read: rows [n] -> dict of arrays [n, ...].
    size: number of rows.
    chunk: rows read at a time, so that encoded bytes do not pile up.
  """
  kept, lock = {}, threading.Lock()

  def from_memory(rows):
    with lock:
      if not kept:
        kept.update(_read_all(read, size, chunk))
    return {k: _taken(v, rows) for k, v in kept.items()}

  return from_memory


def _taken(x, rows):
  """The rows [n] of an array: all of them as they lie, not to be written to."""
  every = isinstance(x, np.ndarray) and len(rows) == len(x)
  if not every or not np.array_equal(rows, np.arange(len(x))):
    return x[rows]
  x = x.view()
  x.flags.writeable = False
  return x


def _read_all(read, size, chunk):
  arrays = {}
  for start in range(0, size, chunk):
    rows = np.arange(start, min(start + chunk, size))
    for k, part in read(rows).items():
      if k not in arrays:
        arrays[k] = np.empty((size, *part.shape[1:]), part.dtype)
      arrays[k][start : start + len(part)] = part
  return arrays
