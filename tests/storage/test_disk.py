"""Disks that are full, read-only or over quota: only a save is lost."""

import errno
import os
import subprocess
import threading
import time

import numpy as np
import pytest

from gan_jax.report import appender, writers
from gan_jax.storage import damage
from gan_jax.storage.checkpoints import Checkpoints, SaveFailed
from gan_jax.study import worker
from tests.storage import disks
from tests.storage.damaging import as_anybody
from tests.storage.test_checkpoints import assert_same, small

disk = disks.disk  # fixture


def trees(folder):
  return {str(p): p.stat().st_mtime_ns for p in sorted(folder.rglob('*'))}


# Checkpoints


def test_wherever_the_disk_ends_only_that_save_is_lost(disk):
  folder, step = disk.path / 'c', 2
  results = []
  with Checkpoints(folder, keep_last=2, keep_best=0) as c:
    for first in (1, 2):
      c.save(first, small(first), {}, wait=True)
    for pages in range(0, 24, 2):
      disk.fill(leave=pages)
      good, step = c.steps(), step + 1
      before = trees(folder / str(good[-1]))
      try:
        c.save(step, small(step), {}, wait=True)
      except SaveFailed as error:
        assert error.errno == errno.ENOSPC and error.step == step
        told = f'checkpoint {step} could not be saved (No space left on device)'
        assert str(error) == told
        assert c.steps() == good and trees(folder / str(good[-1])) == before
        assert {p.name for p in folder.iterdir()} == set(map(str, good))
        results.append('failed')
      else:
        assert c.latest_step() == step
        results.append('saved')
      newest = c.latest_step()
      with Checkpoints(folder, read_only=True) as reader:
        got = reader.restore(small(0), say=lambda line: pytest.fail(line))
      assert got.step == newest
      assert_same(got.state, small(newest))
    disk.free()
    assert c.save(99, small(99), {}, wait=True) and c.latest_step() == 99
  assert results[0] == 'failed' and results[-1] == 'saved'
  assert results == sorted(results)


def test_a_read_only_disk(disk):
  folder = disk.path / 'c'
  threads = threading.active_count()
  with Checkpoints(folder) as c:
    c.save(1, small(1), {}, wait=True)
    disk.read_only()
    before = trees(disk.path)
    for step in (2, 3):
      with pytest.raises(SaveFailed, match='Read-only file system') as error:
        c.save(step, small(step), {}, wait=True)
      assert error.value.errno == errno.EROFS
    assert trees(disk.path) == before and c.restore(small(0)).step == 1
    disk.writable()
    assert c.save(4, small(4), {}, wait=True) and c.steps() == [1, 4]
  end = time.monotonic() + 60  # some are about to leave
  while threading.active_count() > threads + 1 and time.monotonic() < end:
    time.sleep(0.01)
  assert threading.active_count() <= threads + 1  # Orbax's keep waiting else


def test_a_quota(disk):
  """The real one: of a user who is not root."""
  subprocess.run(['umount', disk.path], check=True)
  disk.mount('size=8m', 'usrquota', 'usrquota_block_hardlimit=300k')
  disk.path.chmod(0o777)
  with Checkpoints(disk.path / 'c') as c:
    c.restore(small(0))
    with as_anybody():
      c.save(1, small(1), {}, wait=True)
      with pytest.raises(SaveFailed, match='quota') as error:
        c.save(
          2, {'w': np.random.default_rng(0).random(200_000)}, {}, wait=True
        )
      assert error.value.errno == errno.EDQUOT and c.steps() == [1]
      c.save(3, small(3), {}, wait=True)
    assert c.steps() == [1, 3]


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_what_orbax_makes_of_it_is_understood(code):
  told = ValueError(
    f'RESOURCE_EXHAUSTED: Error writing "w/0": {os.strerror(code)} [...]'
  )
  wrapped = RuntimeError('a batch failed')
  wrapped.__cause__ = told
  for error in (told, wrapped, OSError(code, os.strerror(code))):
    assert damage.errno_of(error) == code
    assert damage.of_a_write(error) == os.strerror(code)
    assert worker.is_disk_full(error) == (code != errno.EROFS)
  assert damage.errno_of(ValueError('no leaf')) is None
  assert damage.of_a_write(KeyError('leaf')) == "KeyError: 'leaf'"
  assert not worker.is_disk_full(ValueError('no leaf'))


# What grows


def test_no_half_record_stays_in_a_file_and_none_is_lost(disk):
  path = disk.path / 'rows'
  rows = appender.Appender(path)
  records = [bytes([65 + k]) * 3000 + b'\n' for k in range(12)]
  rows.append(records[0])
  disk.fill(leave=1)
  for k in range(1, 6):
    if k == 1:
      rows.append(records[k])  # what is left of the first page, and one more
    else:
      with pytest.raises(OSError, match='No space left'):
        rows.append(records[k])
    assert path.read_bytes() == b''.join(records[:2])
  assert rows.waiting() == 4
  disk.free()
  rows.append(records[6])
  assert path.read_bytes() == b''.join(records[:7]) and not rows.waiting()
  disk.read_only()
  with pytest.raises(OSError, match='Read-only'):
    rows.append(records[7])
  disk.writable()
  rows.close()
  assert path.read_bytes() == b''.join(records[:8])
  path.unlink()  # somebody takes it away
  rows.append(records[8])
  assert path.read_bytes() == records[8]


def test_what_waits_is_bounded(tmp_path):
  (tmp_path / 'rows').mkdir()
  rows = appender.Appender(tmp_path / 'rows', most_bytes=25)
  for k in range(5):
    with pytest.raises(IsADirectoryError):
      rows.append(b'%09d\n' % k)
  assert (rows.waiting(), rows.lost) == (2, 3)
  (tmp_path / 'rows').rmdir()
  rows.close()
  assert (tmp_path / 'rows').read_text().split() == ['000000003', '000000004']


def test_rows_of_a_resume_are_dropped_on_a_full_disk(disk):
  path = disk.path / 'metrics.jsonl'
  lines = [f'{{"step": {k}, "a": {k}}}\n' for k in (10, 20, 30)]
  path.write_text(''.join(lines) + '{"step": 40, "a"')
  disk.fill()
  writers.JsonLines(path, 20)
  assert path.read_text() == ''.join(lines[:2])
