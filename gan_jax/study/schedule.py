"""From the missing runs of a study to jobs, the same ones after a restart."""

import hashlib
import os
import pathlib
import re
import time

from gan_jax.run import command
from gan_jax.storage import files
from gan_jax.study import jobs, memory, plan, results
from gan_jax.types import UserError

WAIT_SECONDS = 0.5  # while another process plans


def open_workdir(study: plan.Study, workdir: pathlib.Path):
  """Creates the workdir, or checks that it is this study's.

  Raises:
    UserError: it holds something else.
  """
  if os.path.exists(workdir / 'config.json'):
    raise UserError(f'--workdir={workdir}: it holds a run, not a study.')
  path = workdir / 'study.json'
  there = (
    files.read_json(path).get('name') if os.path.exists(path) else study.name
  )
  if there != study.name:
    raise UserError(
      f'--workdir={workdir}: it holds the study {there!r}, not {study.name!r}.'
    )
  try:
    document = {'name': study.name, 'metrics': study.metrics}
    files.write_json(path, document)
  except OSError as e:
    if e.errno in command.DISK_FULL:
      raise
    raise UserError(f'--workdir={workdir}: {e.strerror}.') from e


def schedule(
  study: plan.Study, workdir: pathlib.Path, *, workers: int, limit: int = 0
) -> tuple[str, ...]:
  """Writes the jobs that are still to be done.

  Several processes may start at once: one plans, the others wait and then find
  its jobs.

  Args:
    study: the runs wanted.
    workdir: of the study.
    workers: how many jobs may run at once.
    limit: bytes of memory of one of them; 0: what is available.

  Returns:
    their ids, in the order of the cells.
  """
  queue = jobs.Queue(workdir)
  while (lease := queue.plan_lease()) is None:
    time.sleep(WAIT_SECONDS)
  with lease:
    queue.forgive(queue.failures())
    ended = queue.results()
    ids = {}
    for job in _plan(study, workdir, queue, workers=workers, limit=limit):
      queue.add(job)
      # A job that has ended and is needed again lacks a score.
      queue.reopen({job.id} & set(ended))
      ids[job.id] = None
    files.write_json(workdir / 'plan.json', {'jobs': list(ids)})
  return tuple(ids)


def _plan(study, workdir, queue, *, workers, limit):
  """Yields the jobs for the missing runs, cell by cell."""
  finished = results.FinishedRuns(workdir, study.metrics)
  known = queue.jobs()
  per_cell = -(-workers // len(study.cells))  # jobs of a cell, rounded up
  wanted = -(-study.num_seeds // per_cell)  # so that every worker gets some
  fitting = {}  # cells that differ in numbers alone are one program
  for cell in study.cells:
    lacking = finished.missing(cell, study.num_seeds)
    structure = cell.setup.structure
    if lacking and structure not in fitting:
      fitting[structure] = memory.seeds_that_fit(
        cell.setup, most=wanted, limit=limit
      )
    most = fitting.get(structure, 1)
    for job in _jobs(cell, lacking, known, most=most):
      known[job.id] = job
      yield job


def _jobs(cell, lacking, known, *, most):
  """Jobs for the missing seeds; jobs that exist keep their seeds."""
  left = dict.fromkeys(lacking)
  wanted = {cell.run(i): i for i in lacking}
  for job in known.values():
    of_this = [wanted[run] for run in job.runs if run in wanted]
    if of_this and all(i in left for i in of_this):
      for i in of_this:
        del left[i]
      yield job._replace(
        config=_config(cell, job.config['seed'], len(job.runs))
      )
  for first, count in _stretches(list(left), most):
    yield _job(cell, first, count)


def _stretches(pairs, most):
  """(first, count) of consecutive numbers, no more than `most` together."""
  while pairs:
    count = 1
    while (
      count < min(most, len(pairs)) and pairs[count] == pairs[count - 1] + 1
    ):
      count += 1
    yield pairs[0], count
    pairs = pairs[count:]


def _job(cell, first, count) -> jobs.Job:
  runs = tuple(cell.run(i) for i in range(first, first + count))
  one = hashlib.sha256(' '.join(runs).encode()).hexdigest()[:16]
  name = re.sub(r'[^A-Za-z0-9.=-]+', '_', cell.name)[:60].strip('_.') or 'cell'
  config = _config(cell, cell.config['seed'] + first, count)
  return jobs.Job(one, cell.identity, runs, f'{name}-{one[:8]}', config)


def _config(cell, seed, num_seeds):
  return {**cell.config, 'seed': seed, 'num_seeds': num_seeds}
