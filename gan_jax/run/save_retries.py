"""How long a run bears with a disk that takes nothing: full, read-only, gone.

Each save that fails is reported, and the run goes on; the next save is the next
attempt. When all have failed for as long as the config allows, the run stops.
At its end a run retries until the disk takes it, for no longer than that.
"""

import contextlib
import errno
import time
from collections.abc import Callable, Iterator

from gan_jax.run import signals
from gan_jax.storage import damage
from gan_jax.storage.saver import SaveFailed

RETRY_SECONDS = 10.0  # between two attempts at the end of a run
LOOK_SECONDS = 0.1  # between two looks for a signal


class Exhausted(OSError):
  """A disk has taken nothing for longer than the config allows."""

  def __init__(self, code: int | None, message: str):
    super().__init__(code or errno.EIO, message)

  def __str__(self):
    return self.strerror


class Deadline:
  """Until when writes may fail: so many minutes from the first failure."""

  def __init__(self, minutes: float, *, newest: Callable, say: Callable):
    """Nothing has failed yet.

    Args:
      minutes: that writes may fail; 0: not once.
      newest: () -> the newest good step, or None.
      say: called with a line about each failure, and about its end.
    """
    self.minutes, self._newest, self.say = minutes, newest, say
    self._since = self._clock = None

  @contextlib.contextmanager
  def tolerates(self) -> Iterator[None]:
    """In its block a SaveFailed is reported, and raised no further.

    Raises:
      Exhausted: the deadline is over.
    """
    try:
      yield
    except SaveFailed as error:
      self.failed(error)

  def failed(self, error: OSError, *, quietly: bool = False):
    """Notes a failure, and reports it.

    Args:
      error: a SaveFailed, or what came of writing the last reports.
      quietly: report it only if it is the first one in a row.

    Raises:
      Exhausted: the deadline is over.
    """
    first = self._since is None
    if first:
      self._since, self._clock = time.monotonic(), time.strftime('%H:%M:%S')
    what = _described(error)
    line = f'{what}; failing since {self._clock}; {self.newest_step()}'
    if time.monotonic() - self._since >= 60 * self.minutes:
      raise Exhausted(
        error.errno,
        f'{line}; save_patience_minutes={self.minutes:g} are over: make room,'
        ' and the same command goes on',
      ) from error
    if first or not quietly:
      self.say(line)

  def newest_step(self) -> str:
    """What a run has on disk, in words, whatever happens now."""
    try:
      newest = self._newest()
    except OSError as error:
      return f'the checkpoints cannot be read ({error.strerror})'
    if newest is None:
      return 'there is no good checkpoint'
    return f'the newest good checkpoint is that of step {newest}'

  def worked(self):
    """Notes that the disk has taken something."""
    if self._since is not None:
      self.say(f'the disk takes it again; {self.newest_step()}')
    self._since = None

  def resume_point(self, failed: int | None) -> str:
    """From where the same command goes on, in words.

    Args:
      failed: the last step, if it could not be saved.
    """
    if failed is None:
      return 'the same command goes on from here'
    return (
      f'the save of step {failed} has failed, {self.newest_step()}; the same'
      ' command goes on from there'
    )


def retry(write: Callable, deadline: Deadline):
  """What write() gives, once it raises no OSError any more.

  Raises:
    Exhausted: the deadline is over.
    signals.Stopped: a stop signal came in meanwhile.
  """
  waits = False
  while True:
    try:
      result = write()
    except OSError as error:
      deadline.failed(error, quietly=True)
    else:
      deadline.worked()
      return result
    if not waits:
      waits = True
      deadline.say(
        'the run is at its end and waits for the disk, for at most'
        f' {deadline.minutes:g} minutes in all'
      )
    _pause()


def _described(error):
  if isinstance(error, SaveFailed):
    return str(error)
  what = error.filename or 'the last reports'
  return f'{what} could not be written ({damage.of_a_write(error)})'


def _pause():
  with signals.catch_signals() as stop_signal:
    end = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < end:
      if stop_signal() is not None:
        raise signals.Stopped(stop_signal())
      time.sleep(LOOK_SECONDS)
