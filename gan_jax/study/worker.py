"""A worker: takes the jobs of a study one by one, trains, writes results.

python -m gan_jax.study.worker --study=experiments/NAME/study.py --workdir=DIR

Any number of workers may share a workdir, on any number of machines. A worker
that dies leaves its checkpoints; the next one to take the job continues there.
"""

import contextlib
import errno
import json
import os
import pathlib
import platform
import re
import time
import traceback

import jax

from gan_jax.run import command, loop, scoring, signals, training
from gan_jax.run.workdir import lock
from gan_jax.storage import leases
from gan_jax.study import jobs, plan
from gan_jax.types import UserError

WAIT_SECONDS = 1.0  # between two checks for a job that has become free
CELLS_KEPT = 6  # compiled at once; some dozens of them exhaust LLVM
TIMED_SECONDS = 10.0  # of training, before a pace is reported


class Progress:
  """Progress of the training loop, published in the lease."""

  def __init__(self, lease: leases.Lease, job: jobs.Job, log: pathlib.Path):
    """For a job that is about to run; lines are appended to the log."""
    self._lease, self._log = lease, log
    self._steps, self._seeds = job.config['steps'], len(job.runs)
    self._begin = None

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def advance(self, step: int):
    """Notes the step; raises leases.Lost if another worker has the job now."""
    # The first call compiles, so the pace is measured from its end.
    now = time.monotonic()
    if self._begin is None:
      self._begin = (step, now)
    first, since = self._begin
    done = max(step - first, 0) * self._seeds  # it may have been rolled back
    pace = done / (now - since) if now - since > TIMED_SECONDS else None
    self._lease.tell(step=step, steps=self._steps, seeds=self._seeds, pace=pace)

  def compiles(self):
    """Does nothing: the first call of `advance` tells when that is done."""

  def waits_for(self, words: str):
    """Does nothing: a lease has no words."""
    return contextlib.nullcontext()

  def report(self, step: int, metrics: dict):
    """Does nothing: metrics are read from the run's files."""

  def scores(self, step: int, scores: dict):
    """Does nothing: so are scores."""

  def say(self, line: str):
    """Appends a line to the log."""
    with self._log.open('a', encoding='utf-8') as log:
      log.write(line + '\n')


def work(workdir, ids, *, patient: bool = False, **options):
  """Does jobs until none is left, or none is free.

  Args:
    workdir: of the study.
    ids: of the jobs, in order.
    patient: wait for jobs that other workers have, as these may die.
    **options: of jobs.Queue.

  Raises:
    signals.Stopped: stopped by a signal; the current job has been saved.
    OSError: the disk is full, so that results could not be written either.
  """
  queue = jobs.Queue(workdir, **options)
  done = 0
  with signals.catch_signals() as stop_signal:
    while list(queue.open(ids)):
      taken = queue.take(ids)
      if taken:
        job, lease = taken
        with lease:
          do(pathlib.Path(workdir), queue, job, lease)
        done += 1
        if done % CELLS_KEPT == 0:
          jax.clear_caches()
      elif patient:
        time.sleep(WAIT_SECONDS)
      else:
        return
      if stop_signal():
        raise signals.Stopped(stop_signal())


def do(workdir: pathlib.Path, queue: jobs.Queue, job: jobs.Job, lease):
  """Runs one job; if it fails, the reason is written down."""
  folder = workdir / job.folder
  folder.mkdir(parents=True, exist_ok=True)
  begin = time.monotonic()
  progress = Progress(lease, job, folder / 'log.txt')
  try:
    records, reason = training.train(job.config, folder, progress=progress), ''
  except loop.Diverged as e:
    records, reason = [], f'diverged {e}'
  except signals.Stopped:
    raise
  except leases.Lost:
    return
  except lock.Held as e:  # a run was started in its folder by hand
    progress.say(str(e))
    time.sleep(WAIT_SECONDS)
    return
  except UserError as e:
    queue.fail(job.id, str(e))
    return
  except Exception as e:
    if is_disk_full(e):
      raise OSError(errno.ENOSPC, 'no space left', str(folder)) from e
    progress.say(traceback.format_exc())
    queue.fail(job.id, f'{type(e).__name__}: {" ".join(str(e).split())[:300]}')
    return
  lease.check()
  rows = [_row(job, i, records, reason) for i in range(len(job.runs))]
  queue.finish(job, {'rows': rows, 'seconds': time.monotonic() - begin})


def _row(job, i, records, reason) -> dict:
  """The result of one seed."""
  seed = job.config['seed'] + i
  records = [r for r in records if r['seed'] == seed]
  scores = {r['metric']: r['value'] for r in records}
  dead = all(r.get('reason') == scoring.NOT_FINITE for r in records)
  alive = not dead and not reason
  return {
    'run': job.runs[i],
    'seed': seed,
    'status': 'finished' if alive else 'diverged',
    'reason': '' if alive else reason or 'samples are not finite',
    'steps': job.config['steps'],
    'scores': scores,
  }


def is_disk_full(error: BaseException) -> bool:
  """Whether an error, or what caused it, is a lack of space on the disk."""
  while error is not None:
    if getattr(error, 'errno', None) in command.DISK_FULL:
      return True
    message = str(error)  # Orbax raises its own types
    if any(os.strerror(code) in message for code in command.DISK_FULL):
      return True
    error = error.__cause__ or error.__context__
  return False


def planned_ids(workdir) -> list[str]:
  """The jobs of the plan that a study's workdir holds.

  Raises:
    UserError: it holds none.
  """
  path = pathlib.Path(workdir) / 'plan.json'
  try:
    ids = json.loads(path.read_text('utf-8'))['jobs']
  except (OSError, ValueError, LookupError, TypeError, RecursionError) as e:
    raise UserError(f'--workdir={workdir}: no plan of a study here.') from e
  plain = re.compile('[0-9A-Za-z_-]+')  # it becomes the name of a file
  fits = lambda one: isinstance(one, str) and plain.fullmatch(one)
  if not isinstance(ids, list) or not all(map(fits, ids)):
    raise UserError(f'{path}: no plan of a study.')
  return ids


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.study.worker --study=experiments/NAME/study.py'
    ' --workdir=DIR [--cores=0,1]',
    'one more worker for a study that gan_jax.ablate has planned',
  ]


def _use_cores(cores):
  try:
    os.sched_setaffinity(0, {int(core) for core in cores.split(',')})
  except (ValueError, OSError, OverflowError) as e:
    there = ','.join(map(str, sorted(os.sched_getaffinity(0))))
    raise UserError(
      f'--cores={cores}: expected some of {there}, separated by commas.'
    ) from e


def share_programs(workdir):
  """Lets the workers of a study on one machine share what they compile.

  Jobs that differ only in numbers are one program. To be called in a process
  that is only a worker; a cache of the user's own is left alone.

  Args:
    workdir: of the study.
  """
  if jax.config.jax_compilation_cache_dir is None:
    # By machine: a program is made for the instructions of its processor.
    folder = pathlib.Path(workdir) / 'programs' / platform.node()
    jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    argv, help_lines=help_lines, study=None, workdir=None, cores=''
  )
  if not os.path.isfile(flags.study):
    raise UserError(f'--study={flags.study}: no such file.')
  ids = planned_ids(flags.workdir)
  if flags.cores and hasattr(os, 'sched_setaffinity'):
    _use_cores(flags.cores)
  plan.make_importable(flags.study)
  share_programs(flags.workdir)
  work(flags.workdir, ids, patient=True)


if __name__ == '__main__':
  command.run(main)
