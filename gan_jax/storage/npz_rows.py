"""Rows of one array of an .npz, without holding all of them.

What `np.savez` stores is read in place, row by row. What `savez_compressed`
packs can be read from its beginning only, block by block; so can an array that
lies columns first, which is read as a whole.
"""

import functools
import math
import mmap
import os
import pathlib
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gan_jax.storage import npz
from gan_jax.types import UserError

BLOCK = 2**20  # bytes that are read at a time


class Rows(NamedTuple):
  """An array [N, ...] that lies in a file.

  shape, dtype: of all of it.
  blocks: () -> its rows in order, [n, ...] at a time; raises one of
    npz.DAMAGED where they are damaged.
  read: rows [n] -> [n, ...]; None where there are only blocks.
  """

  shape: tuple[int, ...]
  dtype: np.dtype
  blocks: Callable[[], Iterator[np.ndarray]]
  read: Callable | None

  @property
  def nbytes(self) -> int:
    """Bytes of all rows."""
    return math.prod(self.shape) * self.dtype.itemsize


class _File:
  """A file descriptor, closed when nobody has it any more."""

  def __init__(self, fd):
    self.fd, self._first = fd, _stamp(os.fstat(fd))
    weakref.finalize(self, os.close, fd)

  @functools.cached_property
  def content(self) -> mmap.mmap:
    """All bytes, read where they are looked at."""
    content = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, 'MADV_RANDOM'):  # rows, not what lies beside them
      content.madvise(mmap.MADV_RANDOM)
    return content

  def check(self, path):
    """Raises UserError where the file has been written to since."""
    if _stamp(os.fstat(self.fd)) != self._first:
      raise UserError(f'{path}: it has been changed while it was read.')


def _stamp(stat):
  return stat.st_ino, stat.st_size, stat.st_mtime_ns


def find(path, name: str) -> Rows:
  """The rows of an array of an .npz, of which only the header is read.

  Args:
    path: of the .npz.
    name: of an array that is in it.

  Raises:
    one of npz.DAMAGED: it is not such an archive, or not such an array.
  """
  file = _File(os.open(path, os.O_RDONLY))
  with open(path, 'rb') as f, zipfile.ZipFile(f) as archive:
    one = npz.members(archive)[name]
    form = npz.form(archive, one)
    start = _start(f, one) + form.start
  blocks = lambda: _blocks(path, name, form, file)
  in_place = one.compress_type == zipfile.ZIP_STORED and not form.fortran
  if not in_place or not form.shape:
    return Rows(form.shape, form.dtype, blocks, None)
  read = lambda rows: _read(file, path, start, form, rows)
  return Rows(form.shape, form.dtype, blocks, read)


def _start(f, one):
  """Where the content of a stored member begins in its archive."""
  f.seek(one.header_offset + 26)
  lengths = np.frombuffer(f.read(4), '<u2')  # of its name, of its extra field
  return one.header_offset + 30 + int(lengths.sum())


def _blocks(path, name, form, file):
  file.check(path)
  with open(path, 'rb') as f, zipfile.ZipFile(f) as archive:
    one = npz.members(archive)[name]
    if form.fortran:
      yield npz.array(archive, one)
      return
    with archive.open(one) as member:
      member.read(form.start)
      yield from _in_order(member, form)


def _in_order(member, form):
  """Blocks of a stream; zipfile compares its sum at the end."""
  size, *rest = form.shape
  row = math.prod(rest) * form.dtype.itemsize
  most = max(1, BLOCK // max(row, 1))
  for at in range(0, size, most):
    block = np.empty((min(most, size - at), *rest), form.dtype)
    view = _bytes_of(block)
    done = 0
    while done < len(view):
      got = member.readinto(view[done:])
      if not got:
        raise EOFError(f'{member.name!r} ends too early')
      done += got
    yield block
  member.read(1)  # the end, where the sum is compared


def _bytes_of(block):
  """A writable view of an array's bytes."""
  return memoryview(block.reshape(-1).view(np.uint8))


def _read(file, path, start, form, rows):
  rows = np.asarray(rows)
  if not rows.size:
    return np.empty((0, *form.shape[1:]), form.dtype)
  if not 0 <= rows.min() <= rows.max() < form.shape[0]:
    raise IndexError(f'rows of {form.shape[0]}: {rows.min()} to {rows.max()}')
  file.check(path)  # before: what is cut off cannot be looked at
  count = math.prod(form.shape)
  flat = np.frombuffer(file.content, form.dtype, count, start)
  out = flat.reshape(form.shape)[rows]
  file.check(path)
  return out


def unpack(rows: Rows, folder, what: str) -> Rows:
  """The same rows in a file without a name, which ends with the process.

  Args:
    rows: that can be read in blocks only.
    folder: on a disk; it is made if there is none.
    what: what they are, in words.

  Raises:
    UserError: the disk has no room for them.
    one of npz.DAMAGED: they are damaged.
  """
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  free = shutil.disk_usage(folder).free
  if rows.nbytes > free:
    raise UserError(
      f'{what}: {rows.nbytes / 2**30:,.1f} GB are needed in {folder}, which has'
      f' {free / 2**30:,.1f} GB.'
    )
  with tempfile.TemporaryFile(dir=folder) as f:
    for block in rows.blocks():
      f.write(_bytes_of(np.ascontiguousarray(block)))
    f.flush()
    file = _File(os.dup(f.fileno()))
  form = npz.Form(rows.shape, False, rows.dtype, 0)
  every = lambda: _every(file, what, form)
  return Rows(
    rows.shape,
    rows.dtype,
    every,
    lambda chosen: _read(file, what, 0, form, chosen),
  )


def _every(file, what, form):
  """All rows in order, some at a time."""
  row = math.prod(form.shape[1:]) * form.dtype.itemsize
  most = max(1, BLOCK // max(row, 1))
  for at in range(0, form.shape[0], most):
    rows = np.arange(at, min(at + most, form.shape[0]))
    yield _read(file, what, 0, form, rows)
