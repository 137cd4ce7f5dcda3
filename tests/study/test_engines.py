"""Engines for real: processes, submitit, Ray; killed, cut off, going on."""

import importlib.util
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from gan_jax import ablate
from gan_jax.run import command
from gan_jax.storage import files
from gan_jax.study import jobs, plan, results, schedule
from gan_jax.study.engines import processes
from tests.study.test_study_plan import ROOT, write

LONG = {'steps': 300, 'save_every': 20, 'report_every': 100, 'eval_every': 0}


@pytest.fixture(autouse=True)
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)
  monkeypatch.setenv('JAX_PLATFORMS', 'cpu')


def make(root, *, losses=('cross_entropy', 'lsgan'), **told):
  """(study file, workdir) of a cell for each loss with two seeds each."""
  root.mkdir(exist_ok=True)
  study = write(
    root / 'mine',
    factors={'loss.name': losses},
    base=f'{ROOT}/configs/ring8.py:tiny',
    **{'num_seeds': 2, **told},
  )
  return study, root / 'runs' / 'mine'


def scores(workdir):
  return [
    (row['cell'], row['seed'], row['scores'])
    for row in results.read(workdir / 'results.jsonl')
  ]


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
  """What the long study comes to in this process."""
  os.chdir(ROOT)
  study, workdir = make(tmp_path_factory.mktemp('long'), overrides=LONG)
  ablate.ablate(study, workdir)
  return workdir


def table(workdir):
  return [(workdir / f'table.{end}').read_bytes() for end in ('md', 'csv')]


def wait_for(told, seconds=120):
  """What told() gives, once it is something."""
  end = time.monotonic() + seconds
  while time.monotonic() < end:
    found = told()
    if found:
      return found
    time.sleep(0.05)
  raise AssertionError('it never came')


def test_a_killed_worker_costs_its_steps_since_the_last_save(
  tmp_path, undisturbed
):
  study, workdir = make(tmp_path, overrides=LONG)
  killed = []

  def kill():
    """One worker, as soon as it has saved in the middle of its work."""
    path = wait_for(
      lambda: next(
        workdir.glob('*/checkpoints/[1-9]*/commit_success.txt'), None
      )
    )
    folder = path.parents[2].name
    for lease in workdir.glob('jobs/*.lease'):
      told = files.read_json(lease)
      job = files.read_json(lease.with_suffix('.json'))
      if job.get('folder') == folder and told.get('pid') != os.getpid():
        os.kill(told['pid'], signal.SIGKILL)
        killed.append((folder, told['pid']))

  thread = threading.Thread(target=kill)
  thread.start()
  ablate.ablate(study, workdir, engine='processes', workers=2)
  thread.join()
  assert len(killed) == 1
  log = (workdir / killed[0][0] / 'log.txt').read_text()
  assert 'resumed' in log
  assert scores(workdir) == scores(undisturbed)
  assert table(workdir) == table(undisturbed)


def test_machines_that_share_a_folder_share_the_work(tmp_path, undisturbed):
  study, workdir = make(tmp_path, overrides=LONG)
  argv = [
    *(sys.executable, '-m', 'gan_jax.ablate', f'--study={study}'),
    f'--workdir={workdir}',
  ]
  both = [
    subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)
  ]
  told = [process.communicate()[0] for process in both]
  assert [process.returncode for process in both] == [0, 0]
  assert all('report.html' in text for text in told)
  for log in workdir.glob('*/log.txt'):  # each is trained once
    assert 'resumed' not in log.read_text()
  assert scores(workdir) == scores(undisturbed)
  assert table(workdir) == table(undisturbed)


def test_a_job_that_kills_its_workers_fails(tmp_path, monkeypatch):
  study, workdir = make(tmp_path)
  asked = plan.load(study)
  schedule.open_workdir(asked, workdir)
  ids = schedule.schedule(asked, workdir, workers=1)
  monkeypatch.setattr(processes, '_Crew', _Doomed)
  monkeypatch.setattr(processes, 'SECONDS', 0.01)
  engine = processes.make(workers=1)
  engine.run(jobs.Work(study, workdir, ids), lambda: None)
  reasons = jobs.Queue(workdir).failures()
  assert set(reasons) == set(ids)
  assert all('3 workers died' in reason for reason in reasons.values())


class _Doomed(processes._Crew):
  """Workers that take a job and are killed at once."""

  def _start(self, k, workers):
    one = next(self._queue.open(self._work.ids))
    code = (
      'import os, signal, sys; from gan_jax.storage import leases;'
      'leases.Watcher().take(sys.argv[1]); os.kill(os.getpid(), 9)'
    )
    path = pathlib.Path(self._work.workdir) / 'jobs' / f'{one}.lease'
    process = subprocess.Popen([sys.executable, '-c', code, path])
    process.wait()
    return process


def test_told_to_stop_all_workers_save_and_leave(tmp_path):
  endless = LONG | {'steps': 100_000}  # and a seed for each worker
  study, workdir = make(tmp_path, losses=('cross_entropy',), overrides=endless)
  saved = lambda: list(workdir.glob('*/checkpoints/[1-9]*'))
  begun = []

  def stop():
    try:
      wait_for(lambda: len(saved()) >= 2)
    finally:
      begun.append(time.monotonic())
      os.kill(os.getpid(), signal.SIGTERM)

  thread = threading.Thread(target=stop)
  thread.start()
  argv = [f'--study={study}', f'--workdir={workdir}']
  argv += ['--engine=processes', '--workers=2']
  with pytest.raises(SystemExit) as leaving:
    command.run(ablate.main, ['ablate', *argv])
  thread.join()
  assert leaving.value.code == 128 + signal.SIGTERM
  assert time.monotonic() - begun[0] < 300  # rather than 100,000 steps
  assert not list(workdir.glob('jobs/*.lease'))
  assert jobs.Queue(workdir).failures() == {}
  for log in workdir.glob('*/log.txt'):
    assert 'the same command goes on from here' in log.read_text()


