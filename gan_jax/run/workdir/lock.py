"""A workdir's lock: one process at a time trains there.

It is a lease, so a crash leaves nothing behind that stands in the way: that of
a process of this machine is taken over at once, and that of one elsewhere when
it has been silent for a minute.
"""

import contextlib
import pathlib
import signal
import time
from collections.abc import Callable, Iterator

from gan_jax.devices import multihost
from gan_jax.run import signals
from gan_jax.storage import files, leases
from gan_jax.types import UserError

NAME = 'train.lease'
LIVELY_SECONDS = 3 * leases.BEAT_SECONDS  # a younger beat is a sign of life
LOOK_SECONDS = 0.25  # between two looks at another's lease


class Held(UserError):
  """Another process trains there, and is alive."""


@contextlib.contextmanager
def hold(
  workdir,
  *,
  stop_signal: Callable,
  say: Callable = print,
  stale_seconds: float = leases.STALE_SECONDS,
) -> Iterator[leases.Lease | leases.Unshared]:
  """Holds a workdir's lock; of several processes the first one does, for all.

  Args:
    workdir: of the run; it exists.
    stop_signal: () -> the signal that came in, or None.
    say: called with a line about what is waited for, or taken over.
    stale_seconds: after which a silent owner's lock is taken over.

  Yields:
    the lease: `tell` it the step, let it `confirm` before anything is written.

  Raises:
    Held: another process trains there.
    signals.Stopped: a stop signal came in while waiting.
  """
  taken = []
  path = pathlib.Path(workdir) / NAME

  def take():
    taken.append(_take(path, stop_signal, say, stale_seconds))
    return taken[0] is not None

  if not multihost.on_process_0(take):
    raise signals.Stopped(stop_signal() or signal.SIGTERM)
  with taken[0] if taken else leases.Unshared() as lease:
    yield lease


def _take(path, stop_signal, say, stale_seconds):
  """The lease, at once if it is free or its owner is seen to be gone.

  An owner elsewhere, or one that sleeps, shows only by its beats whether it is
  alive: the next one is waited for.

  Returns:
    None if there was a stop signal.
  """
  watcher = leases.Watcher(stale_seconds=stale_seconds, by_file_time=True)
  if lease := watcher.take(path):
    return lease
  owner, silent = files.read_json(path), leases.silence(path)
  if owner.get('host') == leases.host() and silent < LIVELY_SECONDS:
    raise _refusal(path, owner, stale_seconds)
  seconds = watcher.seconds_left(path)
  say(
    f'{path.parent} is locked by {leases.describe(owner)}, silent for'
    f' {silent:.0f} s: waiting {seconds:.0f} s for its next beat'
  )
  while (lease := watcher.take(path)) is None:
    now = files.read_json(path)
    if now and leases.pulse(now) != leases.pulse(owner):
      raise _refusal(path, now, stale_seconds)
    if stop_signal() is not None:
      return None
    time.sleep(LOOK_SECONDS)
  if not watcher.seconds_left(path):  # it was not given back
    say(f'{path.parent}: taken over from {leases.describe(owner)}')
  return lease


def _refusal(path, owner, stale_seconds):
  return Held(
    f'--workdir={path.parent}: {leases.describe(owner)} trains there, and'
    ' is alive. Wait for it, stop it, or choose another workdir; should it fall'
    f' silent, it is taken over after {stale_seconds:.0f} s.'
  )
