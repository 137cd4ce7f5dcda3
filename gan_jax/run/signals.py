"""Hears stop signals in a thread, while the interpreter waits for a compiler.

Python's own handlers run between two steps of the interpreter; a compilation of
XLA is one such step, of seconds to minutes.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

from gan_jax.devices import multihost

GRACE_SECONDS = 3.0  # for the usual way out
LAST_SECONDS = 1.0  # for what is done before the process ends at once


class Watch:
  """A second signal ends the process at once; so does one that costs nothing.

  A context manager, for the main thread.
  """

  def __init__(self, signums, *, way_out: Callable):
    """Hears nothing yet.

    Args:
      signums: the stop signals.
      way_out: () -> None, as long as there is something that has to be saved.
        Else a first signal ends the process, should nobody else have done so,
        and what is returned is called before.
    """
    self._signums, self._way_out = set(map(int, signums)), way_out
    self._thread = threading.Thread(target=self._hear, daemon=True)

  def __enter__(self):
    self._end, self._start = os.pipe()
    os.set_blocking(self._start, False)
    self._before = signal.set_wakeup_fd(self._start, warn_on_full_buffer=False)
    self._thread.start()
    return self

  def __exit__(self, *error):
    signal.set_wakeup_fd(self._before)
    os.close(self._start)
    self._thread.join()
    os.close(self._end)

  def _hear(self):
    heard, until = [], None
    while True:
      wait = None if until is None else max(0.0, until - time.monotonic())
      if not select.select([self._end], [], [], wait)[0]:
        if (last := self._way_out()) is not None:
          print('stopped before its next step; the same command goes on')
          _within(LAST_SECONDS, last)
          _leave(heard[0])
        until = None
        continue
      byte = os.read(self._end, 1)
      if not byte:
        return
      heard += [one for one in byte if one in self._signums]
      if len(heard) > 1:
        _leave(heard[-1])
      if heard:
        until = time.monotonic() + GRACE_SECONDS


def _within(seconds, function):
  """Calls it, and waits for it no longer than that: a disk may be gone."""
  thread = threading.Thread(target=function, daemon=True)
  thread.start()
  thread.join(seconds)


def _leave(signum):
  sys.stdout.flush()
  os._exit(128 + signum)


# The user signals are those of clusters: SLURM's, and submitit's.
STOP_SIGNALS = (
  signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip


class Stopped(Exception):
  """The process was told to stop and has put everything in order."""

  def __init__(self, signum: int):
    super().__init__(f'told to stop by {signal.Signals(signum).name}')
    self.signum = signum


_told: list[Callable] = []  # what the outermost catch_signals has yielded
_exposed: list[bool] = []  # one for each interruptible block around
_idle: list[Callable] = []  # the way out, while there is nothing to save


class Interrupted(BaseException):
  """A stop signal has ended an interruptible block. No `except Exception`'s."""


@contextlib.contextmanager
def interruptible():
  """In its block a stop signal raises Interrupted; also one of before.

  For what may take minutes and can be begun anew. One of several processes does
  not get its signals so.
  """
  if _told and _told[0]() is not None:
    raise Interrupted
  _exposed.append(True)
  try:
    yield
  finally:
    _exposed.pop()


@contextlib.contextmanager
def nothing_to_save(last: Callable = lambda: None):
  """Until its block is left or ended, a stop signal costs the run nothing.

  Args:
    last: what is done before the process ends at once, in another thread.

  Yields:
    end, to be called when the run has got on.
  """
  _idle.append(last)
  try:
    yield _idle.clear
  finally:
    _idle.clear()


@contextlib.contextmanager
def catch_signals():
  """In its block a first stop signal is only noted; a second one ends at once.

  Within another such block it is the same block: a signal that came late in a
  run is not lost on the study that the run belongs to.

  Yields:
    () -> the signal's number, or None if there was none.
  """
  if _told:
    yield _told[0]
    return
  caught = []

  several = multihost.several()

  def handler(signum, frame):
    del frame
    if caught:
      os._exit(128 + signum)
    caught.append(signum)
    if several:
      multihost.pass_on()
    elif _exposed:
      raise Interrupted

  # Of several processes JAX's preemption service hears the SIGTERM.
  heard = [s for s in STOP_SIGNALS if not several or s != signal.SIGTERM]
  before, watch = {}, contextlib.nullcontext()
  if threading.current_thread() is threading.main_thread():
    before = {s: signal.signal(s, handler) for s in heard}
    way_out = lambda: _idle[0] if _idle and not several else None
    watch = Watch(STOP_SIGNALS, way_out=way_out)
  _told.append(lambda: caught[0] if caught else None)
  try:
    with watch:
      yield _told[0]
  finally:
    _told.clear()
    for signum, old in before.items():
      signal.signal(signum, old)
