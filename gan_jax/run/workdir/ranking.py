"""Which scores rank the checkpoints of a run: only those of one protocol."""

from collections.abc import Callable

import numpy as np

from gan_jax.metrics import records
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.storage.retention import Rank
from gan_jax.types import UserError


def rank(
  note: dict, *, metric: str, fits: Callable, later: list[dict] = ()
) -> Rank | None:
  """By what a checkpoint is compared, from the records that it holds.

  Args:
    note: of the step, see storage.format.
    metric: that ranks the run's checkpoints now, whatever ranked them before.
    fits: record -> whether it was scored as the run is now.
    later: records that were made after the checkpoint; they count where its
      own ones do not fit.

  Returns:
    The mean over the seeds that have a score; None without a score of the step
    itself, or with several protocols in one.
  """
  meta = note['meta']
  scored = _of_step(meta.get('records'), metric, note['step'])
  known = records.known(scored)
  if not known or not all(map(fits, known)):
    rollbacks = len(meta.get('rollbacks') or ())  # or it is another state
    more = [
      r
      for r in _of_step(later, metric, note['step'])
      if fits(r) and (r.get('rollbacks') or 0) == rollbacks
    ]
    scored = more if records.known(more) else scored
    known = records.known(scored)
  rankings = {records.protocol_hash(r) for r in known}
  if len(rankings) != 1:
    return None
  score = float(np.mean([r['value'] for r in known]))
  seeds = lambda group: {r.get('seed') for r in group}
  return Rank(
    rankings.pop(),
    score,
    present=all(map(fits, known)),
    lacking=len(seeds(scored) - seeds(known)),
  )


def _of_step(scored, metric, step):
  """The records of a metric and step."""
  scored = scored if isinstance(scored, list) else []
  return [
    r
    for r in filter(records.is_record, scored)
    if r['metric'] == metric and r.get('step') == step
  ]


def still_valid(
  scored: list[dict], names: tuple[str, ...], fits: Callable
) -> list[dict]:
  """The last scores of a run that goes on; [] if they have to be made anew.

  Args:
    scored: records of the checkpoint that it goes on from.
    names: of the metrics that are wanted now.
    fits: record -> whether it was scored as the run is now.
  """
  wanted = [r for r in scored if r['metric'] in names]
  there = {r['metric'] for r in records.known(wanted)}
  return wanted if there == {*names} and all(map(fits, wanted)) else []


def check_best(
  workdir,
  config: dict,
  checkpoints: Checkpoints,
  *,
  flag: str = '--checkpoint=best',
):
  """Refuses to call a checkpoint the best if none has a score of now.

  Args:
    workdir: of the run.
    config: of the run.
    checkpoints: of the run.
    flag: what an error begins with.

  Raises:
    UserError: names the protocol and the steps that there are.
  """
  if checkpoints.best_step() is not None:
    return
  how = {
    k: config.get(k)
    for k in (
      'protocol',
      'features',
      'eval_samples',
      'eval_labels',
      'standing_stats',
    )
  }
  words = ', '.join(f'{k}={v}' for k, v in how.items() if v)
  steps = ', '.join(map(str, checkpoints.steps()))
  raise UserError(
    f"{flag}: no checkpoint in {workdir} has a score by the run's"
    f' present protocol ({words}) yet; expected latest or a step: {steps}.'
  )
