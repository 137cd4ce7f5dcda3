"""The jobs of a study: each trains some seeds of a cell as one program.

Workers share nothing but `jobs/` in the study's workdir. Each job is a file
ID.json, its result ID.done.json or ID.failed.json, its lease ID.lease. All of
them are written atomically; a worker may die at any time.
"""

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from gan_jax.storage import files
from gan_jax.storage import leases as leases_lib


class Job(NamedTuple):
  """Consecutive seeds of one cell."""

  id: str
  cell: str  # identity of the cell
  runs: tuple[str, ...]  # identity of each seed's run
  folder: str  # workdir of the training, in the study's
  config: dict[str, Any]  # resolved; its seed and num_seeds are the job's own


# Fields of a job's file.
KINDS = {'id': str, 'cell': str, 'runs': list, 'folder': str, 'config': dict}


class Work(NamedTuple):
  """What an engine has to get done."""

  study: pathlib.Path  # the file
  workdir: pathlib.Path
  ids: tuple[str, ...]  # of the jobs, the first ones first


class Engine(NamedTuple):
  """A way to start workers, as `make` in a file of gan_jax/study/engines."""

  workers: int  # jobs at once
  run: Callable  # (Work, watch) -> None when all are done or have failed


class Queue:
  """The jobs in a study's workdir."""

  def __init__(self, workdir, *, stale_seconds=leases_lib.STALE_SECONDS):
    """Opens the folder; it may be empty.

    Args:
      workdir: of the study.
      stale_seconds: see leases.Watcher.
    """
    self._folder = pathlib.Path(workdir) / 'jobs'
    self._watcher = leases_lib.Watcher(stale_seconds=stale_seconds)

  def add(self, job: Job):
    """Writes a job down."""
    document = {**job._asdict(), 'runs': list(job.runs)}
    files.write_json(self._path(job.id, 'json'), document)

  def jobs(self) -> dict[str, Job]:
    """All jobs by their id."""
    own = (
      n for n in self._names() if n.endswith('.json') and n.count('.') == 1
    )
    loaded = [_known_job(self._folder / name) for name in sorted(own)]
    return {job.id: job for job in loaded if job}

  def results(self) -> dict[str, dict]:
    """The result of each finished job."""
    return self._ended('done.json')

  def failures(self) -> dict[str, str]:
    """Why each failed job failed."""
    failed = self._ended('failed.json')
    return {one: failure.get('reason', '') for one, failure in failed.items()}

  def _ended(self, suffix):
    own = sorted(n for n in self._names() if n.endswith(f'.{suffix}'))
    return {n.split('.')[0]: _read_once(self._folder / n) for n in own}

  def _names(self):
    """Of all files, in one look: there are some for each job."""
    try:
      return frozenset(os.listdir(self._folder))
    except FileNotFoundError:
      return frozenset()

  def finish(self, job: Job, result: dict):
    """Writes a result down; the job is done."""
    files.write_json(self._path(job.id, 'done.json'), result)
    self._path(job.id, 'failed.json').unlink(missing_ok=True)

  def fail(self, job: str, reason: str):
    """Writes down why the job with an id failed; it is not taken again."""
    files.write_json(self._path(job, 'failed.json'), {'reason': reason})

  def forgive(self, ids: Iterable[str]):
    """Lets failed jobs be tried again."""
    for one in ids:
      self._path(one, 'failed.json').unlink(missing_ok=True)

  def reopen(self, ids: Iterable[str]):
    """Forgets results: the jobs are scored again, from their last step."""
    for one in ids:
      self._path(one, 'done.json').unlink(missing_ok=True)

  def open(self, ids: Iterable[str]) -> Iterator[str]:
    """Those without a result, whether they are being worked on or not."""
    names = self._names()
    for one in ids:
      if not names & {f'{one}.done.json', f'{one}.failed.json'}:
        yield one

  def take(self, ids: Iterable[str]) -> tuple[Job, leases_lib.Lease] | None:
    """The first free job, leased; None if there is none now."""
    for one in self.open(ids):
      lease = self._watcher.take(self._path(one, 'lease'))
      if lease is None:
        continue
      # It may have been finished between the check and the lease.
      job = _read(self._path(one, 'json'))
      if job and list(self.open([one])):
        return job, lease
      lease.__exit__()
    return None

  def plan_lease(self) -> leases_lib.Lease | None:
    """The right to plan; None while another process has it."""
    return self._watcher.take(self._path('plan', 'lease'))

  def working(self, ids: Iterable[str]) -> dict[str, dict]:
    """The leases of jobs that are being worked on, by id."""
    held = self.leases(ids)
    return {
      one: lease
      for one, lease in held.items()
      if self._watcher.is_held(self._path(one, 'lease'))
    }

  def leases(self, ids: Iterable[str]) -> dict[str, dict]:
    """All leases by id, also those whose owner has died."""
    names = self._names()
    there = [one for one in ids if f'{one}.lease' in names]
    written = {one: files.read_json(self._path(one, 'lease')) for one in there}
    return {one: lease for one, lease in written.items() if lease}

  def _path(self, job, suffix):
    return self._folder / f'{job}.{suffix}'


def _read(path) -> Job | None:
  """The job in a file; None if the file is something else or damaged."""
  document = files.read_json(path)
  if not all(isinstance(document.get(k), kind) for k, kind in KINDS.items()):
    return None
  fields = {name: document[name] for name in Job._fields}
  fields['runs'] = tuple(fields['runs'])
  return Job(**fields | {'config': as_tuples(fields['config'])})


# A study looks every second, at all of its jobs.
_known_job = files.until_changed(_read)
_read_once = files.until_changed(files.read_json)


def as_tuples(tree):
  """A JSON document with its lists as tuples, as configs have them."""
  if isinstance(tree, dict):
    return {k: as_tuples(v) for k, v in tree.items()}
  return tuple(map(as_tuples, tree)) if isinstance(tree, list) else tree
