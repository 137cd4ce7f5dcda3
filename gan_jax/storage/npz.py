"""Arrays from an .npz of unknown origin.

NumPy trusts a file: it unpickles if asked to, and takes the memory that a
header asks for. Here sizes are compared with what the archive holds and with
this machine before anything is allocated, Python objects are never loaded, and
a member's name is never a path.
"""

import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from gan_jax.storage import memory

# All that reading raises for a file that is missing, truncated or overwritten.
DAMAGED = (
  OSError,
  ValueError,
  KeyError,
  EOFError,
  NotImplementedError,
  RuntimeError,
  SyntaxError,
  TypeError,
  OverflowError,
  MemoryError,
  UnicodeDecodeError,
  struct.error,
  zipfile.BadZipFile,
  zlib.error,
)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ELSEWHERE = re.compile(r'^([A-Za-z]:)?[\\/]|(^|[\\/])\.\.([\\/]|$)')
_HEADERS = {
  (1, 0): npy.read_array_header_1_0,
  (2, 0): npy.read_array_header_2_0,
}


class Form(NamedTuple):
  """What an array's header says, which is what its member holds."""

  shape: tuple[int, ...]
  fortran: bool  # columns first
  dtype: np.dtype
  start: int  # of its values within the member, in bytes

  @property
  def nbytes(self) -> int:
    """Bytes of its values."""
    return math.prod(self.shape) * self.dtype.itemsize


def names(path) -> list[str]:
  """Names of the arrays, without reading them.

  Raises:
    one of DAMAGED: it is not such an archive.
  """
  with open(path, 'rb') as f, zipfile.ZipFile(f) as archive:
    return list(members(archive))


def read(path, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
  """Arrays by name.

  Args:
    path: of the .npz.
    wanted: names of those to read, if they are there; None for all.

  Raises:
    one of DAMAGED: it is not such an archive, whatever is wrong with it.
  """
  with open(path, 'rb') as f, zipfile.ZipFile(f) as archive:
    chosen = {
      name: one
      for name, one in members(archive).items()
      if wanted is None or name in wanted
    }
    total = sum(form(archive, one).nbytes for one in chosen.values())
    # Twice, for the conversion after reading.
    memory.check_memory(2 * total, 'its arrays')
    return {name: array(archive, one) for name, one in chosen.items()}


def members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
  """The members of an archive by the names of their arrays.

  Raises:
    ValueError: one that NumPy would not have written.
  """
  members = {}
  for one in archive.infolist():
    name = one.filename.removesuffix('.npy')
    if _ELSEWHERE.search(name):
      raise ValueError(f'its member {one.filename!r} is a path to elsewhere')
    if name in members:
      raise ValueError(f'it has two members {one.filename!r}')
    if one.flag_bits & 1 or one.compress_type not in _PACKINGS:
      raise ValueError(f'its member {one.filename!r} is not as NumPy packs it')
    members[name] = one
  return members


def form(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> Form:
  """The form of an array; its header and the archive must agree on it.

  Raises:
    ValueError: they do not, or it holds Python objects.
    another of DAMAGED: the archive is not whole.
  """
  with archive.open(one) as f:
    own = _header(f, one.filename)
  if own.dtype.hasobject:
    raise ValueError(
      f'{one.filename!r} holds Python objects, which are never loaded'
    )
  held = one.file_size - own.start
  if own.nbytes != held or min(own.shape, default=0) < 0:
    raise ValueError(
      f'{one.filename!r} says {list(own.shape)} {own.dtype}, but holds'
      f' {held} bytes'
    )
  return own


def _header(f, name):
  """The form that a header tells of; ValueError for any wrong one."""
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')  # a file from Python 2 is fine
      version = npy.read_magic(f)
      shape, fortran, dtype = _HEADERS[version](f)
  except (OSError, zlib.error, zipfile.BadZipFile):
    raise
  except Exception as e:  # of any type, tokenize's too
    raise ValueError(f'{name!r} has no header of an array') from e
  return Form(shape, fortran, dtype, f.tell())


def array(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> np.ndarray:
  """The array of a member whose form is known."""
  with archive.open(one) as f, warnings.catch_warnings():
    warnings.simplefilter('ignore')
    return npy.read_array(f, allow_pickle=False)
