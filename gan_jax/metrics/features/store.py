"""Weights on disk: read only if they are whole, written in one stroke."""

import hashlib
import os
import pathlib
import tempfile
import zipfile
import zlib

import numpy as np

# All that NumPy raises for a file that is absent, cut off or overwritten.
DAMAGED = (
  OSError,
  ValueError,
  KeyError,
  EOFError,
  NotImplementedError,
  zipfile.BadZipFile,
  zlib.error,
)


def weights_hash(arrays: dict) -> str:
  """First 16 hex digits of the sha256 of names, types, shapes and values."""
  digest = hashlib.sha256()
  for name in sorted(arrays):
    x = np.ascontiguousarray(arrays[name])
    digest.update(f'{name} {x.dtype} {x.shape}'.encode())
    digest.update(x.tobytes())
  return digest.hexdigest()[:16]


def read(path: pathlib.Path, expected: dict) -> tuple[dict, float] | None:
  """Weights and accuracy, or None if the file is absent, damaged or other.

  Args:
    path: of the .npz.
    expected: by name, something with the shape and dtype of each array.

  Returns:
    (arrays by name, accuracy) or None.
  """
  try:
    # Opened here: NumPy leaves a damaged file open.
    with path.open('rb') as f, np.load(f, allow_pickle=False) as kept:
      arrays = {name: kept[f'weights/{name}'] for name in expected}
      accuracy, told = float(kept['accuracy']), str(kept['hash'])
  except DAMAGED:
    return None
  fits = all(
    (arrays[k].shape, arrays[k].dtype) == (v.shape, v.dtype)
    for k, v in expected.items()
  )
  return (arrays, accuracy) if fits and weights_hash(arrays) == told else None


def write(path: pathlib.Path, arrays: dict, accuracy: float) -> None:
  """Writes what `read` reads; where that is impossible, does without."""
  named = {f'weights/{name}': x for name, x in arrays.items()}
  temporary = None
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as f:
      temporary = f.name
      np.savez(f, accuracy=accuracy, hash=weights_hash(arrays), **named)
    # Two runs may train at once: either finds the other's file whole.
    os.replace(temporary, path)
  except OSError:
    if temporary and os.path.exists(temporary):
      os.unlink(temporary)
