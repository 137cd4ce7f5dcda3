"""Where scalars go: JSON lines, TensorBoard events, JSON documents."""

import contextlib
import json
import os
import pathlib
import tempfile
import time

from gan_jax.report import text


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
  except BaseException:
    pathlib.Path(name).unlink(missing_ok=True)
    raise


def write_text(path, content: str):
  """Writes a UTF-8 file atomically."""
  with replacing(path) as temporary:
    temporary.write_text(content, encoding='utf-8')


def write_json(path, obj):
  """Writes strict, indented JSON atomically; NaN and infinities are null."""
  document = json.dumps(text.plain(obj), indent=2, allow_nan=False)
  write_text(path, document + '\n')


def read_rows(path) -> list[dict]:
  """The rows of a JSON-lines file; half-written lines are left out.

  Args:
    path: the file; no rows where there is none.

  Returns:
    The rows that have a `step`, in the order of the file.
  """
  try:
    lines = pathlib.Path(path).read_text('utf-8', errors='replace').split('\n')
  except FileNotFoundError:
    return []
  # A line without its newline may have lost its end and still be valid JSON.
  return [row for row in map(_row, lines[:-1]) if row is not None]


class JsonLines:
  """Appends one JSON object a line, each with its `step`; strict JSON."""

  def __init__(self, path, resume_step: int | None = None):
    """Opens the file and drops what a restored run is going to write again.

    Args:
      path: the file, metrics.jsonl in a workdir.
      resume_step: step that was restored: rows of later steps are dropped.
        With None all rows stay.
    """
    path = pathlib.Path(path)
    rows = read_rows(path)
    if resume_step is not None:
      rows = [row for row in rows if row['step'] <= resume_step]
    kept = ''.join(_line(row) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() != kept.encode():
      write_text(path, kept)
    self._file = path.open('a', buffering=1, encoding='utf-8')

  def write(self, step: int, scalars: dict):
    """Appends a row.

    Args:
      step: updates of G so far.
      scalars: by name, [] or [S] with one value per seed; a list of one seed
        becomes a number, several stay a list.
    """
    row = {'step': int(step)}
    row |= {name: _unwrap(value) for name, value in scalars.items()}
    self._file.write(_line(row))

  def close(self):
    """Closes the file."""
    self._file.close()


class TensorBoard:
  """Event files without TensorFlow; several seeds as mean and one by one."""

  def __init__(self, directory, resume_step: int | None = None):
    """Opens a new event file in a folder.

    Args:
      directory: where `events.*` go, the workdir.
      resume_step: step that was restored: TensorBoard hides later events of
        earlier files.
    """
    # Beneath tensorboardX's SummaryWriter, which queues events for a thread
    # and whose flush does not wait for it.
    from tensorboardX.event_file_writer import EventsWriter

    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    # Two files of one second and host would have the same name otherwise,
    # and the second writer truncates the first's.
    name = pathlib.Path(directory) / 'events'
    self._writer = EventsWriter(str(name), f'.{os.getpid()}')
    if resume_step is not None:
      self._purge(resume_step + 1)
    self._writer.flush()

  def write(self, step: int, scalars: dict):
    """Adds scalars, [] or [S] by name, and flushes: a killed run keeps them."""
    from tensorboardX import summary

    for name, value in _tags(scalars):
      self._event(step, summary=summary.scalar(name, value))
    self._writer.flush()

  def picture(self, step: int, image, *, name: str = 'samples'):
    """Adds a PIL image and flushes."""
    import numpy as np
    from tensorboardX import summary

    pixels = np.asarray(image.convert('RGB'))  # [H, W, 3]
    picture = summary.image(name, pixels, dataformats='HWC')
    self._event(step, summary=picture)
    self._writer.flush()

  def close(self):
    """Flushes and closes the file."""
    self._writer.close()

  def _purge(self, step):
    from tensorboardX.proto import event_pb2

    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    self._event(step, session_log=start)

  def _event(self, step, **content):
    from tensorboardX.proto import event_pb2

    event = event_pb2.Event(wall_time=time.time(), step=step, **content)
    self._writer.write_event(event)


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


def _line(row):
  return json.dumps(row, allow_nan=False) + '\n'


def _row(line):
  try:
    row = json.loads(line)
  except ValueError:
    return None
  whole = isinstance(row, dict) and isinstance(row.get('step'), int)
  return row if whole else None


def _umask():
  mask = os.umask(0)
  os.umask(mask)
  return mask
