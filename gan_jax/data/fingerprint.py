"""Identifies a data set: hashes of its content and of its preparation."""

import hashlib
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
  stats = [p.stat() for p in paths]
  hashed = sum(s.st_size for s in stats) <= _HASHED_BYTES
  return digest(
    files.names_of(paths, root),
    [s.st_size for s in stats],
    [
      _content(p) if hashed else _pieces_of(p, s.st_size)
      for p, s in zip(paths, stats, strict=True)
    ],
    preparation,
  )


def _pieces_of(path, size):
  sha = hashlib.sha256()
  with open(path, 'rb') as f:
    for at in (0, (size - _PIECE_BYTES) // 2, size - _PIECE_BYTES):
      f.seek(max(at, 0))
      sha.update(f.read(_PIECE_BYTES))
  return sha.hexdigest()


def _content(path):
  with open(path, 'rb') as f:
    return hashlib.file_digest(f, 'sha256').hexdigest()