def test_slurm_takes_a_machine_away_and_gives_another(tmp_path, undisturbed):
  """By submitit on this machine: submitted, preempted, requeued, finished."""
  pytest.importorskip('submitit')
  study, workdir = make(tmp_path, overrides=LONG)
  signalled = []

  def preempt():
    saved = lambda: next(workdir.glob('*/checkpoints/[1-9]*'), None)
    wait_for(saved)
    told = [files.read_json(path) for path in workdir.glob('jobs/*.lease')]
    os.kill(told[0]['pid'], signal.SIGUSR2)
    signalled.append(told[0]['pid'])

  thread = threading.Thread(target=preempt)
  thread.start()
  options = {'cluster': 'local', 'timeout_min': 10}
  ablate.ablate(study, workdir, engine='slurm', workers=1, options=options)
  thread.join()
  assert signalled
  logs = ''.join(p.read_text() for p in workdir.glob('slurm/*.err'))
  assert 'Requeued job' in logs
  assert scores(workdir) == scores(undisturbed)
  assert table(workdir) == table(undisturbed)


@pytest.mark.slow
def test_slurm_ends_a_job_that_is_out_of_time(tmp_path):
  """The same, cut off by the clock: the steps take 75 s of waiting alone."""
  pytest.importorskip('submitit')
  slow = {'steps': 1500, 'penalties': {'tests.waiting': {}}}
  study, workdir = make(
    tmp_path, losses=('lsgan',), overrides=LONG | slow, num_seeds=1
  )
  options = {'cluster': 'local', 'timeout_min': 1}
  ablate.ablate(study, workdir, engine='slurm', workers=1, options=options)
  logs = ''.join(p.read_text() for p in workdir.glob('slurm/*.err'))
  assert logs.count('Requeued job') >= 1
  told = ''.join(p.read_text() for p in workdir.glob('*/log.txt'))
  assert 'resumed' in told
  assert len(scores(workdir)) == 1


@pytest.mark.skipif(
  not importlib.util.find_spec('ray'), reason='Ray is not installed'
)
def test_ray_on_this_machine(tmp_path, undisturbed):
  study, workdir = make(tmp_path, overrides=LONG)
  # A process of its own: Ray leaves threads, sockets and files behind.
  argv = [
    *(sys.executable, '-m', 'gan_jax.ablate', f'--study={study}'),
    *(f'--workdir={workdir}', '--engine=ray', '--workers=2'),
  ]
  done = subprocess.run(argv, capture_output=True, text=True)
  assert done.returncode == 0, done.stderr
  assert scores(workdir) == scores(undisturbed)
  assert table(workdir) == table(undisturbed)


@pytest.mark.slow
def test_a_study_killed_ten_times_comes_to_the_same(tmp_path):
  draw = random.Random(0)
  moments = [draw.uniform(1, 7) for _ in range(10)]
  steps, waits = {'steps': 1200, 'save_every': 50}, 25
  assert 2 * steps['steps'] * waits > 1000 * sum(moments)  # or it would be done

  def command_of(root, milliseconds):
    waiting = {'penalties': {'tests.waiting': {'milliseconds': milliseconds}}}
    overrides = LONG | steps | waiting
    study, workdir = make(root, overrides=overrides, num_seeds=1)
    argv = [sys.executable, '-m', 'gan_jax.ablate', f'--study={study}']
    return workdir, [*argv, f'--workdir={workdir}']

  workdir, argv = command_of(tmp_path / 'killed', waits)
  for moment in moments:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):  # it is not yet done
      process.wait(moment)
    process.kill()
    process.wait()
  assert subprocess.run(argv, stdout=subprocess.DEVNULL).returncode == 0
  alone, argv = command_of(tmp_path / 'alone', 0)
  assert subprocess.run(argv, stdout=subprocess.DEVNULL).returncode == 0
  assert scores(workdir) == scores(alone)
  assert table(workdir) == table(alone)


@pytest.fixture
def small_disk(tmp_path):
  """A file system of 2 MB; a function makes it larger."""
  folder = tmp_path / 'disk'
  folder.mkdir()
  mount = ['mount', '-t', 'tmpfs', '-o', 'size=2200k', 'tmpfs', str(folder)]
  if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
    pytest.skip('no file system can be mounted here')
  larger = ['mount', '-o', 'remount,size=64m', str(folder)]
  yield folder, lambda: subprocess.run(larger, check=True)
  subprocess.run(['umount', str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_told_and_costs_nothing(small_disk, undisturbed):
  folder, enlarge = small_disk
  hasty = LONG | {'save_patience_minutes': 0.0}
  study, workdir = make(folder, overrides=hasty)
  argv = [
    *(sys.executable, '-m', 'gan_jax.ablate', f'--study={study}'),
    f'--workdir={workdir}',
  ]
  full = subprocess.run(argv, capture_output=True, text=True)
  assert full.returncode == 1 and 'Traceback' not in full.stderr
  lines = [x for x in full.stderr.splitlines() if x.startswith('error: ')]
  assert len(lines) == 1 and 'the disk is full' in lines[0]
  enlarge()
  assert subprocess.run(argv, stdout=subprocess.DEVNULL).returncode == 0
  assert scores(workdir) == scores(undisturbed)
  assert table(workdir) == table(undisturbed)
