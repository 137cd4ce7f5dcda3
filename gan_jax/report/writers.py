"""Where scalars go: JSON lines, TensorBoard events, JSON documents."""

import contextlib
import json
import os
import pathlib
import platform
import struct
import sys
import tempfile
import time

from gan_jax.report import text
from gan_jax.report.appender import Appender


@contextlib.contextmanager
def replacing(path):
  """A temporary path that takes the place of `path` when all went well.

  A reader sees the old file or the new one, never half of either.

  Args:
    path: file to make; its folder is made if need be.

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
    # The name that its reader knows; what has no number has no file either.
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
  document = json.dumps(text.plain(obj), indent=2, allow_nan=False)
  write_text(path, document + '\n')


def read_json(path, kind: type = dict):
  """A JSON document of a kind; an empty one if it is missing or broken."""
  try:
    found = json.loads(pathlib.Path(path).read_text('utf-8'))
  except (OSError, ValueError, RecursionError):
    return kind()
  return found if isinstance(found, kind) else kind()


def read_rows(path) -> list[dict]:
  """The rows of a JSON-lines file; half-written lines are left out.

  Args:
    path: the file; no rows where there is none.

  Returns:
    The rows that have a `step`, in the order of the file; what in them is no
    measurement of each seed is left out.
  """
  try:
    with open(path, 'rb') as lines:
      # Without its newline a line may have lost its end and still be valid.
      found = [_row(line) for line in lines if line.endswith(b'\n')]
  except OSError:
    return []
  return [row for row in found if row is not None]


class JsonLines(Appender):
  """Appends one JSON object a line, each with its `step`; strict JSON."""

  def __init__(self, path, resume_step: int | None = None):
    """Opens the file and drops what a restored run is going to write again.

    Args:
      path: the file, metrics.jsonl in a workdir.
      resume_step: step that was restored: rows of later steps are dropped.
        With None all rows stay.
    """
    super().__init__(path)
    path = pathlib.Path(path)
    rows = read_rows(path)
    if resume_step is not None:
      rows = [row for row in rows if row['step'] <= resume_step]
    kept = ''.join(_line(row) for row in rows).encode()
    there = path.read_bytes() if path.exists() else b''
    if there[: len(kept)] != kept:
      write_text(path, kept.decode())
    elif len(there) > len(kept):  # what a full disk lets do, too
      os.truncate(path, len(kept))

  def write(self, step: int, scalars: dict):
    """Appends a row.

    Args:
      step: updates of G so far.
      scalars: by name, [] or [S] with one value per seed; a list of one seed
        becomes a number, several stay a list.

    Raises:
      OSError: the disk does not take it now; it waits.
    """
    row = {'step': int(step)}
    row |= {name: _unwrap(value) for name, value in scalars.items()}
    self.append(_line(row).encode())


class TensorBoard(Appender):
  """Event files without TensorFlow; several seeds as mean and one by one."""

  def __init__(self, directory, resume_step: int | None = None):
    """Opens a new event file in a folder.

    Args:
      directory: where `events.*` go, the workdir.
      resume_step: step that was restored: TensorBoard hides later events of
        earlier files.
    """
    # Two files of one second and host would have the same name otherwise.
    name = f'events.out.tfevents.{int(time.time())}.{platform.node()}'
    super().__init__(pathlib.Path(directory) / f'{name}.{os.getpid()}')
    self._event(0, file_version='brain.Event:2')
    if resume_step is not None:
      self._purge(resume_step + 1)

  def write(self, step: int, scalars: dict):
    """Adds scalars, [] or [S] by name; a killed run keeps them.

    Raises:
      OSError: the disk does not take them now; they wait.
    """
    from tensorboardX import summary

    for name, value in _tags(scalars):
      self._event(step, summary=summary.scalar(name, value))
    self.flush()

  def picture(self, step: int, image, *, name: str = 'samples'):
    """Adds a PIL image.

    Raises:
      OSError: the disk does not take it now; it waits.
    """
    import numpy as np
    from tensorboardX import summary

    pixels = np.asarray(image.convert('RGB'))  # [H, W, 3]
    picture = summary.image(name, pixels, dataformats='HWC')
    self._event(step, summary=picture)
    self.flush()

  def _purge(self, step):
    from tensorboardX.proto import event_pb2

    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    self._event(step, session_log=start)

  def _event(self, step, **content):
    from tensorboardX.proto import event_pb2

    event = event_pb2.Event(wall_time=time.time(), step=step, **content)
    self.queue(_framed(event.SerializeToString()))


def _tags(scalars):
  """Name and number of every scalar, of several seeds the mean and each."""
  for name, value in scalars.items():
    value = _unwrap(value)
    pairs = [(name, value)]
    if isinstance(value, list):
      pairs = [(name, text.mean(value))]
      pairs += [(f'{name}/seed_{seed}', one) for seed, one in enumerate(value)]
    # What is no number leaves a gap in the curve, as it does in the JSON.
    yield from (pair for pair in pairs if isinstance(pair[1], (int, float)))


def _unwrap(value):
  value = text.plain(value)
  return value[0] if isinstance(value, list) and len(value) == 1 else value


def _framed(data):
  """A record of TensorFlow's: length, data, and the checksums of both."""
  from tensorboardX.record_writer import masked_crc32c

  length = struct.pack('<Q', len(data))
  sums = [struct.pack('<I', masked_crc32c(part)) for part in (length, data)]
  return length + sums[0] + data + sums[1]


def _line(row):
  return json.dumps(row, allow_nan=False) + '\n'


def _row(line):
  try:
    row = json.loads(line.decode('utf-8', errors='replace'))
  except (ValueError, RecursionError):
    return None
  step = row.get('step') if isinstance(row, dict) else None
  if type(step) is not int or not 0 <= step < 2**63:
    return None
  found = {k: text.measured(v) for k, v in row.items()}
  seeds = max(
    (len(v) for v in found.values() if isinstance(v, list)), default=0
  )
  fits = lambda v: v != '' and (not isinstance(v, list) or len(v) == seeds)
  # A name is the same in all rows, and longer than what it names.
  return {sys.intern(k): v for k, v in found.items() if fits(v)}


def _umask():
  mask = os.umask(0)
  os.umask(mask)
  return mask
