"""Saves one step at a time in the background; a failed save costs only itself.

Orbax tells what went wrong in its thread at some later call, leaves a folder
half written, and counts the step as saved. Here a save that fails is as if it
had never been, and the next one finds everything in order.
"""

import contextlib
import copy
import errno
import gc
import os
import pathlib
import shutil
import time
import warnings
from collections.abc import Callable
from typing import Any

import orbax.checkpoint as ocp
import tensorstore as ts
from orbax.checkpoint._src.serialization import tensorstore_utils

from gan_jax.storage import damage, format

TRIES, SECONDS = 10, 0.02  # to delete what a failed save has left


def _spare_tensorstore():
  """Asks TensorStore less: what it answers with, 0.1.86 never frees.

  Orbax asks at each save how much was written, to log it (57 kB a save of 60
  arrays), and for each array how its folder is written to (15 kB). The first is
  not asked: to have written nothing is what Orbax logs nothing about. The
  second is asked once a folder.
  """
  if hasattr(tensorstore_utils, 'get_tensorstore_raw_bytes'):
    tensorstore_utils.get_tensorstore_raw_bytes = lambda direction=None: 0
  ask, last = ts.KvStore.Spec.to_json, (None, None)

  def to_json(spec, *args, **kwargs):
    nonlocal last
    question, known = (repr(spec), args, kwargs), last
    if known[0] != question:
      known = last = question, ask(spec, *args, **kwargs)
    return copy.deepcopy(known[1])

  ts.KvStore.Spec.to_json = to_json


_spare_tensorstore()


class SaveFailed(OSError):
  """A step that could not be saved; the older checkpoints are as they were.

  `step`, `reason` in words, and `errno`: what the disk said, else EIO.
  """

  def __init__(self, step: int, reason: str, code: int | None = None):
    super().__init__(code or errno.EIO, reason)
    self.step, self.reason = step, reason

  def __str__(self):
    return f'checkpoint {self.step} could not be saved ({self.reason})'


class Saver:
  """What writes the steps of one directory."""

  def __init__(self, directory: pathlib.Path, keep, *, say: Callable):
    """Opens nothing yet.

    Args:
      directory: where the steps lie; made at the first save.
      keep: Orbax's policy: its should_preserve says which steps stay.
      say: told when a step is safe but something beside it went wrong.
    """
    self._directory, self._keep, self._say = directory, keep, say
    self._step: int | None = None  # that is being saved
    self._manager: ocp.CheckpointManager | None = None

  @property
  def step(self) -> int | None:
    """That is being saved, or whose end nobody has looked at yet."""
    return self._step

  def begin(self, step: int, args, *, prepare: Callable[[], Any]):
    """Begins to save a step; the state may be donated right afterwards.

    Args:
      step: its number; no other is being saved.
      args: from stored.to_write.
      prepare: makes room for it among the folders.

    Raises:
      SaveFailed: it could not even be begun.
    """
    self._step = step
    self._attempt(self._make_folders)
    self._attempt(prepare)
    self._attempt(lambda: self._open().save(step, args=args, force=True))

  def poll(self):
    """Looks after the save in the background, without waiting for it.

    Raises:
      SaveFailed: it has failed.
    """
    if self._step is not None and not self._manager.is_saving_in_progress():
      self.wait()

  def wait(self):
    """Returns when all is on disk.

    Raises:
      SaveFailed: what went wrong in the background.
    """
    if self._step is None:
      return
    step = self._step
    try:
      self._attempt(lambda: self._manager.wait_until_finished())
    except SaveFailed as error:
      if not format.is_finished(self._directory / str(step)):
        raise
      # An older one could not be deleted; the next save tries again.
      self._say(f'checkpoint {step} is saved, but then: {error.reason}')
    self._step = None

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
      manager, self._manager = self._manager, None
      if manager:
        manager.close()

  def _make_folders(self):
    """Sees that some can be made: else Orbax waits for them for minutes."""
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
      seen = error
    code = damage.errno_of(seen)
    failed = SaveFailed(self._step, damage.of_a_write(seen), code)
    cause = None if code else seen
    with warnings.catch_warnings():
      # What Orbax had meant to do after the part that failed.
      warnings.filterwarnings('ignore', '.*was never awaited', RuntimeWarning)
      del seen
      self._forget()
      gc.collect()
    raise failed from cause

  def _forget(self):
    """Drops the manager, which counts the step, and what the step has left."""
    step, self._step = self._step, None
    manager, self._manager = self._manager, None
    if manager:
      with contextlib.suppress(Exception):  # it tells the same once more
        manager.close()
    _remove(self._directory / str(step))


def _remove(path):
  """Deletes a folder that Orbax's other threads may still write into."""
  for _ in range(TRIES):
    if not os.path.lexists(path) or format.is_finished(path):
      return
    shutil.rmtree(path, ignore_errors=True)
    time.sleep(SECONDS)
