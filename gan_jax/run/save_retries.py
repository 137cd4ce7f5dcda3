"""How long a run bears with a disk that takes nothing: full, read-only, gone.

A save that fails is told, each time, and the run goes on; the next save is the
next attempt. When all have failed for as long as the config allows, the run
stops. At its end a run waits for the disk, and for no longer than that.
"""

import contextlib
import errno
import threading
import time
from collections.abc import Callable

from gan_jax.run import signals
from gan_jax.storage import damage
from gan_jax.storage.checkpoints import Checkpoints, SaveFailed

RETRY_SECONDS = 10.0  # between two attempts at the end of a run
SLOW_SECONDS = 10.0  # of waiting for a save, before it is told
LOOK_SECONDS = 0.1  # between two looks for a signal


class Exhausted(OSError):
  """A disk has taken nothing for longer than the run was to bear."""

  def __init__(self, code: int | None, told: str):
    super().__init__(code or errno.EIO, told)

  def __str__(self):
    return self.strerror


class Patience:
  """Of one run."""

  def __init__(self, minutes: float, *, newest: Callable, say: Callable):
    """Nothing has failed yet.

    Args:
      minutes: that saves may fail; 0: not once.
      newest: () -> the newest good step, or None.
      say: told in one line of each failure, and of its end.
    """
    self._minutes, self._newest, self.say = minutes, newest, say
    self._since = self._clock = None

  def failed(self, error: OSError, *, quietly: bool = False):
    """Notes and tells a failure.

    Args:
      error: a SaveFailed, or what came of writing the last reports.
      quietly: it has been told.

    Raises:
      Exhausted: there is no patience left.
    """
    if self._since is None:
      self._since, self._clock = time.monotonic(), time.strftime('%H:%M:%S')
    told = f'{_told(error)}; failing since {self._clock}; {self.left()}'
    if time.monotonic() - self._since >= 60 * self._minutes:
      raise Exhausted(
        error.errno,
        f'{told}; save_patience_minutes={self._minutes:g} are over: make room,'
        ' and the same command goes on',
      ) from error
    if not quietly:
      self.say(told)

  def left(self) -> str:
    """What a run has, in words, whatever happens now."""
    try:
      newest = self._newest()
    except OSError as error:
      return f'the checkpoints cannot be looked into ({error.strerror})'
    if newest is None:
      return 'there is no good checkpoint'
    return f'the newest good checkpoint is that of step {newest}'

  def worked(self):
    """Notes that the disk has taken something."""
    if self._since is not None:
      self.say(f'the disk takes it again; {self.left()}')
    self._since = None

  def insist(self, write: Callable):
    """What write() gives, once it raises no OSError any more.

    Raises:
      Exhausted: there is no patience left.
      command.Stopped: told to stop meanwhile.
    """
    waits = False
    while True:
      try:
        result = write()
      except OSError as error:
        self.failed(error, quietly=self._since is not None)
      else:
        self.worked()
        return result
      if not waits:
        waits = True
        self.say(
          'the run is at its end and waits for the disk, for at most'
          f' {self._minutes:g} minutes in all'
        )
      _pause()


class Saves:
  """The saves of a run, under the eyes of its patience."""

  def __init__(self, checkpoints: Checkpoints, patience: Patience):
    """Nothing has been saved yet."""
    self._checkpoints, self.patience = checkpoints, patience
    self._failed: int | None = None  # the last step, if it could not be saved
    self._last: dict = {}  # what was saved with it

  def save(self, step: int, state, meta: dict, *, score: float | None):
    """Begins to save a step, as soon as the one before it is saved.

    Raises:
      Exhausted: there is no patience left.
    """
    self.wait()
    self._failed, self._last = None, {'meta': meta, 'score': score}
    self._look_after(
      lambda: self._checkpoints.save(step, state, meta, score=score)
    )

  def poll(self):
    """Sees what has become of the save in the background; waits for nothing.

    Raises:
      Exhausted: there is no patience left.
    """
    self._look_after(self._checkpoints.poll)

  def wait(self):
    """Waits for the save in the background; tells it if that takes long.

    Raises:
      Exhausted: there is no patience left.
    """
    step = self._checkpoints.saving
    if step is not None:
      with _watch(step, self.patience.say):
        self._look_after(self._checkpoints.wait)

  def again(self, step: int, state):
    """Saves the last step once more, and waits for it, if that has failed.

    Raises:
      SaveFailed: it fails again.
    """
    if self._failed == step:
      self._checkpoints.save(step, state, **self._last, wait=True)
      self._failed = None

  def left(self) -> str:
    """From where the same command goes on, in words."""
    if self._failed is None:
      return 'the same command goes on from here'
    return (
      f'the save of step {self._failed} has failed, {self.patience.left()}; the'
      ' same command goes on from there'
    )

  def _look_after(self, call):
    step = self._checkpoints.saving
    try:
      call()
    except SaveFailed as error:
      self._failed = error.step
      self.patience.failed(error)
    else:
      if step is not None and self._checkpoints.saving is None:
        self.patience.worked()


@contextlib.contextmanager
def _watch(step, say):
  """Tells it if its block, in which a save is waited for, takes long."""
  begin = time.monotonic()
  line = (
    f'the training waits for the save of step {step}, which is not done after'
    f' {SLOW_SECONDS:g} s'
  )
  late = threading.Timer(SLOW_SECONDS, say, [line])
  late.daemon = True
  late.start()
  try:
    yield
  finally:
    late.cancel()
    seconds = time.monotonic() - begin
    if seconds > SLOW_SECONDS:
      say(
        f'the training has waited {seconds:.0f} s for the save of step {step}'
      )


def _told(error):
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
