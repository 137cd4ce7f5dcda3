"""Identifies a data set: hashes of its content and of its preparation."""

import hashlib
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gan_jax.data import blocks, files

_HASHED_BYTES = 2**30  # above this, only pieces of the files are hashed
_PIECE_BYTES = 2**16


def digest(*parts: Any) -> str:
  """SHA-256 (hex) of nested dicts, sequences, arrays and plain values."""
  sha = hashlib.sha256()
  for piece in _pieces(parts):
    sha.update(piece)
  return sha.hexdigest()


def _pieces(value) -> Iterable[bytes]:
  if isinstance(value, np.ndarray):
    yield f'{value.dtype.str} {value.shape}'.encode()
    yield memoryview(np.ascontiguousarray(value)).cast('B')
  elif isinstance(value, blocks.OnDisk):  # as the same array in memory
    yield f'{value.dtype.str} {value.shape}'.encode()
    for block in blocks.of(value):
      yield memoryview(np.ascontiguousarray(block)).cast('B')
  elif isinstance(value, dict):
    yield from _pieces(sorted(value.items()))
  elif isinstance(value, list | tuple):
    yield f'({len(value)}'.encode()
    for v in value:
      yield from _pieces(v)
  else:
    yield f'{value!r},'.encode()


def digest_files(
  paths: Sequence[pathlib.Path], root: pathlib.Path, *preparation: Any
) -> str:
  """SHA-256 (hex) of files, their names below root and their preparation.

  Their content counts, never their times. Above a gigabyte in total that is too
  slow; then the sizes and the first, the middle and the last piece of each file
  are hashed instead. A re-encoded image differs there: PNG ends with
  a checksum, and hardly any JPEG keeps its size.
  """
  names, top = files.names_of(paths, root), os.path.join(root, '')
  sizes = [os.stat(top + name).st_size for name in names]
  of_one = _content if sum(sizes) <= _HASHED_BYTES else _pieces_of
  hashes = [of_one(top + n, size) for n, size in zip(names, sizes, strict=True)]
  return digest(names, sizes, hashes, preparation)


def beside(stamps: np.ndarray) -> str:
  """What tells files apart that have one fingerprint: their times.

  Args:
    stamps: [N, 4] of files.stamps.

  Returns:
    a hash of them; '' where all that the files hold is in the fingerprint.
  """
  whole = stamps[:, 0].sum() <= _HASHED_BYTES
  return '' if whole else digest(stamps)


def _pieces_of(path, size):
  sha = hashlib.sha256()
  with open(path, 'rb') as f:
    for at in (0, (size - _PIECE_BYTES) // 2, size - _PIECE_BYTES):
      f.seek(max(at, 0))
      sha.update(f.read(_PIECE_BYTES))
  return sha.hexdigest()


def _content(path, size):
  if size > _PIECE_BYTES:
    with open(path, 'rb') as f:
      return hashlib.file_digest(f, 'sha256').hexdigest()
  with open(path, 'rb', buffering=0) as f:  # a quarter of the time
    return hashlib.sha256(f.read()).hexdigest()
