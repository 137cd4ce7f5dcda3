"""Leases: who works on what, agreed on in a folder that machines share.

No server and no common clock. A lease is a file that is made whole or not at
all, and that its owner writes anew every few seconds. It is taken over when its
owner's process is gone, as far as that can be seen from here, or when it has
not changed for STALE_SECONDS by the watcher's own clock. An owner that slept
through this notices it at its next beat and lets go.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import math
import os
import pathlib
import platform
import threading
import time
import uuid

from gan_jax.storage import files

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
# What file systems say that have no hard links, or no locks.
_LACKING = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK)


class Lost(Exception):
  """Somebody else has taken over what this process was doing."""


class Lease:
  """A lease that this process holds; a thread keeps it fresh.

  A context manager: it is given back at the end.
  """

  def __init__(self, path: pathlib.Path, token: str):
    """Of a file that `take` has made; not for others to call."""
    self._path, self._token = path, token
    self._news, self._beats, self._lost = {}, 0, False
    self._since = _now()
    self._writing = threading.Lock()
    self._over = threading.Event()
    self._thread = threading.Thread(target=self._keep, daemon=True)
    self._thread.start()

  def __enter__(self):
    return self

  def __exit__(self, *error):
    self.give_back()

  def give_back(self):
    """Ends it, unless it has been taken over."""
    self._over.set()
    self._thread.join()
    if self._ours():
      # Gone, or on a disk that has become read-only.
      with contextlib.suppress(OSError):
        self._path.unlink()

  def tell(self, **news):
    """What the lease says of the work, from its next beat on.

    Raises:
      Lost: it has been taken over.
    """
    self._news = news
    self.check()

  def check(self):
    """Raises Lost if it has been taken over, as its last beat saw it."""
    if self._lost:
      owner = files.read_json(self._path)
      by = f'by {describe(owner)}' if owner else 'and given back'
      raise Lost(f'{self._path} was taken over {by}')

  def confirm(self):
    """Looks now whether it has been taken over; raises Lost if it has."""
    self._lost |= not self._ours()
    self.check()

  def _keep(self):
    while not self._over.wait(BEAT_SECONDS if self._beats else 0):
      with contextlib.suppress(OSError):  # the next beat may do better
        self._beat()

  def _beat(self):
    with self._writing:
      if not self._ours():
        self._lost = True
        return
      self._beats += 1
      news = {'since': self._since, 'beat': self._beats, **self._news}
      files.write_text(self._path, _content(self._token, **news))

  def _ours(self):
    return files.read_json(self._path).get('token') == self._token


class Unshared:
  """Stands in for a lease where there is nobody to share with."""

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def tell(self, **news):
    """Nobody listens."""

  def confirm(self):
    """Nobody takes it over."""

  def give_back(self):
    """Nobody waits for it."""


class Watcher:
  """Takes leases, and remembers since when others' have not changed."""

  def __init__(
    self, *, stale_seconds: float = STALE_SECONDS, by_file_time: bool = False
  ):
    """Nothing is known yet.

    Args:
      stale_seconds: after which an unchanged lease is taken over.
      by_file_time: whether silence before the first look counts, too, as far
        as the file's time can tell. Clocks may be wrong, so two beats are
        waited for in any case.
    """
    self._stale, self._by_file_time = stale_seconds, by_file_time
    self._seen: dict[pathlib.Path, tuple] = {}

  def take(self, path) -> Lease | None:
    """The lease of a path, if it is free or its owner is gone; else None."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    exists, owner = path.exists(), files.read_json(path)
    if self._holds(path, owner, exists=exists):
      return None
    token = uuid.uuid4().hex
    made = _take_over(path, owner, token) if exists else _create(path, token)
    return Lease(path, token) if made else None

  def is_held(self, path) -> bool:
    """Whether somebody works on it, as far as can be seen."""
    path = pathlib.Path(path)
    exists, owner = path.exists(), files.read_json(path)
    return self._holds(path, owner, exists=exists)

  def seconds_left(self, path) -> float:
    """Until a lease is stale if it does not change; inf if it is not there."""
    _, since = self._seen.get(pathlib.Path(path), (None, math.inf))
    return max(since + self._stale - time.monotonic(), 0.0)

  def _holds(self, path, owner, *, exists):
    if not exists:
      self._seen.pop(path, None)
      return False
    if owner.get('host') == host() and not _lives(owner):
      return False
    if path not in self._seen:
      self._seen[path] = pulse(owner), time.monotonic() - self._credit(path)
    elif self._seen[path][0] != pulse(owner):
      self._seen[path] = pulse(owner), time.monotonic()
    return self.seconds_left(path) > 0

  def _credit(self, path):
    """Seconds of silence before the first look."""
    if not self._by_file_time:
      return 0.0
    return min(silence(path), self._stale - 2 * BEAT_SECONDS)


def pulse(owner: dict) -> tuple:
  """What changes in a lease's content at each beat, and with its owner."""
  return owner.get('token'), owner.get('beat')


