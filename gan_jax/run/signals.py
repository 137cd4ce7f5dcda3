"""Stop signals: a run saves before it leaves, and leaves at once if it may.

Python's own handlers run between two steps of the interpreter; a compilation of
XLA is one such step, of seconds to minutes. So a thread listens, too.
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
  """Ends the process at a second signal, or at one that costs nothing.

  A context manager, for the main thread.
  """

  def __init__(self, signums, *, way_out: Callable):
    """Does not listen yet.

    Args:
      signums: the stop signals.
      way_out: () -> None as long as there is something that has to be saved,
        otherwise a function. Then a first signal ends the process, unless it
        leaves by itself within GRACE_SECONDS; the function is called before.
    """
    self._signums, self._way_out = set(map(int, signums)), way_out
    self._thread = threading.Thread(target=self._listen, daemon=True)

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

  def _listen(self):
    caught, until = [], None
    while True:
      wait = None if until is None else max(0.0, until - time.monotonic())
      if not select.select([self._end], [], [], wait)[0]:
        if (last := self._way_out()) is not None:
          print('stopped before its next step; the same command goes on')
          _within(LAST_SECONDS, last)
          _leave(caught[0])
        until = None
        continue
      byte = os.read(self._end, 1)  # Python writes a signal's number
      if not byte:  # the other end is closed
        return
      caught += [signum for signum in byte if signum in self._signums]
      if len(caught) > 1:
        _leave(caught[-1])
      if caught:
        until = time.monotonic() + GRACE_SECONDS


def _within(seconds, function):
  """Calls a function, and waits for it no longer: a disk may be gone."""
  thread = threading.Thread(target=function, daemon=True)
  thread.start()
  thread.join(seconds)


def _leave(signum):
  sys.stdout.flush()
  os._exit(128 + signum)


# SLURM and submitit send the user signals before a job's time is over.
STOP_SIGNALS = (
  signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip


class Stopped(Exception):
  """A signal has stopped the process, and everything is in order."""

  def __init__(self, signum: int):
    super().__init__(f'stopped by {signal.Signals(signum).name}')
    self.signum = signum


# What the outermost catch_signals has yielded.
_stop_signal: list[Callable] = []
_exposed: list[bool] = []  # one for each interruptible block around
_idle: list[Callable] = []  # the way out, while there is nothing to save


class Interrupted(BaseException):
  """A stop signal has ended an interruptible block.

  Not an Exception, so that no `except Exception` takes it for an error.
  """


@contextlib.contextmanager
def interruptible():
  """In its block a stop signal raises Interrupted, and so does an earlier one.

  For what may take minutes and can be repeated. Not with several processes,
  which stop together.
  """
  if _stop_signal and _stop_signal[0]() is not None:
    raise Interrupted
  _exposed.append(True)
  try:
    yield
  finally:
    _exposed.pop()


@contextlib.contextmanager
def nothing_to_save(last: Callable = lambda: None):
  """Marks a time at which a stop signal may end the process at once.

  Args:
    last: called before the process ends, in another thread.

  Yields:
    end, to be called as soon as there is something to save.
  """
  _idle.append(last)
  try:
    yield _idle.clear
  finally:
    _idle.clear()


@contextlib.contextmanager
def catch_signals():
  """In its block a first stop signal is only noted; a second one ends at once.

  A block within another one shares its signals, so one that came late in a run
  also stops the study that the run belongs to.

  Yields:
    () -> the signal's number, or None if there was none.
  """
  if _stop_signal:
    yield _stop_signal[0]
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
  _stop_signal.append(lambda: caught[0] if caught else None)
  try:
    with watch:
      yield _stop_signal[0]
  finally:
    _stop_signal.clear()
    for signum, old in before.items():
      signal.signal(signum, old)
