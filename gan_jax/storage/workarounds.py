"""Faults of Orbax and TensorStore that every save and every read steps around.

Both libraries are changed only inside `with applied():`, and are as they came
when the last such block ends. Seen with orbax-checkpoint 0.12.8 and tensorstore
0.1.86; neither fault has an issue upstream that we know of.
"""

import asyncio
import contextlib
import copy
import logging
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

WAIT_SECONDS = 5.0  # that a failed read or write waits for the others

_lock = threading.Lock()
_users = 0
_replaced = contextlib.ExitStack()


def _not_by_orbax(record: logging.LogRecord) -> bool:
  return 'orbax' not in pathlib.PurePath(record.pathname).parts


# Orbax logs each phase of each save, and errors that it raises anyway. Its
# threads may do so after our last call, so this one is for good.
logging.getLogger('absl').addFilter(_not_by_orbax)


@contextlib.contextmanager
def applied() -> Iterator[None]:
  """Keeps the workarounds in place while any such block is open.

  A save goes on in other threads, so its block lasts until the save has ended,
  and the last one until they have: one that fails leaves some behind.
  """
  global _users
  with _lock:
    if not _users:
      _replace_all()
    _users += 1
  try:
    yield
  finally:
    if _users == 1:
      _wait_for_threads()
    with _lock:
      _users -= 1
      if not _users:
        _replaced.close()


def _wait_for_threads():
  """Waits for Orbax's threads, but not for one that a signal keeps waiting."""
  from orbax.checkpoint._src.futures import future

  end = time.monotonic() + WAIT_SECONDS
  for thread in threading.enumerate():
    if isinstance(thread, future._SignalingThread):
      # Not its own `join`, which raises what went wrong in it.
      threading.Thread.join(thread, max(0, end - time.monotonic()))


def _replace_all():
  # Here, as both take long to import, see gan_jax.storage.orbax.
  import tensorstore as ts
  from orbax.checkpoint._src import asyncio_utils
  from orbax.checkpoint._src.serialization import tensorstore_utils

  _replace(asyncio_utils, '_run_sync_via_new_loop', lambda usual: _run_sync)
  # At each save Orbax asks TensorStore how much was written, to log it, and
  # TensorStore never frees its answer: 57 kB a save of 60 arrays. Where nothing
  # was written Orbax logs nothing.
  _replace(
    tensorstore_utils,
    'get_tensorstore_raw_bytes',
    lambda usual: lambda direction=None: 0,
  )
  _replace(ts.KvStore.Spec, 'to_json', _ask_once)


def _replace(owner, name: str, make: Callable):
  """Puts make(what is there) in its place, if this version has it at all."""
  # Not getattr: a class would give the function without its binding.
  usual = vars(owner).get(name)
  if usual is not None:
    setattr(owner, name, make(getattr(owner, name)))
    _replaced.callback(setattr, owner, name, usual)


def _run_sync(coroutine):
  """Runs a coroutine, and ends what it has begun before the loop is closed.

  When one of many reads or writes fails, Orbax closes the event loop under the
  others, and each of them complains on the console at some later time.
  """
  loop = asyncio.new_event_loop()
  try:
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(coroutine)
  finally:
    _end_tasks(loop)
    asyncio.set_event_loop(None)
    loop.close()


def _end_tasks(loop):
  """Waits for what a loop still runs; what takes too long is cancelled."""
  for _ in range(2):
    if tasks := asyncio.all_tasks(loop):
      ends = asyncio.wait(tasks, timeout=WAIT_SECONDS)
      _, late = loop.run_until_complete(ends)
      for task in late:  # or it would tell of its end to a closed loop
        task.cancel()


def _ask_once(ask: Callable) -> Callable:
  """`to_json` that remembers its last answer, which TensorStore never frees.

  Orbax asks for each array how the folder of the step is written to, which is
  the same for all of them: 15 kB a save of 60 arrays.
  """
  last = (None, None)

  def to_json(spec, *args, **kwargs):
    nonlocal last
    question, known = (repr(spec), args, kwargs), last
    if known[0] != question:
      known = last = question, ask(spec, *args, **kwargs)
    return copy.deepcopy(known[1])

  return to_json
