"""Weights on disk: written atomically, read only if they are whole."""

import hashlib
import os
import pathlib
import tempfile

import numpy as np

from gan_jax.storage import npz, paths

DAMAGED = npz.DAMAGED
cache_dir = paths.cache_dir


def weights_hash(arrays: dict) -> str:
  """First 16 hex digits of the sha256 of names, types, shapes and values."""
  digest = hashlib.sha256()
  for name in sorted(arrays):
    x = np.ascontiguousarray(arrays[name])
    digest.update(f'{name} {x.dtype} {x.shape}'.encode())
    digest.update(x.tobytes())
  return digest.hexdigest()[:16]


def read(path: pathlib.Path, expected: dict) -> tuple[dict, float] | None:
  """Weights and accuracy; None if the file is missing, damaged or another.

  Args:
    path: of the .npz.
    expected: by name, something with the shape and dtype of each array.

  Returns:
    (arrays by name, accuracy) or None.
  """
  kept = read_arrays(path)
  if kept is None or set(kept) != {'accuracy', *expected}:
    return None
  accuracy = float(kept.pop('accuracy'))
  fits = all(
    (kept[k].shape, kept[k].dtype) == (v.shape, v.dtype)
    for k, v in expected.items()
  )
  return (kept, accuracy) if fits else None


def write(path: pathlib.Path, arrays: dict, accuracy: float) -> None:
  """Writes what `read` reads; writes nothing where that is impossible."""
  write_arrays(path, {**arrays, 'accuracy': np.float64(accuracy)})


def read_arrays(path: pathlib.Path) -> dict | None:
  """Arrays by name, or None if the file is missing or damaged."""
  try:
    kept = npz.read(path)
    expected = str(kept.pop('hash'))
    arrays = {k.removeprefix('array/'): x for k, x in kept.items()}
  except DAMAGED:
    return None
  return arrays if weights_hash(arrays) == expected else None


def write_arrays(path: pathlib.Path, arrays: dict) -> None:
  """Writes what `read_arrays` reads; nothing where that is impossible."""
  named = {f'array/{name}': x for name, x in arrays.items()}
  temporary = None
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as f:
      temporary = f.name
      np.savez(f, hash=weights_hash(arrays), **named)
    # Two runs may write at once: each finds a whole file.
    os.replace(temporary, path)
  except OSError:
    if temporary and os.path.exists(temporary):
      os.unlink(temporary)
