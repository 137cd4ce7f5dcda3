"""Leases: one owner at a time, whoever dies, sleeps or comes late."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gan_jax.storage import files, leases

OWNER = """
import sys, time
from gan_jax.storage import leases
lease = leases.Watcher().take(sys.argv[1])
print('taken' if lease else 'held', flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
  return tmp_path / 'job.lease'


@contextlib.contextmanager
def owning(code, path, *, says):
  """Another process, once it has said that it owns what lies at a path."""
  with subprocess.Popen(
    [sys.executable, '-c', code, path], stdout=subprocess.PIPE, text=True
  ) as process:
    try:
      assert process.stdout.readline() == f'{says}\n'
      yield process
    finally:
      process.kill()


@pytest.fixture
def owner(path):
  """Another process that holds the lease."""
  with owning(OWNER, path, says='taken') as process:
    yield process


def test_a_lease_is_held_until_it_is_given_back(path):
  first, second = leases.Watcher(), leases.Watcher()
  with first.take(path):
    assert second.take(path) is None and second.is_held(path)
  assert not path.exists()
  with second.take(path):
    assert first.take(path) is None


def race(path, *, dead):
  """The leases that eight threads at once have got, of one that is free.

  Args:
    path: of the lease.
    dead: whether there is one whose owner is gone.
  """
  if dead:
    told = {'token': 'x', 'host': leases.host(), 'pid': 1, 'born': 'never'}
    path.write_text(json.dumps(told))
  won, ready = [], threading.Barrier(8)

  def one():
    ready.wait()
    lease = leases.Watcher().take(path)
    if lease:
      won.append(lease)

  threads = [threading.Thread(target=one) for _ in range(8)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  return won


@pytest.mark.parametrize('dead', [False, True])
def test_one_of_many_gets_it(path, dead):
  """Whether there was none, or one whose owner is gone."""
  for _ in range(40):
    won = race(path, dead=dead)
    assert len(won) == 1
    won[0].__exit__()
    # No drafts are left.
    assert {p.name for p in path.parent.iterdir()} <= {'.takeover'}


def test_the_dead_are_followed_at_once(path, owner):
  watcher = leases.Watcher(stale_seconds=1e6)
  assert watcher.take(path) is None
  owner.send_signal(signal.SIGKILL)
  owner.wait()
  with watcher.take(path):
    assert files.read_json(path)['pid'] == os.getpid()


def test_a_number_used_again_is_another_process(path):
  told = {'token': 'x', 'host': leases.host(), 'pid': os.getpid(), 'born': '1'}
  path.write_text(json.dumps(told))
  with leases.Watcher(stale_seconds=1e6).take(path):
    assert files.read_json(path)['token'] != 'x'


def test_an_owner_elsewhere_is_followed_when_it_falls_silent(path, monkeypatch):
  clock = [100.0]
  monkeypatch.setattr(leases.time, 'monotonic', lambda: clock[0])
  told = {'token': 'x', 'host': 'elsewhere', 'pid': 1, 'born': '1', 'beat': 3}
  path.write_text(json.dumps(told))
  watcher = leases.Watcher(stale_seconds=60)
  assert watcher.take(path) is None
  clock[0] += 59
  assert watcher.take(path) is None
  path.write_text(json.dumps(told | {'beat': 4}))  # it lives
  clock[0] += 59
  assert watcher.take(path) is None
  clock[0] += 59
  assert watcher.take(path) is None
  clock[0] += 2
  with watcher.take(path):
    assert files.read_json(path)['pid'] == os.getpid()


def beating(*taken):
  """Leases whose threads are not about their first beat any more."""
  while not all(lease._beats or lease._lost for lease in taken):
    time.sleep(0.01)
  for lease in taken:
    with lease._writing:
      pass
  return taken


def test_who_slept_through_it_lets_go(path):
  (lease,) = beating(leases.Watcher().take(path))
  path.write_text(json.dumps({'token': 'of somebody else'}))
  lease._beat()
  with pytest.raises(leases.Lost):
    lease.tell(step=3)
  lease.__exit__()
  assert files.read_json(path)['token'] == 'of somebody else'


def test_a_lease_made_meanwhile_stays(path):
  path.write_text(json.dumps({'token': 'new'}))
  assert not leases._take_over(path, {'token': 'old'}, 'ours')
  assert files.read_json(path)['token'] == 'new'


def test_what_is_told_can_be_read(path):
  with leases.Watcher().take(path) as lease:
    lease.tell(step=7, pace=2.5)
    lease._beat()
    found = files.read_json(path)
  assert (found['step'], found['pace']) == (7, 2.5)


def test_it_is_told_at_once_when_asked(path):
  with leases.Watcher().take(path) as lease:
    beating(lease)[0].confirm()
    path.write_text(json.dumps({'token': 'other', 'pid': 7, 'host': 'node/x'}))
    with pytest.raises(leases.Lost, match='taken over by process 7 on node'):
      lease.confirm()
    with pytest.raises(leases.Lost):
      lease.tell(step=3)


def test_a_lease_that_somebody_has_removed_is_lost(path):
  with leases.Watcher().take(path) as lease:
    beating(lease)
    path.unlink()
    with pytest.raises(leases.Lost, match='given back'):
      lease.confirm()
  assert not path.exists()


@pytest.mark.parametrize('dead', [False, True])
def test_where_there_are_neither_links_nor_locks(path, dead, monkeypatch):
  """One of many has it in the end, though two may think so for a beat."""

  def lacking(*args):
    raise OSError(errno.EPERM, 'not here')

  monkeypatch.setattr(leases.os, 'link', lacking)
  monkeypatch.setattr(leases.fcntl, 'flock', lacking)
  for _ in range(20):
    won = race(path, dead=dead)
    assert sum(lease._ours() for lease in beating(*won)) == 1
    for lease in won:
      lease.__exit__()
    assert {p.name for p in path.parent.iterdir()} <= {'.takeover'}


def test_other_errors_of_the_disk_are_no_lack_of_locks(path, monkeypatch):
  def full(*args):
    raise OSError(errno.ENOSPC, 'full')

  monkeypatch.setattr(leases.os, 'link', full)
  with pytest.raises(OSError, match='full'):
    leases.Watcher().take(path)
  assert list(path.parent.iterdir()) == []
