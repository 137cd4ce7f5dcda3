"""A NumPy .npz file of images or points, with or without labels."""

import builtins
import contextlib
import os
import pathlib
from typing import Any

import numpy as np

from gan_jax.data import (
  archive_labels,
  archive_samples,
  images,
  memory,
  ranges,
)
from gan_jax.data.archive_labels import ATTRIBUTES_KEY, NAMES_KEY
from gan_jax.storage import npz, npz_rows, paths
from gan_jax.types import Dataset, UserError

X_KEYS = ('x', 'samples', 'images', 'image', 'data', 'arr_0')
LABEL_KEYS = ('label', 'labels', 'y', 'arr_1')
RANGE_KEY, LETTERS_KEY = 'range', 'alphabet'
# What a sample of so many axes is.
KINDS = {1: 'point', 2: 'series', 3: 'image'}


def load(
  *,
  path: str = '',
  image_size: int = 0,
  channels: int = 0,
  range: str | tuple = '',
  shape: tuple[int, ...] = (),
  classes: int = 0,
  memory_mb: float = 1024,
) -> Dataset:
  """Loads an .npz with the arrays `x` and, if there are labels, `label`.

  Args:
    path: the file. `x`, or `samples`, `images`, `image`, `data`, `arr_0`, holds
      images [N, H, W, C] or [N, H, W], integers 0 ... 255, floats in [-1, 1]
      or black and white as False and True; or points [N, 2]. `label`, or
      `labels`, `y`, `arr_1`, holds integers or strings [N]. `class_names` [C]
      says what the numbers mean: label k is class_names[k]. Without it the
      labels are the names themselves and classes are numbered in natural order,
      2 before 10. Or it holds vectors [N, C], numbers that the networks are
      given as they are, and `attributes` [C] may name these.
    image_size: side of the images, 0 = as they are.
    channels: 1 or 3, with opacity 2 or 4, 0 = as they are.
    range: the lowest and the highest value that images may have, 0,1 or 0,4095,
      where it is another one or they hardly use it, see data/ranges. The file
      may say it itself, in an array `range`.
    shape: of a sample, that is expected, () = any; see also `describe`.
    classes: how many are expected, 0 = any.
    memory_mb: the most that the samples may take; above it they are read from
      the file as they are needed, and what is packed (savez_compressed) is
      unpacked in the cache folder for as long. What lies columns first is
      always read as a whole.

  Raises:
    UserError: no such file, an array of another shape or range, or one whose
      range is in doubt.
  """
  images.check_options(image_size=image_size, channels=channels, opacity=True)
  limits = ranges.parse(range)
  arrays, rows = _opened(path)
  limits = limits or _own_range(arrays, rows, path)
  fit = {'image_size': image_size, 'channels': channels}
  with _reading(path):
    x = archive_samples.read(
      rows, path, limits=limits, most=memory_mb * 2**20, **fit
    )
  label, meaning = archive_labels.read(
    _first(arrays, LABEL_KEYS), arrays, len(x), path
  )
  dataset = memory.from_arrays(
    pathlib.Path(path).stem,
    'image' if len(x.shape) == 4 else 'point',
    x,
    label,
    **meaning,
  )
  _check_expected(dataset, path, shape, classes)
  return dataset._replace(any_order=True)


def describe(
  *,
  path: str = '',
  image_size: int = 0,
  channels: int = 0,
  range: str | tuple = '',
  shape: tuple[int, ...] = (),
  classes: int = 0,
) -> Dataset:
  """What `load` gives, without a file if the shape is told."""
  if path or not shape:
    own = {'image_size': image_size, 'channels': channels, 'range': range}
    own |= {'shape': shape, 'classes': classes}
    return load(path=path, memory_mb=0, **own)
  names = tuple(map(str, builtins.range(classes)))
  made = described('npz', tuple(shape), flag='data.shape')
  return made._replace(class_names=names)


def described(name: str, shape: tuple[int, ...], *, flag: str) -> Dataset:
  """A data set of which only the shape of a sample is known.

  Raises:
    UserError: no sample has that shape.
  """
  if len(shape) not in KINDS or min(shape) < 1:
    raise UserError(
      f'{flag}={",".join(map(str, shape))}: expected H,W,C of a picture, T,C of'
      ' a series or D of a point, each at least 1.'
    )
  return memory.described(name, KINDS[len(shape)], shape, 0)


def _check_expected(dataset, path, shape, classes):
  if shape and tuple(shape) != dataset.shape:
    raise UserError(
      f'data.path={path}: expected samples {list(shape)} (data.shape), there'
      f' are {list(dataset.shape)}.'
    )
  if classes not in (0, there := len(dataset.class_names)):
    raise UserError(
      f'data.path={path}: expected {classes} classes (data.classes), there are'
      f' {there}.'
    )


