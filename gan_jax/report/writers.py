"""Where scalars go: JSON lines, TensorBoard events, JSON documents."""

import functools
import json
import math
import os
import pathlib
import platform
import struct
import sys
import time
from typing import Any, NamedTuple

from gan_jax.report import condensed, pictures, text
from gan_jax.report.appender import Appender
from gan_jax.storage import files


class JsonLines(Appender):
  """Appends JSON objects, one a line, each with its `step`; strict JSON."""

  def __init__(self, path, resume_step: int | None = None):
    """Opens the file and drops the rows that a restored run will write again.

    Args:
      path: the file, metrics.jsonl in a workdir.
      resume_step: step that was restored; later rows are dropped. None keeps
        all rows.
    """
    super().__init__(path)
    path = pathlib.Path(path)
    if path.exists():
      _drop_later(path, math.inf if resume_step is None else resume_step)

  def write(self, step: int, scalars: dict):
    """Appends a row.

    Args:
      step: updates of G so far.
      scalars: by name, [] or [S] with one value per seed; a list of one seed
        becomes a number, several stay a list.

    Raises:
      OSError: it cannot be written now; it waits.
    """
    row = {'step': int(step)}
    row |= {name: _unwrap(value) for name, value in scalars.items()}
    self.append(_line(row).encode())


class TensorBoard(Appender):
  """Event files without TensorFlow; several seeds as their mean and singly."""

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
    """Adds scalars, [] or [S] by name; they survive if the run is killed.

    Raises:
      OSError: they cannot be written now; they wait.
    """
    scalar = _tensorboard().summary.scalar
    for name, value in _tags(scalars):
      self._event(step, summary=scalar(name, value))
    self.flush()

  def picture(self, step: int, image, *, name: str = 'samples'):
    """Adds a PIL image.

    Raises:
      OSError: it cannot be written now; it waits.
    """
    import numpy as np

    pixels = np.asarray(pictures.flat(image))  # [H, W, 3]
    picture = _tensorboard().summary.image(name, pixels, dataformats='HWC')
    self._event(step, summary=picture)
    self.flush()

  def _purge(self, step):
    log = _tensorboard().events.SessionLog
    self._event(step, session_log=log(status=log.START))

  def _event(self, step, **content):
    make = _tensorboard().events.Event
    event = make(wall_time=time.time(), step=step, **content)
    self.queue(_framed(event.SerializeToString()))


def _drop_later(path, step):
  """Drops rows later than a step, and lines that are no rows."""
  size = condensed.known_until(path, step)  # nobody reads a long log again
  behind, cut = [], False
  with open(path, 'rb') as log:
    log.seek(size)
    for line in log:
      row = files.row_of(line) if line.endswith(b'\n') else None
      kept = _line(row).encode() if row and row['step'] <= step else b''
      cut = cut or kept != line
      if cut:
        behind.append(kept)
      else:
        size += len(line)
    end = log.tell()
    if any(behind):
      log.seek(0)
      behind.insert(0, log.read(size))
  condensed.forget_beyond(path, size)
  if any(behind):
    files.write_text(path, b''.join(behind).decode())
  elif end > size:  # possible on a full disk, too
    os.truncate(path, size)


def _tags(scalars):
  """Name and number of every scalar; for several seeds the mean and each."""
  for name, value in scalars.items():
    value = _unwrap(value)
    pairs = [(name, value)]
    if isinstance(value, list):
      pairs = [(name, text.mean(value))]
      pairs += [(f'{name}/seed_{seed}', one) for seed, one in enumerate(value)]
    # Values that are not numbers leave a gap in the curve, as in the JSON.
    yield from (pair for pair in pairs if isinstance(pair[1], (int, float)))


def _unwrap(value):
  value = files.plain(value)
  return value[0] if isinstance(value, list) and len(value) == 1 else value


def _framed(data):
  """A record of TensorFlow's: length, data, and the checksums of both."""
  checksum = _tensorboard().checksum
  length = struct.pack('<Q', len(data))
  sums = [struct.pack('<I', checksum(part)) for part in (length, data)]
  return length + sums[0] + data + sums[1]


class _TensorBoardX(NamedTuple):
  """What is used of it."""

  summary: Any
  events: Any
  checksum: Any


@functools.cache
def _tensorboard():
  """tensorboardX without the PyTorch that it looks for.

  Importing that takes a second and 200 MB, for types that are not used here.
  """
  hidden = 'torch' not in sys.modules
  if hidden:
    sys.modules['torch'] = None  # so that importing it fails
  try:
    from tensorboardX import summary
    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import masked_crc32c
  finally:
    if hidden:
      del sys.modules['torch']
  return _TensorBoardX(summary, event_pb2, masked_crc32c)


def _line(row):
  return json.dumps(row, allow_nan=False) + '\n'
