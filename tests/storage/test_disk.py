"""Disks that are full, read-only, over quota or slow: a run bears with them."""

import errno
import os
import pathlib
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

from gan_jax import train
from gan_jax.report import appender, writers
from gan_jax.run import command, hooks, save_retries, signals, training
from gan_jax.storage import damage
from gan_jax.storage.checkpoints import Checkpoints, SaveFailed
from gan_jax.study import worker
from tests.report.test_writers import _events
from tests.run.test_resume import assert_same as assert_same_run
from tests.run.test_resume import saved
from tests.storage.test_checkpoints import assert_same, small

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534


class Disk:
  """A small file system of one's own."""

  def __init__(self, path):
    self.path = path

  def mount(self, *options):
    done = subprocess.run(
      ['mount', '-o', ','.join(options), *self._of(options), self.path],
      capture_output=True,
      text=True,
    )
    if done.returncode:
      pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')

  def _of(self, options):
    return [] if 'remount' in options else ['-t', 'tmpfs', 'tmpfs']

  def fill(self, *, leave=0):
    """Takes all room but for so many pages."""
    self.free()
    about = os.statvfs(self.path)
    room = (about.f_bavail - leave) * about.f_bsize
    (self.path / 'fill').write_bytes(bytes(max(room, 0)))

  def free(self):
    (self.path / 'fill').unlink(missing_ok=True)

  def read_only(self):
    self.mount('remount', 'ro')

  def writable(self):
    self.mount('remount', 'rw')


@pytest.fixture
def disk(tmp_path):
  path = tmp_path / 'disk'
  path.mkdir()
  if os.geteuid():
    pytest.skip('only root mounts file systems')
  found = Disk(path)
  found.mount('size=8m')
  yield found
  subprocess.run(['umount', '-l', path], capture_output=True)


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
  assert threading.active_count() <= threads + 1  # Orbax's keep waiting else


def test_a_quota(disk):
  """The real one: of a user who is not root."""
  subprocess.run(['umount', disk.path], check=True)
  disk.mount('size=8m', 'usrquota', 'usrquota_block_hardlimit=300k')
  disk.path.chmod(0o777)
  for parent in disk.path.parents[:3]:
    parent.chmod(parent.stat().st_mode | 0o055)
  with Checkpoints(disk.path / 'c') as c:
    c.restore(small(0))
    os.seteuid(NOBODY)
    try:
      c.save(1, small(1), {}, wait=True)
      with pytest.raises(SaveFailed, match='quota') as error:
        c.save(
          2, {'w': np.random.default_rng(0).random(200_000)}, {}, wait=True
        )
      assert error.value.errno == errno.EDQUOT and c.steps() == [1]
      c.save(3, small(3), {}, wait=True)
    finally:
      os.seteuid(0)
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


# Runs

NAMES = ('modes', 'high_quality', 'reverse_kl')
STEPS = {'steps': 12, 'save_every': 2, 'report_every': 4, 'eval_every': 6}


class Told:
  """In place of the console; does something when a step is reached."""

  def __init__(self):
    self.at, self.lines, self.steps = {}, [], []

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def advance(self, step):
    self.steps.append(step)
    self.at.pop(step, lambda: None)()

  def report(self, step, metrics):
    pass

  def scores(self, step, scores):
    pass

  def say(self, line):
    self.lines.append(line)

  def like(self, words):
    return [line for line in self.lines if words in line]


def recipe(**overrides):
  return command.load_config(
    f'{ROOT}/configs/ring8.py:tiny', STEPS | {'metrics': NAMES} | overrides
  )


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('undisturbed') / 'run'
  training.train(recipe(), workdir, progress=Told())
  return workdir


@pytest.fixture
def hasty(monkeypatch):
  monkeypatch.setattr(save_retries, 'RETRY_SECONDS', 0.1)


class Run:
  """A run on a disk of which something becomes in its midst."""

  def __init__(self, disk):
    self.disk, self.workdir = disk, disk.path / 'run'
    self.told = Told()

  def train(self, **overrides):
    training.train(recipe(**overrides), self.workdir, progress=self.told)

  def after(self, step, act):
    """Does it once a step is safe: it is saved beside the training."""

    def wait_and_act():
      end = time.monotonic() + 60
      while step not in saved(self.workdir) and time.monotonic() < end:
        time.sleep(0.01)
      act()

    return wait_and_act


@pytest.fixture
def run(disk):
  return Run(disk)


def shown(workdir):
  """Steps and names of all that TensorBoard shows."""
  return [
    (event.step, value.tag)
    for event in _events(workdir)
    for value in event.summary.value
    if 'per_s' not in value.tag
  ]


@pytest.mark.parametrize('pages', [0, 1, 2, 4])
def test_a_disk_that_is_full_from_the_start_is_one_line(disk, pages, capsys):
  disk.fill(leave=pages)
  argv = [f'--workdir={disk.path / "run"}', '--config.save_patience_minutes=0']
  argv += [f'--config={ROOT}/configs/ring8.py:tiny', '--config.steps=2']
  with pytest.raises(SystemExit) as ended:
    command.run(train.main, ['train', *argv])
  line = str(ended.value.code)
  assert line.startswith('error: ') and '\n' not in line
  assert 'No space left on device' in line
  assert pages > 1 or f'{disk.path}/run/' in line  # else a checkpoint
  disk.free()
  train.main(['train', *argv])
  assert 'Traceback' not in capsys.readouterr().err


