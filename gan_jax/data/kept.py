"""Decoded examples on disk, so that a picture is decoded once.

A file in $GAN_JAX_CACHE/examples (~/.cache/gan_jax/examples) for each data set,
filled as its examples are first read, in whatever order. Each has the sum of
its bytes: one that is not there, or damaged, or half written by another
process, is decoded. $GAN_JAX_KEEP_MB, 4096 unless it is set, is the most that
one data set may take there; 0 keeps nothing. What nobody has read for 30 days
is removed when another one is made.
"""

import contextlib
import importlib.metadata
import os
import pathlib
import shutil
import time
import weakref
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from gan_jax.data import fingerprint, news
from gan_jax.storage import paths
from gan_jax.types import UserError

FOLDER = 'examples'
FEWEST = 256  # examples; fewer are decoded as quickly
MOST_MB = 4096
TOLD_BYTES = 2**28  # of which a line tells
DAYS = 30


class Kept:
  """A file of examples that all have the same shapes.

  It holds the sums [N] uint32 and then the examples [N, bytes].
  """

  def __init__(
    self, path: pathlib.Path, size: int, like: dict[str, np.ndarray]
  ):
    """Opens the file, or makes it.

    Args:
      path: of the file.
      size: N, number of examples.
      like: one example [1, ...] by name.

    Raises:
      OSError: neither is possible.
    """
    self._form = {k: (v.shape[1:], v.dtype) for k, v in like.items()}
    self._ends = np.cumsum([v.nbytes for v in like.values()])
    self._bytes = int(self._ends[-1])
    self._data = 4 * size
    self._good = np.zeros(size, bool)  # those whose sum was right once
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    weakref.finalize(self, os.close, fd)
    self._fd = fd
    whole = self._data + size * self._bytes
    if os.fstat(fd).st_size != whole:
      os.truncate(fd, 0)
      os.truncate(fd, whole)  # takes room only where it is written to

  def read(self, rows: np.ndarray) -> tuple[dict, np.ndarray]:
    """({name: [n, ...]}, which of the rows [n] are there)."""
    raw = np.empty((len(rows), self._bytes), np.uint8)
    there = self._fill(raw, rows)
    for i in np.flatnonzero(there & ~self._good[rows]):
      own = os.pread(self._fd, 4, 4 * int(rows[i]))
      there[i] = own == _sum(raw[i])
    self._good[rows[there]] = True
    return self._parts(raw), there

  def _fill(self, raw, rows):
    """Reads neighbours together; which of them were there to be read."""
    there = np.ones(len(rows), bool)
    breaks = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
    for begin, end in zip(breaks[:-1], breaks[1:], strict=True):
      at = self._data + int(rows[begin]) * self._bytes
      got = os.preadv(self._fd, [raw[begin:end].reshape(-1)], at)
      there[begin + got // self._bytes : end] = False
    return there

  def _parts(self, raw):
    pieces = np.split(raw, self._ends[:-1], axis=1)
    return {
      name: np.ascontiguousarray(piece).view(dtype).reshape(-1, *shape)
      for piece, (name, (shape, dtype)) in zip(
        pieces, self._form.items(), strict=True
      )
    }

  def write(self, rows: np.ndarray, examples: dict[str, np.ndarray]):
    """Keeps examples [n, ...]; nothing where that is impossible."""
    flat = [examples[k].reshape(len(rows), -1) for k in self._form]
    parts = [np.ascontiguousarray(x).view(np.uint8) for x in flat]
    raw = np.concatenate(parts, axis=1)
    with contextlib.suppress(OSError):
      for row, one in zip(rows.tolist(), raw, strict=True):
        os.pwrite(self._fd, one, self._data + row * self._bytes)
        os.pwrite(self._fd, _sum(one), 4 * row)


def _sum(raw):
  # Not 0 for the zeros of a file that was never written to.
  return (zlib.crc32(raw) or 1).to_bytes(4, 'little')


def keep(
  read: Callable, size: int, nbytes: int, where: str, *identity: Any
) -> Callable:
  """A reader that decodes what it has not kept; or `read` itself.

  Args:
    read: rows [n] -> dict of arrays [n, ...], always alike.
    size: number of examples.
    nbytes: of all of them.
    where: what the data set is called in a line.
    *identity: all that decides the bytes, such as a fingerprint.
  """
  if size < FEWEST or not 0 < nbytes <= _most() * 2**20:
    return read
  kept = []

  def from_disk(rows):
    rows = np.asarray(rows)
    if not kept:  # now, as it takes an example to know the shapes
      kept.append(_opened(read, size, nbytes, where, identity))
    if kept[0] is None or not len(rows):
      return read(rows)
    examples, there = kept[0].read(rows)
    if not there.all():
      lacking = rows[~there]
      fresh = read(lacking)
      kept[0].write(lacking, fresh)
      for name, x in examples.items():
        x[~there] = fresh[name]
    return examples

  return from_disk


def _most():
  given = os.environ.get('GAN_JAX_KEEP_MB') or MOST_MB
  try:
    return float(given)
  except ValueError as e:
    raise UserError(f'GAN_JAX_KEEP_MB={given}: expected a number.') from e


def _opened(read, size, nbytes, where, identity):
  """The file of a data set; None where there can be none."""
  like = read(np.arange(1))
  form = [(k, v.shape, v.dtype.str) for k, v in sorted(like.items())]
  pillow = importlib.metadata.version('pillow')  # may decode otherwise
  name = fingerprint.digest(size, form, pillow, identity)
  folder = paths.cache_dir() / FOLDER
  path = folder / f'{name[:32]}.bin'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
      os.utime(path)
    elif shutil.disk_usage(folder).free < 2 * nbytes:
      return None
    else:
      _remove_old(folder)
      if nbytes >= TOLD_BYTES:
        news.tell(
          f'{where}: {nbytes / 2**30:,.1f} GB of decoded examples are kept in'
          f' {folder}; GAN_JAX_KEEP_MB=0 keeps none.'
        )
    return Kept(path, size, like)
  except OSError:
    return None


def _remove_old(folder):
  before = time.time() - DAYS * 24 * 3600
  for path in folder.glob('*.bin'):
    with contextlib.suppress(OSError):
      if path.stat().st_mtime < before:
        path.unlink()
