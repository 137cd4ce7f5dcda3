"""What a run says and does when its saves fail, by a clock of the test's."""

import errno
import os
import signal
import threading
import time

import orbax.checkpoint as ocp
import pytest

from gan_jax import train
from gan_jax.run import command, save_retries, signals
from gan_jax.storage import leases, saver
from gan_jax.storage.checkpoints import Checkpoints, SaveFailed
from tests.storage.test_checkpoints import small

FULL = SaveFailed(40, 'No space left on device', errno.ENOSPC)


@pytest.fixture
def clock(monkeypatch):
  """Seconds; a test moves them."""
  now = [0.0]
  monkeypatch.setattr(save_retries.time, 'monotonic', lambda: now[0])
  return now


def bear(minutes, said, *, newest=30):
  return save_retries.Deadline(minutes, newest=lambda: newest, say=said.append)


def test_each_failure_is_told_and_then_it_stops(clock):
  said = []
  p = bear(30, said)
  for minute in (0, 10, 29):
    clock[0] = 60 * minute
    p.failed(FULL)
  assert len(said) == 3
  for line in said:
    assert line.startswith(
      'checkpoint 40 could not be saved (No space left on device); failing'
      ' since '
    )
    assert line.endswith('; the newest good checkpoint is that of step 30')
  clock[0] = 60 * 30
  with pytest.raises(save_retries.Exhausted) as error:
    p.failed(FULL)
  assert error.value.errno == errno.ENOSPC and len(said) == 3
  assert 'save_patience_minutes=30 are over: make room' in str(error.value)
  assert '\n' not in str(error.value) and isinstance(error.value, OSError)


def test_a_success_begins_it_anew(clock):
  said = []
  p = bear(30, said)
  p.worked()
  assert not said
  p.failed(FULL)
  clock[0] = 60 * 29
  p.worked()
  assert said[1] == (
    'the disk takes it again; the newest good checkpoint is that of step 30'
  )
  clock[0] = 60 * 58
  p.failed(FULL)
  assert len(said) == 3


def test_no_patience_at_all(clock):
  with pytest.raises(
    save_retries.Exhausted, match='there is no good checkpoint'
  ):
    bear(0.0, [], newest=None).failed(FULL)


def test_reports_of_the_end_are_named():
  said = []
  bear(1, said).failed(OSError(errno.EIO, 'Input/output error', 'a.json'))
  assert said[0].startswith('a.json could not be written (Input/output error')


@pytest.fixture
def hasty(monkeypatch):
  monkeypatch.setattr(save_retries, 'RETRY_SECONDS', 0.05)
  monkeypatch.setattr(save_retries, 'LOOK_SECONDS', 0.01)


def test_the_end_is_tried_again_and_told_once(hasty):
  said, results = [], [FULL, FULL, FULL, None]

  def write():
    result = results.pop(0)
    if result:
      raise result
    return 'done'

  assert save_retries.retry(write, bear(1, said)) == 'done'
  assert len(said) == 3
  assert said[1].startswith('the run is at its end and waits for the disk, for')
  assert said[2].startswith('the disk takes it again')


def test_the_end_does_not_wait_for_ever(hasty):
  def write():
    raise FULL

  begin = time.monotonic()
  with pytest.raises(save_retries.Exhausted):
    save_retries.retry(write, bear(0.3 / 60, []))
  assert 0.3 <= time.monotonic() - begin < 60  # not half an hour


def test_told_to_stop_at_the_end(monkeypatch):
  def write():
    raise FULL

  timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM))
  with signals.catch_signals():
    timer.start()
    begin = time.monotonic()
    with pytest.raises(signals.Stopped) as stopped:
      save_retries.retry(write, bear(30, []))
  assert stopped.value.signum == signal.SIGTERM
  assert time.monotonic() - begin < 60  # not half an hour


@pytest.fixture
def slow(monkeypatch):
  """A disk that takes a second for what is saved; others go on meanwhile."""
  gate = threading.Event()
  finalize = ocp.CheckpointManager._finalize

  def late(self, *args):
    assert gate.wait(30)
    return finalize(self, *args)

  monkeypatch.setattr(ocp.CheckpointManager, '_finalize', late)
  monkeypatch.setattr(saver, 'SLOW_SECONDS', 0.2)
  return gate


def test_a_slow_disk_stalls_no_more_than_the_next_save(slow, tmp_path):
  said = []
  with Checkpoints(tmp_path) as c:
    c.report_to(said.append)
    begin = time.monotonic()
    c.save(1, small(1), {})
    for _ in range(100):
      assert not c.poll()  # the training goes on
    assert time.monotonic() - begin < 25 and c.saving == 1 and not said
    threading.Timer(1.0, slow.set).start()
    begin = time.monotonic()
    c.save(2, small(2), {})  # waits for the first one
    assert 0.9 < time.monotonic() - begin < 25
    assert c.steps() == [1] or c.steps() == [1, 2]
    assert said[0] == (
      'the training waits for the save of step 1, which is not done after 0.2 s'
    )
    assert said[1].startswith('the training has waited ') and len(said) == 2
    assert c.wait() and not c.wait()
  assert c.failed is None
  assert bear(1, []).resume_point(None) == 'the same command goes on from here'


def test_a_failed_save_is_noticed_soon_and_made_good(tmp_path, hasty):
  said = []
  with Checkpoints(tmp_path / 'c') as c:
    deadline = bear(30, said)
    (tmp_path / 'c').touch()  # a file where the folder should be
    with deadline.tolerates():
      c.save(1, small(1), {'at': 1}, score=2.0)
    assert len(said) == 1
    assert 'checkpoint 1 could not be saved (Not a directory); ' in said[0]
    with deadline.tolerates():
      assert not c.poll() and not c.wait()
    assert len(said) == 1 and c.failed == 1
    assert deadline.resume_point(1).startswith('the save of step 1 has')
    c.save_again(7, small(7))  # another step is not the last one
    (tmp_path / 'c').unlink()
    c.save_again(1, small(1))
    assert c.restore(small(0)).meta == {'at': 1} and c.best_step() == 1
    assert c.failed is None


@pytest.mark.parametrize(
  'error',
  [save_retries.Exhausted(errno.ENOSPC, 'told'), leases.Lost('taken')],
)
def test_the_command_ends_in_one_line(error, tmp_path, monkeypatch):
  """Exit code 1, and what is printed is that line."""

  def fail(*_, **__):
    raise error

  monkeypatch.setattr(train, 'train', fail)
  argv = ['train', '--config=configs/ring8.py:tiny', f'--workdir={tmp_path}']
  with pytest.raises(SystemExit) as ended:
    command.run(train.main, argv)
  assert ended.value.code == f'error: {error}'