def beside(dataset: Dataset, labels: Any = None) -> dict[str, Any]:
  """What makes an .npz of samples in model range say what they are.

  Args:
    dataset: of the same kind and classes.
    labels: [N] of the samples, or vectors [N, C]; or None.

  Returns:
    arrays to be saved beside them, which `load` understands.
  """
  arrays = {}
  if labels is not None:
    key = ATTRIBUTES_KEY if np.ndim(labels) == 2 else NAMES_KEY
    arrays |= {'labels': labels, key: np.array(getattr(dataset, key))}
  if dataset.kind == 'image':
    arrays[RANGE_KEY] = np.array(ranges.MODEL, np.float32)
  if dataset.kind == 'text' and 'alphabet' in (dataset.about or {}):
    arrays[LETTERS_KEY] = np.array(list(dataset.about['alphabet']))
  return arrays


def letters(path: str) -> list[str]:
  """The texts of a file, which says what its numbers mean; see beside.

  Args:
    path: an .npz with `samples` [N, T, V], as `python -m gan_jax.sample` writes
      texts, and their `alphabet` [V].

  Returns:
    N texts of T characters, at each place the most probable one.

  Raises:
    UserError: no such file, no alphabet, or one that does not fit.
  """
  arrays, rows = _opened(path)
  own = arrays.get(LETTERS_KEY)
  if own is None:
    raise UserError(
      f'data.path={path}: for texts, expected an array `{LETTERS_KEY}` [V],'
      ' the characters that its numbers stand for; a .txt needs none.'
    )
  single = own.dtype == '<U1' and own.ndim == 1 and all(own)
  floats = rows.dtype.kind == 'f' and len(rows.shape) == 3 and all(rows.shape)
  if not single or not floats or len(own) != rows.shape[2]:
    raise UserError(
      f'data.path={path}: expected texts [N, T, V] of floats, and of single'
      f' characters `{LETTERS_KEY}` [V], got {rows.dtype}'
      f' {list(rows.shape)} and'
      f' {own.dtype} {list(own.shape)}.'
    )
  texts = []
  with _reading(path):
    for x in rows.blocks():
      if not np.isfinite(x).all():
        raise UserError(
          f'data.path={path}: `x` has values that are not finite.'
        )
      texts += [''.join(row) for row in own[x.argmax(-1)].tolist()]
  return texts


def _own_range(arrays, rows, path):
  """What the file says of the range of its images; None if it does not."""
  own = arrays.get(RANGE_KEY)
  if own is None or len(rows.shape) == 2:
    return None
  try:
    return ranges.parse(own.tolist())
  except UserError as e:
    raise UserError(
      f'data.path={path}: expected its array `range` to be two numbers, the'
      ' lowest and the highest value.'
    ) from e


def holds_samples(path) -> bool:
  """Whether a file, intact or not, has an array that may be samples."""
  try:
    return bool(set(npz.names(path)) & set(X_KEYS))
  except npz.DAMAGED:
    return False


def holds_texts(path) -> bool:
  """Whether a file, intact or not, has an alphabet beside its samples."""
  try:  # a pipe would block
    return os.path.isfile(path) and LETTERS_KEY in npz.names(path)
  except npz.DAMAGED:
    return False


def declares(path) -> bool:
  """Whether a file, intact or not, says what the numbers of its labels mean."""
  try:
    return NAMES_KEY in npz.names(path)
  except npz.DAMAGED:
    return False


@contextlib.contextmanager
def _reading(path):
  """Tells of a damaged file in a line."""
  try:
    yield
  except UserError:
    raise
  except npz.DAMAGED as e:
    raise UserError(f'data.path={path}: not an .npz file ({e}).') from e


def _opened(path):
  """(the arrays beside the samples, the samples' rows)."""
  if not path:
    raise UserError('data.path: expected an .npz file.')
  file = str(paths.expand(path))
  if not os.path.exists(file):
    raise UserError(f'data.path={path}: there is no such file.')
  if not os.path.isfile(file):
    raise UserError(f'data.path={path}: expected an .npz file.')
  with _reading(path):
    there = npz.names(file)
    name = _name(there, X_KEYS)
    wanted = {_name(there, LABEL_KEYS), NAMES_KEY, ATTRIBUTES_KEY}
    arrays = npz.read(file, wanted | {RANGE_KEY, LETTERS_KEY})
    if name:
      return arrays, npz_rows.find(file, name)
  half = {'mu', 'sigma'} & set(there)
  more = '; of statistics it takes `mu` and `sigma`' if half else ''
  raise UserError(
    f'data.path={path}: no array `x`; there are: {", ".join(there) or "none"}'
    f'{more}.'
  )


def _name(there, keys):
  return next((k for k in keys if k in there), None)


def _first(arrays, keys):
  return next((arrays[k] for k in keys if k in arrays), None)
