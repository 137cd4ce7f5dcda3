"""Workers as SLURM jobs, by submitit: arrays, requeued when they are preempted.

https://github.com/facebookincubator/submitit. SLURM sends a signal before it
takes a machine away or the time is up; the worker saves, and submitit requeues
the job.
"""

import functools
import pathlib
import signal
import tempfile
import time
from collections.abc import Callable

from gan_jax.run import signals
from gan_jax.study import jobs, plan, worker
from gan_jax.types import UserError

SECONDS = 2.0  # between two checks
ROUNDS = 10  # of submitting, at most


def make(
  *,
  workers: int = 4,
  cluster: str = 'slurm',
  timeout_min: int = 240,
  max_num_timeout: int = 1000,
  **parameters,
) -> jobs.Engine:
  """The engine.

  Args:
    workers: jobs in the array; 0: 4.
    cluster: 'slurm', or 'local' to try it on this machine.
    timeout_min: minutes of one job, before it is requeued.
    max_num_timeout: how often it is requeued.
    **parameters: of submitit's AutoExecutor, as slurm_partition, gpus_per_node.

  Raises:
    UserError: submitit is not installed, there is no SLURM here, or a parameter
      does not exist.
  """
  workers = workers or 4
  limit = {f'{cluster}_max_num_timeout': max_num_timeout}
  given = {'timeout_min': timeout_min, 'name': 'gan_jax', **parameters}
  with tempfile.TemporaryDirectory() as scratch:
    _executor(scratch, cluster, limit, given)  # raises if anything is missing
  start = functools.partial(
    _executor, cluster=cluster, limit=limit, given=given
  )
  return jobs.Engine(
    workers,
    functools.partial(
      run, start=start, workers=workers, local=cluster == 'local'
    ),
  )


class Worker:
  """What submitit runs: a worker that is requeued when it is preempted."""

  def __init__(self, work: jobs.Work):
    """For the jobs of a study."""
    self.work = work

  def __call__(self):
    """Works until no job is free."""
    plan.make_importable(self.work.study)
    worker.share_programs(self.work.workdir)
    try:
      worker.work(self.work.workdir, self.work.ids)
    except signals.Stopped as e:
      # Everything is saved, and submitit's own handler is back in place: it
      # requeues after its own signal and ignores others.
      signal.raise_signal(e.signum)

  def checkpoint(self):
    """What submitit requeues: the same worker."""
    import submitit

    return submitit.helpers.DelayedSubmission(self)


def run(
  work: jobs.Work,
  watch: Callable,
  *,
  start: Callable,
  workers: int,
  local: bool,
):
  """Has all jobs of a study done by a cluster.

  When stopped it leaves SLURM's jobs running: the same command resumes
  watching them.

  Args:
    work: the jobs.
    watch: called every few seconds.
    start: folder -> submitit's executor.
    workers: jobs in the array.
    local: whether they end with this process.

  Raises:
    signals.Stopped: stopped by a signal.
  """
  make = start(pathlib.Path(work.workdir) / 'slurm')
  queue, sent, rounds = jobs.Queue(work.workdir), [], 0
  with signals.catch_signals() as stop_signal:
    while left := list(queue.open(work.ids)):
      free = set(left) - set(queue.working(left))
      if free and all(job.done() for job in sent):
        if rounds == ROUNDS:
          raise RuntimeError(
            f'{ROUNDS} SLURM jobs ended without finishing work'
          )
        sent, rounds = _submit(make, work, min(len(free), workers)), rounds + 1
      watch()
      if stop_signal():
        break
      time.sleep(SECONDS)
  if local:
    _end(sent, cancel=bool(stop_signal()))
  if stop_signal():
    raise signals.Stopped(stop_signal())


def _end(sent, *, cancel):
  for job in sent if cancel else ():
    job.cancel()
  for job in sent:
    job.wait()


def _executor(folder, cluster, limit, given):
  try:
    import submitit
  except ImportError as e:
    raise UserError(
      "--engine=slurm needs submitit: pip install 'gan_jax[slurm]'."
    ) from e
  try:
    made = submitit.AutoExecutor(folder=folder, cluster=cluster, **limit)
    made.update_parameters(**given)
  except (RuntimeError, NameError, AssertionError, ValueError) as e:
    reason = ' '.join(str(e).split())
    raise UserError(f'--engine=slurm: {reason}') from e
  return made


def _submit(executor, work, number):
  with executor.batch():
    return [executor.submit(Worker(work)) for _ in range(number)]
