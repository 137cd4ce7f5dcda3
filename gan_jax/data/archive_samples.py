"""What an .npz's array of samples becomes, a block at a time.

In memory it takes the bytes of the result and those of a block; on disk those
of a block.
"""

import functools
from typing import Any

import numpy as np

from gan_jax.data import images, news, ranges
from gan_jax.data.blocks import OnDisk
from gan_jax.storage import memory, npz_rows, paths
from gan_jax.storage.npz_rows import Rows
from gan_jax.types import UserError

_LARGEST = np.finfo(np.float32).max


def read(
  rows: Rows,
  path: str,
  *,
  limits: tuple[float, float] | None,
  image_size: int,
  channels: int,
  most: float,
) -> np.ndarray | OnDisk:
  """Images [N, H, W, C] uint8 or float32, or points [N, 2] float32.

  Args:
    rows: the array.
    path: of the file, for errors.
    limits: the range of images, where it was given.
    image_size: of the result, 0 = as it is.
    channels: of the result, 0 = as it is.
    most: bytes that the result may take in memory; what is larger stays on
      disk, and what is packed as well is unpacked there.

  Raises:
    UserError: an array of another shape, type or range.
    one of npz.DAMAGED: it cannot be read.
  """
  _check_form(rows, path, limits)
  fit = {'image_size': image_size, 'channels': channels}
  prepare = functools.partial(_prepared, limits=limits, **fit)
  one = prepare(np.zeros((1, *rows.shape[1:]), rows.dtype))
  made = OnDisk(
    (rows.shape[0], *one.shape[1:]),
    one.dtype,
    lambda chosen: prepare(rows.read(chosen)),
    lambda: map(prepare, rows.blocks()),
  )
  if made.nbytes > most and rows.read is None:
    rows = _unpacked(rows, path)
  kept = None
  if made.nbytes <= most:
    memory.check_memory(made.nbytes, f'data.path={path}: its samples')
    kept = np.empty(made.shape, made.dtype)
  _judge(_extent(rows, prepare, kept), path, limits, images=len(rows.shape) > 2)
  return made if kept is None else kept


def _check_form(rows, path, limits):
  shape, dtype = rows.shape, rows.dtype
  right = dtype.kind in 'uifb' and len(shape) in (2, 3, 4)
  if not right or not all(shape):
    raise UserError(
      f'data.path={path}: expected images [N, H, W, C] or [N, H, W], or points'
      f' [N, 2], got {dtype} {list(shape)}.'
    )
  if len(shape) == 4 and shape[-1] not in (1, 2, 3, 4):
    raise UserError(
      f'data.path={path}: expected [N, H, W, C] with C = 1 ... 4, got'
      f' {list(shape)}.'
    )
  if len(shape) == 2 and limits:
    raise UserError(f'data.range: {path} holds points, which have no range.')
  if len(shape) == 2 and shape[1] != 2:
    raise UserError(
      f'data.path={path}: expected points [N, 2], got {list(shape)}.'
    )


def _unpacked(rows, path):
  folder = paths.cache_dir() / 'unpacked'
  news.tell(
    f'{path}: {rows.nbytes / 2**30:,.1f} GB of packed samples are unpacked in'
    f' {folder} for as long as they are read; what np.savez writes is read in'
    ' place.'
  )
  return npz_rows.unpack(rows, folder, f'data.path={path}')


def _prepared(x, *, limits, image_size, channels):
  """A block [n, ...] as it is given to the kind."""
  with np.errstate(all='ignore'):  # what is not finite is refused by its extent
    if x.ndim == 2:
      return x.astype(np.float32)
    x = _pictures(x[..., None] if x.ndim == 3 else x, limits)
  if not image_size and channels in (0, x.shape[-1]):
    return x
  fit = {'image_size': image_size, 'channels': channels}
  return np.stack([images.fit(i, **fit) for i in x])


def _pictures(x, limits):
  """[n, H, W, C] uint8 or float32."""
  if x.dtype.kind == 'b':
    return np.where(x, *np.array([255, 0], np.uint8))
  whole = x.dtype.kind in 'ui'
  if limits and not (whole and tuple(limits) == ranges.LEVELS):
    return ranges.to_model(x, limits)
  return x.astype(np.uint8 if whole else np.float32, copy=False)


def _extent(rows, prepare, kept):
  """The lowest and the highest value [2] of all rows, NaN if there is any.

  Args:
    rows: the array.
    prepare: see _prepared.
    kept: filled with what is prepared; None if nothing is kept.
  """
  low = high = None
  at = 0
  for block in rows.blocks():
    least, most = block.min(), block.max()
    low = least if low is None else np.minimum(low, least)
    high = most if high is None else np.maximum(high, most)
    if kept is not None:
      kept[at : at + len(block)] = prepare(block)
    at += len(block)
  return np.array([low, high], rows.dtype.newbyteorder('='))


def _judge(extent: Any, path, limits, *, images):
  """Refuses values that are not finite, or outside of their range."""
  low, high = extent
  if not (-_LARGEST <= low and high <= _LARGEST):  # also catches NaN
    raise UserError(f'data.path={path}: `x` has values that are not finite.')
  if extent.dtype.kind == 'b' or not images:
    return
  if limits:
    ranges.check_inside(extent, limits)
    return
  whole = extent.dtype.kind in 'ui'
  least, most = ranges.LEVELS if whole else ranges.MODEL
  if low < least or high > most:
    raise UserError(
      f'data.path={path}: expected {extent.dtype} images in [{least}, {most}],'
      f' they are in {ranges.span(low, high, (least, most))};'
      ' data.range=LOW,HIGH says which values there may be.'
    )
  if whole:
    ranges.judge_whole(int(high), most, f'data.path={path}')
  else:
    ranges.judge_floats(low, high, f'data.path={path}')
