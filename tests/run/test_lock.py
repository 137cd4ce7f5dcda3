"""One process at a time trains in a workdir; a crash leaves nothing behind."""

import json
import os
import pathlib
import signal
import threading
import time

import pytest

from gan_jax import train
from gan_jax.run import command, signals
from gan_jax.run.workdir import lock
from gan_jax.storage import files, leases
from gan_jax.study import jobs, worker
from tests.run.test_commands import RING, complaint, contents
from tests.run.test_resume import ROOT, saved, start
from tests.storage.test_leases import owning

pytestmark = pytest.mark.usefixtures('clone')
OWNER = """
import sys, time
from gan_jax.run.workdir import lock
with lock.hold(sys.argv[1], stop_signal=lambda: None) as lease:
  lease.tell(step=7, steps=9)
  lease._beat()
  print('held', flush=True)
  time.sleep(600)
"""
ELSEWHERE = {'token': 'x', 'host': 'node7/b', 'pid': 12, 'born': '1', 'beat': 3}


@pytest.fixture
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)


@pytest.fixture
def owner(tmp_path):
  """Another process that holds the lock of tmp_path."""
  with owning(OWNER, tmp_path, says='held') as process:
    yield process


@pytest.fixture
def quick(monkeypatch):
  """Beats every tenth of a second."""
  monkeypatch.setattr(leases, 'BEAT_SECONDS', 0.1)
  monkeypatch.setattr(lock, 'LOOK_SECONDS', 0.01)


def hold(workdir, *, stop=lambda: None, **options):
  said = []
  with lock.hold(workdir, stop_signal=stop, say=said.append, **options):
    assert (pathlib.Path(workdir) / lock.NAME).exists()
    return said


def elsewhere(folder, **told):
  (folder / lock.NAME).write_text(json.dumps(ELSEWHERE | told))


def test_the_second_is_told_who_the_first_is(tmp_path, owner):
  begin = time.monotonic()
  with pytest.raises(lock.Held) as error:
    hold(tmp_path)
  assert time.monotonic() - begin < 30  # not the 60 s of a silent one
  line = str(error.value)
  for word in (
    f'--workdir={tmp_path}', f'process {owner.pid}', 'since 20',
    '(step 7 of 9)', os.uname().nodename, 'after 60 s',
  ):  # fmt: skip
    assert word in line, line


def test_the_dead_are_followed_at_once(tmp_path, owner):
  owner.send_signal(signal.SIGKILL)
  owner.wait()
  begin = time.monotonic()
  assert hold(tmp_path) == []
  assert time.monotonic() - begin < 30  # not the 60 s of a silent one
  assert not (tmp_path / lock.NAME).exists()


def test_a_refused_command_leaves_nothing(tmp_path, capfd):
  workdir = tmp_path / 'run'
  workdir.mkdir()
  with lock.hold(workdir, stop_signal=lambda: None):
    line = complaint(capfd, train.main, RING, f'--workdir={workdir}')
    assert f'process {os.getpid()}' in line and 'trains there' in line
    assert [path.name for path in workdir.iterdir()] == [lock.NAME]
  assert contents(tmp_path) == {}


def test_a_silent_owner_elsewhere_is_followed_with_a_line(tmp_path, quick):
  elsewhere(tmp_path)
  said = hold(tmp_path, stale_seconds=0.5)
  assert 'waiting' in said[0] and 'process 12 on node7' in said[0]
  assert 'taken over from process 12 on node7' in said[1]


def test_silence_before_counts_by_the_time_of_the_file(tmp_path, quick):
  elsewhere(tmp_path)
  long_ago = time.time() - 1000
  os.utime(tmp_path / lock.NAME, (long_ago, long_ago))
  begin = time.monotonic()
  said = hold(tmp_path, stale_seconds=60)
  assert 'silent for 1000 s' in said[0]
  # Clocks may be wrong: two beats are waited for.
  assert 0.2 <= time.monotonic() - begin < 30


