"""Hears stop signals in a thread, while the interpreter waits for a compiler.

Python's own handlers run between two steps of the interpreter; a compilation of
XLA is one such step, of seconds to minutes.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

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
