"""A file that grows by whole records, even when its disk fails."""

import collections
import contextlib
import os
import pathlib

MOST_BYTES = 2**26  # of records that wait to be written


class Appender:
  """Appends records; one that cannot be written waits for the next.

  The file is opened anew for each record: it may be created late or reappear,
  and a disk may be unmounted or become read-only while the run goes on.
  """

  def __init__(self, path, *, most_bytes: int = MOST_BYTES):
    """Creates nothing yet.

    Args:
      path: the file; created if necessary, with its folder.
      most_bytes: of records that wait; above it the oldest are dropped.
    """
    self._path, self._most = pathlib.Path(path), most_bytes
    self._waiting, self._bytes = collections.deque(), 0
    self._torn: int | None = None  # size of the file without a half record
    self.lost = 0  # records that were dropped

  def append(self, record: bytes):
    """Appends a record, after those that wait.

    Raises:
      OSError: it cannot be written now; it waits.
    """
    self.queue(record)
    self.flush()

  def queue(self, record: bytes):
    """Keeps a record for the next flush."""
    self._waiting.append(record)
    self._bytes += len(record)
    while self._bytes > self._most:
      self._bytes -= len(self._waiting.popleft())
      self.lost += 1

  def flush(self):
    """Writes the waiting records.

    Raises:
      OSError: they still cannot be written.
    """
    if not self._waiting:
      return
    self._path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
      while self._waiting:
        self._write(file, self._waiting[0])
        self._bytes -= len(self._waiting.popleft())
    finally:
      os.close(file)

  def close(self):
    """Writes the waiting records; the appender stays usable.

    Raises:
      OSError: they still cannot be written.
    """
    self.flush()

  def waiting(self) -> int:
    """How many records wait."""
    return len(self._waiting)

  def _write(self, file, record):
    """Writes all of a record; a partial one is cut off, now or next time."""
    if self._torn is not None:
      os.ftruncate(file, self._torn)
    self._torn, rest = os.fstat(file).st_size, memoryview(record)
    try:
      while rest:
        rest = rest[os.write(file, rest) :]
      self._torn = None
    except OSError:
      with contextlib.suppress(OSError):
        os.ftruncate(file, self._torn)
        self._torn = None
      raise
