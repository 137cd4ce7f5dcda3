"""Files that are complete or not there: text, JSON, rows of JSON."""

import contextlib
import json
import math
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable

import numpy as np


@contextlib.contextmanager
def replacing(path):
  """A temporary path that replaces `path` if its block ends without an error.

  A reader sees the old file or the new one, never half of either.

  Args:
    path: file to make; its folder is made if there is none.

  Yields:
    A `pathlib.Path` in the same folder, with the same suffix.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  handle, name = tempfile.mkstemp(
    dir=path.parent, prefix=f'.{path.stem}.', suffix=path.suffix
  )
  os.close(handle)
  try:
    yield pathlib.Path(name)
    os.chmod(name, 0o666 & ~_umask())  # mkstemp makes private files
    os.replace(name, path)
  except BaseException as error:
    pathlib.Path(name).unlink(missing_ok=True)
    # The name that the user knows. An error without a number names no file.
    if isinstance(error, OSError) and error.errno is not None:
      if error.filename in (None, name):
        error.filename = str(path)
    raise


def write_text(path, content: str):
  """Writes a UTF-8 file atomically."""
  # A name that is not UTF-8 is shown with escapes.
  with replacing(path) as temporary:
    temporary.write_text(content, encoding='utf-8', errors='backslashreplace')


def write_json(path, obj):
  """Writes strict, indented JSON atomically; NaN and infinities are null."""
  document = json.dumps(plain(obj), indent=2, allow_nan=False)
  write_text(path, document + '\n')


def read_json(path, kind: type = dict):
  """A JSON document of a kind; an empty one if it is missing or broken."""
  try:
    document = json.loads(pathlib.Path(path).read_text('utf-8'))
  except (OSError, ValueError, RecursionError):
    return kind()
  return document if isinstance(document, kind) else kind()


def read_rows(path) -> list[dict]:
  """The rows of a JSON-lines file; half-written lines are left out.

  Args:
    path: the file; no rows where there is none.

  Returns:
    The rows that have a `step`, in the order of the file, without the values
    that are not one measurement for each seed.
  """
  try:
    with open(path, 'rb') as lines:
      # Without its newline a line may have lost its end and still be valid.
      rows = [row_of(line) for line in lines if line.endswith(b'\n')]
  except OSError:
    return []
  return [row for row in rows if row is not None]


def until_changed(read: Callable) -> Callable:
  """read(path), which reads a file anew only once it has changed.

  What it gave last is kept for each path, as long as the process lives.
  """
  known = {}

  def latest(path):
    stat = os.stat(path) if os.path.exists(path) else None
    version = stat and (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    if known.get(path, (0,))[0] != version:
      known[path] = version, read(path)
    return known[path][1]

  return latest


def row_of(line: bytes) -> dict | None:
  """The row in a line of such a file; None if there is none, see read_rows."""
  try:
    row = json.loads(line.decode('utf-8', errors='replace'))
  except (ValueError, RecursionError):
    return None
  step = row.get('step') if isinstance(row, dict) else None
  if type(step) is not int or not 0 <= step < 2**63:
    return None
  values = {k: measured(v) for k, v in row.items()}
  seeds = max(
    (len(v) for v in values.values() if isinstance(v, list)), default=0
  )
  fits = lambda v: v != '' and (not isinstance(v, list) or len(v) == seeds)
  # All rows have the same names, which are longer than their values.
  return {sys.intern(k): v for k, v in values.items() if fits(v)}


def _umask():
  mask = os.umask(0)
  os.umask(mask)
  return mask


def plain(value):
  """An array, NumPy scalar or Python value as strict JSON can hold it.

  Args:
    value: anything; of numbers [] or [S], one per seed.

  Returns:
    Numbers, None for NaN and infinities, a list where there are several
    seeds. A float32 becomes the shortest decimal that reads back the same.
  """
  if value is None or isinstance(value, (str, bool)):
    return value
  if isinstance(value, dict):
    return {str(k): plain(v) for k, v in value.items()}
  if isinstance(value, (list, tuple)):
    return [plain(v) for v in value]
  array = np.asarray(value)
  if array.ndim:
    return [plain(v) for v in array]
  if array.dtype.kind in 'biu':
    return array.item()
  if array.dtype.kind in 'OSU':
    return str(value)
  exact = float(str(array[()]))  # also of bfloat16
  return exact if math.isfinite(exact) else None


def measured(value):
  """A number or one for each seed, with None for NaN; '' for anything else.

  Args:
    value: what a file of measurements holds.
  """
  if type(value) is float and -1e308 < value < 1e308:  # nearly all are
    return value
  if isinstance(value, list):
    values = [measured(one) for one in value]
    fits = all(one != '' and not isinstance(one, list) for one in values)
    return values if fits else ''
  if value is None or value != value or value in (math.inf, -math.inf):
    return None
  number = isinstance(value, int | float) and not isinstance(value, bool)
  return value if number and abs(value) < 1e308 else ''