def test_a_run_on_a_full_disk_goes_on_and_ends_the_same(run, undisturbed):
  """What it prints may go to that disk, too."""
  say = run.told.say

  def say_into_a_file(line):
    say(line)
    with open(run.disk.path / 'log.txt', 'a') as log:
      log.write(line + '\n')

  run.told.say = say_into_a_file
  run.told.at = {4: run.after(2, run.disk.fill), 10: run.disk.free}
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  assert shown(run.workdir) == shown(undisturbed)
  log = (run.disk.path / 'log.txt').read_text()
  assert log.count('could not be saved') < 3  # in between it could not be kept
  failed = run.told.like('could not be saved')
  assert len(failed) == 3
  for step, line in zip((4, 6, 8), failed, strict=True):
    assert line.startswith(
      f'checkpoint {step} could not be saved (No space left on device); failing'
      ' since '
    )
    assert line.endswith('the newest good checkpoint is that of step 2')
    assert line.split(' since ')[1][:8] == failed[0].split(' since ')[1][:8]
  assert len(run.told.like('the disk takes it again')) == 1
  assert len(run.told.like('reports: metrics.jsonl not written')) == 1
  assert len(run.told.like('reports are written again')) == 1
  assert saved(run.workdir)[-2:] == [10, 12]
  assert not (run.workdir / 'checkpoints' / '4').exists()


@pytest.mark.slow
def test_a_disk_that_is_read_only_for_a_while(run, undisturbed):
  run.told.at = {4: run.after(2, run.disk.read_only), 10: run.disk.writable}
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  failed = run.told.like('could not be saved (Read-only file system)')
  assert len(failed) == 3
  assert len(run.told.like('reports: ')) == 1


@pytest.mark.slow
def test_without_patience_the_first_failure_stops_it(run, undisturbed):
  run.told.at = {4: run.after(2, run.disk.fill)}
  with pytest.raises(save_retries.Exhausted) as error:
    run.train(save_patience_minutes=0.0)
  told = str(error.value)
  assert told.startswith('checkpoint 4 could not be saved (No space left')
  assert 'the newest good checkpoint is that of step 2' in told
  assert 'save_patience_minutes=0 are over' in told and '\n' not in told
  assert worker.is_disk_full(error.value)
  assert max(run.told.steps) <= 6 and saved(run.workdir) == [2]
  run.disk.free()
  run.train()
  assert run.told.like('at step 2')
  assert_same_run(undisturbed, run.workdir, 12)


@pytest.mark.slow
def test_patience_is_counted_from_the_first_failure(run):
  run.told.at = {4: run.after(2, run.disk.fill), 8: lambda: time.sleep(1.3)}
  with pytest.raises(save_retries.Exhausted, match='checkpoint [68] '):
    run.train(save_patience_minutes=1 / 60)
  assert len(run.told.like('could not be saved')) in (1, 2)


@pytest.mark.slow
def test_at_its_end_a_run_waits_for_the_disk(run, undisturbed, hasty):
  def fill():
    run.disk.fill()
    threading.Timer(1.0, run.disk.free).start()

  run.told.at = {12: run.after(10, fill)}
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  assert len(run.told.like('the run is at its end and waits')) == 1
  assert len(run.told.like('could not be saved')) == 1


@pytest.mark.slow
def test_at_its_end_patience_is_over_some_time(run, undisturbed, hasty):
  run.told.at = {12: run.after(10, run.disk.fill)}
  with pytest.raises(save_retries.Exhausted, match='checkpoint 12 ') as error:
    run.train(save_patience_minutes=0.5 / 60)
  assert 'the newest good checkpoint is that of step 10' in str(error.value)
  run.disk.free()
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)


@pytest.mark.slow
def test_the_last_reports_are_waited_for_too(
  run, undisturbed, hasty, monkeypatch
):
  """The disk is full when all is saved, and the scores are not yet written."""
  save_neighbours = hooks.save_neighbours

  def full(*args, **options):
    run.disk.fill()
    threading.Timer(1.0, run.disk.free).start()
    monkeypatch.setattr(hooks, 'save_neighbours', save_neighbours)

  monkeypatch.setattr(hooks, 'save_neighbours', full)
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  assert run.told.like('could not be written (No space left on device)')
  assert len(run.told.like('the disk takes it again')) == 1


@pytest.mark.slow
@pytest.mark.parametrize('at', [6, 12])
def test_told_to_stop_on_a_full_disk(run, at, request):
  """At the end of a run, too, when it waits for the disk."""

  def fill_and_stop():
    run.disk.fill()
    kill = lambda: os.kill(os.getpid(), signal.SIGTERM)
    if at < 12:
      kill()
    else:
      threading.Timer(1.0, kill).start()
    run.begin = time.monotonic()

  run.told.at = {at: run.after(at - 2, fill_and_stop)}
  with pytest.raises(signals.Stopped) as stopped:
    run.train()
  assert time.monotonic() - run.begin < 10
  assert stopped.value.signum == signal.SIGTERM
  if at < 12:
    (line,) = run.told.like(f'stopped at step {at}; ')
    assert f'the save of step {at} has failed, the newest good' in line
    assert line.endswith(
      f'of step {at - 2}; the same command goes on from there'
    )
  if at < 12:
    return
  run.disk.free()
  run.train()
  assert run.told.like(f'at step {at - 2}')
  undisturbed = request.getfixturevalue('undisturbed')
  assert_same_run(undisturbed, run.workdir, 12)
