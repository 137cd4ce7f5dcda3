"""Reads the tensors that torch.save wrote, without PyTorch.

Such a file is a pickle that describes tensors, and their raw numbers. A pickle
can have any function called; this reader knows the four things that tensors are
made of and refuses everything else before it is called. There are two layouts:
a zip archive (since PyTorch 1.6, 2020), and before that five pickles in a row,
followed by the numbers.
"""

import collections
import hashlib
import os
import pathlib
import pickle
import re
import struct
import zipfile
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from gan_jax.metrics.features import store
from gan_jax.storage import memory
from gan_jax.types import UserError

MOST_PICKLED = 2**25  # bytes of the description of all tensors
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the older layout
TYPES = {
  'DoubleStorage': '<f8',
  'FloatStorage': '<f4',
  'HalfStorage': '<f2',
  'LongStorage': '<i8',
  'IntStorage': '<i4',
  'ShortStorage': '<i2',
  'CharStorage': '<i1',
  'ByteStorage': '<u1',
}
# Whatever reading may raise if a file is truncated, overwritten or another.
DAMAGED = (
  *store.DAMAGED,
  pickle.UnpicklingError,
  struct.error,
  AttributeError,
  LookupError,
  MemoryError,
  OverflowError,
  RuntimeError,
  TypeError,
)


class _Storage(NamedTuple):
  """Numbers in memory, of which tensors are views."""

  key: str
  dtype: str
  size: int


class _Tensor(NamedTuple):
  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Reads a dict of tensors, a state dict say, in either layout.

  Args:
    path: of the file; where its name promises a sha256, see check_digest.

  Returns:
    Arrays by name.

  Raises:
    UserError: missing, damaged, not a plain dict of tensors, or not the file
      that its name promises.
  """
  if not path.is_file():
    raise UserError(f'there is no file {path}')
  check_digest(path)
  try:
    with path.open('rb') as f:
      layout = _read_zip if zipfile.is_zipfile(f) else _read_legacy
      f.seek(0)
      tensors, numbers = layout(f)
    return {str(k): _view(x, numbers) for k, x in tensors.items()}
  except UserError as e:
    raise UserError(f'{path.name} {e}') from e
  except DAMAGED as e:
    raise UserError(
      f'{path.name} is not an intact checkpoint of tensors: {e}'
    ) from e


def check_digest(path: pathlib.Path, name: str = ''):
  """A name that ends in -XXXXXXXX.pth promises how the sha256 begins.

  Args:
    path: of the file.
    name: that promises; default the file's own.

  Raises:
    UserError: the promise is broken.
  """
  promised = re.search(r'-([0-9a-f]{8})\.pth$', name or path.name)
  with path.open('rb') as f:
    digest = hashlib.file_digest(f, 'sha256').hexdigest()
  if promised and not digest.startswith(promised[1]):
    raise UserError(
      f'{path.name} has a sha256 that begins with {digest[:8]}, not '
      f'{promised[1]}: another file, or damaged'
    )


class _Unpickler(pickle.Unpickler):
  """Builds tensors, and nothing else."""

  def find_class(self, module: str, name: str) -> Any:
    if (module, name) == ('collections', 'OrderedDict'):
      return collections.OrderedDict
    if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
      return lambda *args: _describe(*args)  # one that a pickle may alter
    if module == 'torch' and name in TYPES:
      return TYPES[name]
    raise UserError(f'calls {module}.{name}, which no tensor needs: refused')

  def persistent_load(self, entry: Any) -> _Storage:
    kind, dtype, key, _, size = entry[:5]
    # A sixth entry makes one storage part of another; no writer does that.
    if kind != 'storage' or dtype not in TYPES.values() or any(entry[5:]):
      raise UserError('holds something other than tensors')
    return _Storage(str(key), dtype, int(size))


def _describe(storage, offset, shape, strides, *_):
  if not isinstance(storage, _Storage):
    raise UserError('holds a tensor without numbers')
  return _Tensor(storage, int(offset), tuple(shape), tuple(strides))


def _read_zip(f: BinaryIO):
  """(tensors by name, numbers by key): data.pkl beside data/0, data/1, ..."""
  with zipfile.ZipFile(f) as archive:
    names = archive.namelist()
    (pkl,) = (n for n in names if n.endswith('/data.pkl'))
    root = pkl.removesuffix('data.pkl')
    if f'{root}byteorder' in names:
      _check_order(archive.read(f'{root}byteorder') == b'little')
    if archive.getinfo(pkl).file_size > MOST_PICKLED:
      raise UserError('describes more tensors than any net has')
    with archive.open(pkl) as opened:
      tensors, storages = _checked(_Unpickler(opened).load())
    numbers = {
      key: _numbers(_member(archive, f'{root}data/{key}', storage), storage)
      for key, storage in storages.items()
    }
  return tensors, numbers


def _member(archive, name, storage):
  """The bytes of a storage; an archive may promise terabytes."""
  size = archive.getinfo(name).file_size
  itemsize = np.dtype(storage.dtype).itemsize
  if size != storage.size * itemsize:
    raise UserError(
      f'has {size // itemsize} numbers of {storage.size} in a storage'
    )
  memory.check_memory(size, 'a storage')
  return archive.read(name)


def _read_legacy(f: BinaryIO):
  """The same from magic, protocol, system, tensors, keys, then the numbers.

  Of each storage its length in 8 bytes, and its numbers.
  """
  load = lambda: _Unpickler(f).load()
  if (load(), load()) != (MAGIC, PROTOCOL):
    raise UserError('is not a checkpoint of PyTorch')
  _check_order(load()['little_endian'])
  tensors, storages = _checked(load())
  numbers, left = {}, os.fstat(f.fileno()).st_size
  for key in load():
    (size,) = struct.unpack('<q', f.read(8))
    storage = storages[key]
    nbytes = size * np.dtype(storage.dtype).itemsize
    if size != storage.size or not 0 <= nbytes <= left:
      raise UserError(f'has {size} numbers of {storage.size} in a storage')
    numbers[key] = _numbers(f.read(nbytes), storage)
  return tensors, numbers


def _checked(tensors):
  """(tensors by name, storages by key), or it was not a dict of tensors."""
  plain = isinstance(tensors, dict) and all(
    isinstance(x, _Tensor) for x in tensors.values()
  )
  if not plain:
    raise UserError('holds something other than tensors by name')
  return tensors, {x.storage.key: x.storage for x in tensors.values()}


def _check_order(little):
  if not little:
    raise UserError('was written on a big-endian machine: not supported')


def _numbers(raw, storage):
  """Numbers [size] of a storage, all of them."""
  numbers = np.frombuffer(raw, storage.dtype)
  if len(numbers) != storage.size:
    raise UserError(
      f'has {len(numbers)} numbers of {storage.size} in a storage'
    )
  return numbers


def _view(tensor, numbers):
  """The array that a tensor shows of its storage, within its bounds."""
  x = numbers[tensor.storage.key]
  reach = sum(
    (n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True)
  )
  least = min((tensor.offset, *tensor.shape, *tensor.strides))
  if least < 0 or tensor.offset + reach >= len(x):
    raise UserError('has a tensor that reaches beyond its storage')
  steps = [s * x.itemsize for s in tensor.strides]
  return np.lib.stride_tricks.as_strided(
    x[tensor.offset :], tensor.shape, steps, writeable=False
  )
