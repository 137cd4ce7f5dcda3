"""A NumPy .npz file of images or points, with or without labels."""

import builtins
import os
import pathlib
from typing import Any

import numpy as np

from gan_jax.data import archive_labels, images, memory, ranges
from gan_jax.data.archive_labels import ATTRIBUTES_KEY, NAMES_KEY
from gan_jax.storage import npz, paths
from gan_jax.types import Dataset, UserError

X_KEYS = ('x', 'samples', 'images', 'image', 'data', 'arr_0')
LABEL_KEYS = ('label', 'labels', 'y', 'arr_1')
RANGE_KEY, LETTERS_KEY = 'range', 'alphabet'
# What a sample of so many axes is.
KINDS = {1: 'point', 2: 'series', 3: 'image'}
_LARGEST = np.finfo(np.float32).max


def load(
  *,
  path: str = '',
  image_size: int = 0,
  channels: int = 0,
  range: str | tuple = '',
  shape: tuple[int, ...] = (),
  classes: int = 0,
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

  Raises:
    UserError: no such file, an array of another shape or range, or one whose
      range is in doubt.
  """
  images.check_options(image_size=image_size, channels=channels, opacity=True)
  limits = ranges.parse(range)
  arrays = _read(path)
  limits = limits or _own_range(arrays, path)
  x = _first(arrays, X_KEYS)
  x = _samples(x, path, limits)
  if x.ndim == 4:
    fit = {'image_size': image_size, 'channels': channels}
    x = np.stack([images.fit(i, **fit) for i in x])
  label, meaning = archive_labels.read(
    _first(arrays, LABEL_KEYS), arrays, len(x), path
  )
  dataset = memory.from_arrays(
    pathlib.Path(path).stem,
    'image' if x.ndim == 4 else 'point',
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
    return load(path=path, shape=shape, classes=classes, **own)
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
  arrays = _read(path)
  x, own = _first(arrays, X_KEYS), arrays.get(LETTERS_KEY)
  if own is None:
    raise UserError(
      f'data.path={path}: for texts, expected an array `{LETTERS_KEY}` [V],'
      ' the characters that its numbers stand for; a .txt needs none.'
    )
  single = own.dtype == '<U1' and own.ndim == 1 and all(own)
  floats = x.dtype.kind == 'f' and x.ndim == 3 and x.size
  if not single or not floats or len(own) != x.shape[2]:
    raise UserError(
      f'data.path={path}: expected texts [N, T, V] of floats, and of single'
      f' characters `{LETTERS_KEY}` [V], got {x.dtype} {list(x.shape)} and'
      f' {own.dtype} {list(own.shape)}.'
    )
  if not np.isfinite(x).all():
    raise UserError(f'data.path={path}: `x` has values that are not finite.')
  return [''.join(row) for row in own[x.argmax(-1)].tolist()]


def _own_range(arrays, path):
  """What the file says of the range of its images; None if it does not."""
  own = arrays.get(RANGE_KEY)
  if own is None or _first(arrays, X_KEYS).ndim == 2:
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


def _read(path):
  if not path:
    raise UserError('data.path: expected an .npz file.')
  file = str(paths.expand(path))
  if not os.path.exists(file):
    raise UserError(f'data.path={path}: there is no such file.')
  if not os.path.isfile(file):
    raise UserError(f'data.path={path}: expected an .npz file.')
  try:
    there = npz.names(file)
    wanted = {_name(there, X_KEYS), _name(there, LABEL_KEYS)}
    wanted |= {NAMES_KEY, ATTRIBUTES_KEY, RANGE_KEY, LETTERS_KEY}
    arrays = npz.read(file, wanted)
  except npz.DAMAGED as e:
    raise UserError(f'data.path={path}: not an .npz file ({e}).') from e
  if not set(arrays) & set(X_KEYS):
    half = {'mu', 'sigma'} & set(there)
    more = '; of statistics it takes `mu` and `sigma`' if half else ''
    raise UserError(
      f'data.path={path}: no array `x`; there are: {", ".join(there) or "none"}'
      f'{more}.'
    )
  return arrays


def _name(there, keys):
  return next((k for k in keys if k in there), None)


def _first(arrays, keys):
  return next((arrays[k] for k in keys if k in arrays), None)


def _samples(x, path, limits):
  """[N, H, W, C] uint8 or float32 images, or [N, 2] float32 points."""
  if x.dtype.kind not in 'uifb' or x.ndim not in (2, 3, 4) or not x.size:
    raise UserError(
      f'data.path={path}: expected images [N, H, W, C] or [N, H, W], or points'
      f' [N, 2], got {x.dtype} {list(x.shape)}.'
    )
  if not (-_LARGEST <= x.min() and x.max() <= _LARGEST):  # also catches NaN
    raise UserError(f'data.path={path}: `x` has values that are not finite.')
  return _points(x, path, limits) if x.ndim == 2 else _images(x, path, limits)


def _images(x, path, limits):
  x = x[..., None] if x.ndim == 3 else x
  if x.shape[-1] not in (1, 2, 3, 4):
    raise UserError(
      f'data.path={path}: expected [N, H, W, C] with C = 1 ... 4, got'
      f' {list(x.shape)}.'
    )
  if x.dtype.kind == 'b':
    return np.where(x, *np.array([255, 0], np.uint8))
  whole = x.dtype.kind in 'ui'
  if limits:
    ranges.check_inside(x, limits)
    levels = whole and tuple(limits) == ranges.LEVELS
    return x.astype(np.uint8) if levels else ranges.to_model(x, limits)
  _check_range(x, path, whole=whole)
  return x.astype(np.uint8 if whole else np.float32)


def _check_range(x, path, *, whole):
  low, high = x.min(), x.max()
  least, most = ranges.LEVELS if whole else ranges.MODEL
  if low < least or high > most:
    raise UserError(
      f'data.path={path}: expected {x.dtype} images in [{least}, {most}], they'
      f' are in {ranges.span(low, high, (least, most))}; data.range=LOW,HIGH'
      ' says which values there may be.'
    )
  if whole:
    ranges.judge_whole(int(high), most, f'data.path={path}')
  else:
    ranges.judge_floats(low, high, f'data.path={path}')


def _points(x, path, limits):
  if limits:
    raise UserError(f'data.range: {path} holds points, which have no range.')
  if x.shape[-1] != 2:
    raise UserError(
      f'data.path={path}: expected points [N, 2], got {list(x.shape)}.'
    )
  return x.astype(np.float32)
