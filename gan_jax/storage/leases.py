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
    self._told, self._beats, self._lost = {}, 0, False
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

  def tell(self, **told):
    """What the lease says of the work, from its next beat on.

    Raises:
      Lost: it has been taken over.
    """
    self._told = told
    self.check()

  def check(self):
    """Raises Lost if it has been taken over, as its last beat saw it."""
    if self._lost:
      found = files.read_json(self._path)
      by = f'by {describe(found)}' if found else 'and given back'
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
      told = {'since': self._since, 'beat': self._beats, **self._told}
      files.write_text(self._path, _content(self._token, **told))

  def _ours(self):
    return files.read_json(self._path).get('token') == self._token


class Unshared:
  """In a lease's place where there is nobody to share with."""

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def tell(self, **told):
    """Nobody listens."""

  def confirm(self):
    """Nobody takes it over."""

  def give_back(self):
    """Nobody waits for it."""


class Watcher:
  """Takes leases, and remembers since when others' have not changed."""

  def __init__(self, *, stale_seconds: float = STALE_SECONDS):
    """Nothing is known yet.

    Args:
      stale_seconds: after which an unchanged lease is taken over.
    """
    self._stale = stale_seconds
    self._seen: dict[pathlib.Path, tuple] = {}

  def take(self, path) -> Lease | None:
    """The lease of a path, if it is free or its owner is gone; else None."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    there, found = path.exists(), files.read_json(path)
    if self._holds(path, there=there, found=found):
      return None
    token = uuid.uuid4().hex
    made = _take_over(path, found, token) if there else _create(path, token)
    return Lease(path, token) if made else None

  def is_held(self, path) -> bool:
    """Whether somebody works on it, as far as can be seen."""
    path = pathlib.Path(path)
    there, found = path.exists(), files.read_json(path)
    return self._holds(path, there=there, found=found)

  def _holds(self, path, *, there, found):
    if not there:
      self._seen.pop(path, None)
      return False
    if found.get('host') == host() and not _lives(found):
      return False
    beat, since = self._seen.get(path, (None, 0.0))
    now = time.monotonic()
    if beat != (found.get('token'), found.get('beat')):
      beat, since = (found.get('token'), found.get('beat')), now
    self._seen[path] = beat, since
    return now - since < self._stale


def describe(found: dict) -> str:
  """Whose lease it is, by its content, in words."""
  node = str(found.get('host', 'another machine')).partition('/')[0]
  step, steps = found.get('step'), found.get('steps')
  at = f' (step {step}{f" of {steps}" if steps else ""})' if step else ''
  since = f' since {found["since"]}' if 'since' in found else ''
  return f'process {found.get("pid", "unknown")} on {node}{since}{at}'


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
  told = [platform.node()]
  with contextlib.suppress(OSError):
    told += [boot.read_text().strip(), os.readlink('/proc/self/ns/pid')]
  return '/'.join(told)


def _content(token, **told):
  pid = os.getpid()
  owner = {'token': token, 'host': host(), 'pid': pid, 'born': _born(pid)}
  return json.dumps(owner | told)


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

  They queue at a lock that dies with its holder. The first replaces the lease,
  and the others find another one than they had judged. On a file system without
  locks two may get it at once; the next beat tells one of them.
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
  """When a process began, so that a number used again is told apart."""
  try:
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
  except OSError:
    return _exists(pid)
  fields = stat.rpartition(')')[2].split()
  return None if fields[0] == 'Z' else fields[19]


def _exists(pid):
  """Without /proc: '' of a process that lives, None of others."""
  if pathlib.Path('/proc/self/stat').exists() or not isinstance(pid, int):
    return None
  try:
    os.kill(pid, 0)
  except OSError:
    return None
  return ''
