"""A run bears with a disk that is full or read-only for a while."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

from gan_jax import train
from gan_jax.run import (
  command,
  neighbours,
  save_retries,
  signals,
  training,
)
from gan_jax.study import worker
from tests.report.test_writers import _events
from tests.run.test_resume import assert_same as assert_same_run
from tests.run.test_resume import saved
from tests.storage import disks

ROOT = pathlib.Path(__file__).resolve().parents[2]

disk = disks.disk  # fixture


NAMES = ('modes', 'high_quality', 'reverse_kl')
WAITS = 'the run is at its end and waits'
STEPS = {'steps': 12, 'save_every': 2, 'report_every': 4, 'eval_every': 6}


class Told:
  """In place of the console; acts when a step is reached or words are said."""

  def __init__(self):
    self.at, self.on, self.lines, self.steps = {}, {}, [], []

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def advance(self, step):
    self.steps.append(step)
    self.at.pop(step, lambda: None)()

  def compiles(self):
    pass

  def waits_for(self, words):
    return contextlib.nullcontext()

  def report(self, step, metrics):
    pass

  def scores(self, step, scores):
    pass

  def say(self, line):
    self.lines.append(line)
    for words in [words for words in self.on if words in line]:
      self.on.pop(words)()

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
  run.told.at = {12: run.after(10, run.disk.fill)}
  run.told.on = {WAITS: run.disk.free}
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  assert len(run.told.like(WAITS)) == 1
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
  save = neighbours.save

  def full(*args, **options):
    run.disk.fill()
    monkeypatch.setattr(neighbours, 'save', save)

  monkeypatch.setattr(neighbours, 'save', full)
  run.told.on = {'could not be written (No space left': run.disk.free}
  run.train()
  assert_same_run(undisturbed, run.workdir, 12)
  assert run.told.like('could not be written (No space left on device)')
  assert len(run.told.like('the disk takes it again')) == 1


@pytest.mark.slow
@pytest.mark.parametrize('at', [6, 12])
def test_told_to_stop_on_a_full_disk(run, at, request):
  """At the end of a run, too, when it waits for the disk."""

  kill = lambda: os.kill(os.getpid(), signal.SIGTERM)

  def fill_and_stop():
    run.disk.fill()
    if at < 12:
      kill()
    else:
      run.told.on = {WAITS: kill}
    run.begin = time.monotonic()

  run.told.at = {at: run.after(at - 2, fill_and_stop)}
  with pytest.raises(signals.Stopped) as stopped:
    run.train()
  assert time.monotonic() - run.begin < 60  # not half an hour
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