def describe(owner: dict) -> str:
  """Whose lease it is, by its content, in words."""
  node = str(owner.get('host', 'another machine')).partition('/')[0]
  step, steps = owner.get('step'), owner.get('steps')
  at = f' (step {step}{f" of {steps}" if steps else ""})' if step else ''
  since = f' since {owner["since"]}' if 'since' in owner else ''
  return f'process {owner.get("pid", "unknown")} on {node}{since}{at}'


def silence(path) -> float:
  """Seconds since a lease was written, by the clock of its file system."""
  path = pathlib.Path(path)
  probe = path.with_name(f'.{path.name}.{uuid.uuid4().hex}')
  try:
    probe.touch()
    return max(probe.stat().st_mtime - path.stat().st_mtime, 0.0)
  except FileNotFoundError:  # given back just now
    return 0.0
  finally:
    probe.unlink(missing_ok=True)


def host() -> str:
  """This machine, as long as it runs; of containers each one by itself."""
  boot = pathlib.Path('/proc/sys/kernel/random/boot_id')
  names = [platform.node()]
  with contextlib.suppress(OSError):
    names += [boot.read_text().strip(), os.readlink('/proc/self/ns/pid')]
  return '/'.join(names)


def _content(token, **news):
  pid = os.getpid()
  owner = {'token': token, 'host': host(), 'pid': pid, 'born': _born(pid)}
  return json.dumps(owner | news)


def _create(path, token):
  """Makes the file whole, or not at all, if there is none."""
  draft = path.with_name(f'.{path.name}.{token}')
  content = _content(token, beat=0)
  try:
    draft.write_text(content, encoding='utf-8')
    os.link(draft, path)
  except FileExistsError:
    return False
  except OSError as e:
    if e.errno not in _LACKING:
      e.filename = str(path)
      raise
    return _create_in_place(path, content)
  finally:
    draft.unlink(missing_ok=True)
  return True


def _create_in_place(path, content):
  """Without hard links: for a moment others may see it empty."""
  try:
    with path.open('x', encoding='utf-8') as file:
      file.write(content)
  except FileExistsError:
    return False
  return True


def _take_over(path, judged, token):
  """Replaces the very lease that was judged; others may be about it, too.

  They queue for a file lock that ends with its holder. The first replaces the
  lease, and the others see another one than they had judged. On a file system
  without locks two may get it at once; one of them notices at its next beat.
  """
  with path.with_name('.takeover').open('a') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as e:
      if e.errno not in _LACKING:
        raise
    if files.read_json(path).get('token') != judged.get('token'):
      return False
    path.unlink(missing_ok=True)
    return _create(path, token)


def _now():
  return datetime.datetime.now().astimezone().isoformat(timespec='seconds')


def _lives(owner):
  born = _born(owner.get('pid'))
  return born is not None and born == owner.get('born')


def _born(pid):
  """When a process began, so that a reused number is another process."""
  try:
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
  except OSError:
    return _exists(pid)
  fields = stat.rpartition(')')[2].split()
  return None if fields[0] == 'Z' else fields[19]


def _exists(pid):
  """Without /proc: '' for a process that lives, None for any other."""
  if pathlib.Path('/proc/self/stat').exists() or not isinstance(pid, int):
    return None
  try:
    os.kill(pid, 0)
  except OSError:
    return None
  return ''
