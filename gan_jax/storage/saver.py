"""Saves one step at a time in the background; a failed save costs only itself.

Orbax reports what went wrong in its thread at some later call, leaves a folder
half written, and counts the step as saved. Here a save that fails is as if it
had never been, and the next one finds everything in order.
"""

import contextlib
import errno
import gc
import os
import pathlib
import shutil
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from gan_jax.storage import damage, format, workarounds
from gan_jax.storage import orbax as ocp

TRIES, SECONDS = 10, 0.02  # to delete what a failed save has left
SLOW_SECONDS = 10.0  # of waiting for a save, before it is reported


class SaveFailed(OSError):
  """A step that could not be saved; the older checkpoints are as they were.

  `step`, `reason` in words, and `errno`: what the disk reported, or EIO.
  """

  def __init__(self, step: int, reason: str, code: int | None = None):
    super().__init__(code or errno.EIO, reason)
    self.step, self.reason = step, reason

  def __str__(self):
    return f'checkpoint {self.step} could not be saved ({self.reason})'


class Saver:
  """Writes the steps of one directory."""

  def __init__(self, directory: pathlib.Path, keep, *, say: Callable):
    """Opens nothing yet.

    Args:
      directory: where the steps lie; made at the first save.
      keep: Orbax's policy: its should_preserve says which steps stay.
      say: called with a line when a step is safe but something beside it went
        wrong, or when a save is waited for unusually long.
    """
    self._directory, self._keep, self._say = directory, keep, say
    self._step: int | None = None
    self._manager: Any = None  # Orbax's
    self._workarounds = contextlib.ExitStack()  # until the save has ended
    self._failed: int | None = None

  @property
  def step(self) -> int | None:
    """The step being saved, or whose end nobody has looked at yet."""
    return self._step

  @property
  def failed(self) -> int | None:
    """The step of the last save, if that save has failed."""
    return self._failed

  def begin(self, step: int, args, *, prepare: Callable[[], Any]):
    """Begins to save a step; the state may be donated right afterwards.

    Args:
      step: its number; no other is being saved.
      args: from format.to_write.
      prepare: makes room for it among the folders.

    Raises:
      SaveFailed: it could not even be begun.
    """
    self._step, self._failed = step, None
    self._workarounds.enter_context(workarounds.applied())
    self._attempt(self._make_folders)
    self._attempt(prepare)
    self._attempt(lambda: self._open().save(step, args=args, force=True))

  def poll(self) -> bool:
    """Whether a save has ended since the last look; waits for nothing.

    Raises:
      SaveFailed: it has failed.
    """
    if self._step is None or self._manager.is_saving_in_progress():
      return False
    return self.wait()

  def wait(self) -> bool:
    """Waits for the save at hand; False if there was none.

    Raises:
      SaveFailed: what went wrong in the background.
    """
    if self._step is None:
      return False
    step = self._step
    try:
      with _reported_if_slow(step, self._say):
        self._attempt(lambda: self._manager.wait_until_finished())
    except SaveFailed as error:
      if not format.is_finished(self._directory / str(step)):
        raise
      # An older one could not be deleted; the next save tries again.
      self._say(f'checkpoint {step} is saved, but then: {error.reason}')
    self._step = self._failed = None
    self._workarounds.close()
    return True

  def fail(self, step: int, error: Exception) -> SaveFailed:
    """The failure of a step by any error, noted, to be raised."""
    self._failed = step
    return SaveFailed(step, damage.of_a_write(error), damage.errno_of(error))

  def reload(self):
    """To be called after folders were moved."""
    if self._manager:
      self._manager.reload()

  def close(self):
    """Waits, and ends the background work.

    Raises:
      SaveFailed: what went wrong there.
    """
    try:
      self.wait()
    finally:
      self._close_manager()

  def _close_manager(self):
    manager, self._manager = self._manager, None
    if manager:
      manager.close()
    self._workarounds.close()

  def _make_folders(self):
    """Sees that some can be made; Orbax would wait for them for minutes."""
    self._directory.mkdir(parents=True, exist_ok=True)
    probe = self._directory / '.probe'
    probe.mkdir(exist_ok=True)
    probe.rmdir()

  def _open(self):
    if self._manager is None:
      mode = ocp.options.AtomicityMode.COMMIT_FILE
      self._manager = ocp.CheckpointManager(
        self._directory,
        options=ocp.CheckpointManagerOptions(
          create=False,
          preservation_policy=self._keep,
          atomicity_options=ocp.options.AtomicityOptions(mode=mode),
          multiprocessing_options=format.alone(),
        ),
      )
    return self._manager

  def _attempt(self, part: Callable[[], Any]):
    """Does a part of the save at hand; if it fails, nothing is left of it."""
    try:
      part()
      return
    except Exception as error:  # Orbax raises anything
      cause = error
    failure = self.fail(self._step, cause)
    if damage.errno_of(cause):
      cause = None  # all is in `failure`, and a traceback holds arrays
    with warnings.catch_warnings():
      # What Orbax had meant to do after the part that failed.
      warnings.filterwarnings('ignore', '.*was never awaited', RuntimeWarning)
      self._forget()
      gc.collect()
    raise failure from cause

  def _forget(self):
    """Drops the manager, which counts the step, and what the step has left."""
    step, self._step = self._step, None
    with contextlib.suppress(Exception):  # it raises the same once more
      self._close_manager()
    self._workarounds.close()
    _remove(self._directory / str(step))


def _remove(path):
  """Deletes a folder that Orbax's other threads may still write into."""
  for _ in range(TRIES):
    if not os.path.lexists(path) or format.is_finished(path):
      return
    shutil.rmtree(path, ignore_errors=True)
    time.sleep(SECONDS)


@contextlib.contextmanager
def _reported_if_slow(step, say):
  """Says so if its block, in which a save is waited for, takes long."""
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
