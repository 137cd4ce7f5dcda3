"""Several workers on this machine, each with its own cores or GPU."""

import functools
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable

import jax

from gan_jax.run import signals
from gan_jax.storage import leases
from gan_jax.study import jobs

SECONDS = 1.0  # between two checks
DEATHS = 3  # of workers at the same job, before it counts as failed


def make(*, workers: int = 0) -> jobs.Engine:
  """The engine.

  Args:
    workers: processes; 0: one per GPU, or per core.
  """
  workers = workers or len(_gpus()) or len(_cores())
  return jobs.Engine(workers, functools.partial(run, workers=workers))


def run(work: jobs.Work, watch: Callable, *, workers: int):
  """Has all jobs of a study done by processes on this machine.

  A worker that dies is replaced; its job continues from the last checkpoint.

  Args:
    work: the jobs.
    watch: called every second.
    workers: number of processes.

  Raises:
    signals.Stopped: stopped by a signal; the workers have saved their jobs.
  """
  queue = jobs.Queue(work.workdir)
  crew = _Crew(work, queue, workers)
  with signals.catch_signals() as stop_signal:
    try:
      while list(queue.open(work.ids)):
        crew.replace_the_dead()
        watch()
        if stop_signal():
          raise signals.Stopped(stop_signal())
        time.sleep(SECONDS)
    finally:
      crew.dismiss(stop_signal())


class _Crew:
  """The worker processes."""

  def __init__(self, work, queue, workers):
    self._work, self._queue = work, queue
    self._deaths: dict[str, int] = {}
    self._crew = [self._start(k, workers) for k in range(workers)]
    self._workers = workers

  def _start(self, k, workers):
    cores = ','.join(map(str, _share(_cores(), k, workers)))
    argv = [
      *(sys.executable, '-m', 'gan_jax.study.worker', f'--cores={cores}'),
      *(f'--study={self._work.study}', f'--workdir={self._work.workdir}'),
    ]
    log = pathlib.Path(self._work.workdir) / 'jobs' / f'worker-{k}.log'
    with log.open('ab') as out:
      return subprocess.Popen(
        argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=_env(k)
      )

  def replace_the_dead(self):
    """Starts a new worker for each one that has died."""
    for k, process in enumerate(self._crew):
      if process.poll() is None:
        continue
      self._blame(process)
      if list(self._queue.open(self._work.ids)):
        self._crew[k] = self._start(k, self._workers)

  def _blame(self, process):
    """Counts a death against the worker's job; several fail the job."""
    for one, lease in self._queue.leases(self._work.ids).items():
      if lease.get('pid') != process.pid or lease.get('host') != leases.host():
        continue
      self._deaths[one] = self._deaths.get(one, 0) + 1
      if self._deaths[one] >= DEATHS:
        reason = f'{DEATHS} workers died running it, the last with exit code'
        self._queue.fail(one, f'{reason} {process.returncode}')

  def dismiss(self, signum):
    """Passes a signal on, if any, and waits for the workers to end."""
    for process in self._crew:
      if process.poll() is None and signum:
        process.send_signal(signum)
    for process in self._crew:
      process.wait()


def _cores():
  if hasattr(os, 'sched_getaffinity'):
    return sorted(os.sched_getaffinity(0))
  return list(range(os.cpu_count() or 1))


def _share(cores, k, workers):
  """The cores of the k-th worker: all are used, and each has at least one."""
  if workers >= len(cores):
    return [cores[k % len(cores)]]
  first, last = (len(cores) * j // workers for j in (k, k + 1))
  return cores[first:last]


def _gpus():
  """The GPUs for workers; none if JAX is configured without CUDA."""
  if jax.config.jax_platforms not in (None, '', 'cuda', 'gpu'):
    return []
  chosen = os.environ.get('CUDA_VISIBLE_DEVICES')
  if chosen is not None:
    return [one for one in chosen.split(',') if one]
  try:
    listed = subprocess.run(
      ['nvidia-smi', '-L'], capture_output=True, text=True, check=True
    )
  except (OSError, subprocess.CalledProcessError):
    return []
  return [str(k) for k in range(listed.stdout.count('GPU '))]


def _env(k):
  gpus = _gpus()
  own = {'CUDA_VISIBLE_DEVICES': gpus[k % len(gpus)]} if gpus else {}
  return {**os.environ, **own}