def test_a_live_owner_elsewhere_is_seen_by_its_next_beat(tmp_path, quick):
  elsewhere(tmp_path)
  os.utime(tmp_path / lock.NAME, (0, 0))  # a clock that is wrong
  beat = threading.Timer(0.1, elsewhere, [tmp_path], {'beat': 4})
  beat.start()
  with pytest.raises(lock.Held, match='process 12 on node7'):
    hold(tmp_path, stale_seconds=60)
  beat.join()
  assert files.read_json(tmp_path / lock.NAME)['beat'] == 4


def test_an_owner_that_ends_while_it_is_waited_for(tmp_path, quick):
  elsewhere(tmp_path)
  end = threading.Timer(0.1, (tmp_path / lock.NAME).unlink)
  end.start()
  (waited,) = hold(tmp_path, stale_seconds=60)
  assert 'waiting' in waited


def test_told_to_stop_while_waiting(tmp_path, quick):
  elsewhere(tmp_path)
  with pytest.raises(signals.Stopped, match='SIGUSR1'):
    hold(tmp_path, stop=lambda: signal.SIGUSR1)
  assert files.read_json(tmp_path / lock.NAME) == ELSEWHERE


def arguments(workdir, **changes):
  """A run that ends only when it is told to."""
  changes = {'steps': 10**7, 'eval_every': 0, 'report_every': 10} | changes
  flags = [f'--config.{key}={value}' for key, value in changes.items()]
  return [RING, f'--workdir={workdir}', *flags]


def test_of_two_that_start_together_one_trains(tmp_path):
  both = [start(arguments(tmp_path / 'run')) for _ in range(2)]
  while all(process.poll() is None for process in both):
    time.sleep(0.05)
  refused, other = sorted(both, key=lambda p: p.poll() is None)
  said, _ = refused.communicate()
  assert refused.returncode == 2, said
  assert f'process {other.pid}' in said and len(said.splitlines()) == 1
  other.send_signal(signal.SIGTERM)
  said, _ = other.communicate()
  assert other.returncode == 143, said
  # Wherever it was: an owner elsewhere would have been waited for.
  assert not (tmp_path / 'run' / lock.NAME).exists()


def test_who_slept_through_it_writes_nothing_more(tmp_path, quick):
  workdir = tmp_path / 'run'
  process = start(arguments(workdir, save_every=10**6, report_every=10**6))
  while not files.read_json(workdir / lock.NAME).get('step'):
    assert process.poll() is None
    time.sleep(0.05)
  process.send_signal(signal.SIGSTOP)  # in the middle of the training
  os.utime(workdir / lock.NAME, (0, 0))  # a minute has passed
  with lock.hold(workdir, stop_signal=lambda: None, say=lambda line: None):
    before = contents(workdir)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)  # it wants to save before it goes
    said, _ = process.communicate()
    after = contents(workdir)
    assert process.returncode == 1, said
    assert f'taken over by process {os.getpid()}' in said
    assert 'Traceback' not in said
    assert saved(workdir) == []
    for path in (workdir / 'metrics.jsonl', workdir / 'config.json'):
      assert after.get(str(path)) == before.get(str(path))


def job(folder):
  config = command.load_config('configs/ring8.py:tiny')
  return jobs.Job('one', 'cell', ('run',), folder, config)


def test_a_job_whose_folder_is_trained_in_by_hand_waits(tmp_path):
  queue, mine = jobs.Queue(tmp_path), job('cell')
  queue.add(mine)
  (tmp_path / 'cell').mkdir()
  taken, lease = queue.take(['one'])
  with lease:
    with lock.hold(tmp_path / 'cell', stop_signal=lambda: None):
      worker.do(tmp_path, queue, taken, lease)
    assert list(queue.open(['one'])) == ['one'] and not queue.failures()
    assert 'trains there' in (tmp_path / 'cell' / 'log.txt').read_text()
