"""Runs what remains of a study and writes its report."""

from gan_jax import select
from gan_jax.components import options as options_lib
from gan_jax.report import board as board_lib
from gan_jax.storage import paths
from gan_jax.study import jobs, plan, schedule
from gan_jax.study.report.contents import ReportContents
from gan_jax.study.statistics import planning
from gan_jax.study.status import StudyStatus
from gan_jax.types import UserError


class Failed(Exception):
  """Some runs of a study have failed; the others are done."""


def ablate(
  study,
  workdir,
  *,
  engine: str = 'local',
  options: dict | None = None,
  workers: int = 0,
  memory_mb: int = 0,
  board: board_lib.Board | None = None,
) -> ReportContents:
  """Runs what remains of a study and writes its report.

  Args:
    study: path of a study file, see study.plan.
    workdir: folder of the study, new or to be continued.
    engine: how runs are started: a module in gan_jax/study/engines.
    options: of the engine.
    workers: jobs at once; 0: the engine chooses.
    memory_mb: limit for one job; 0: what is available.
    board: shows how the study stands; a table on the console by default.

  Returns:
    The contents of the report.

  Raises:
    UserError: a mistake in the study or the flags; nothing has been run.
    signals.Stopped: stopped by a signal; the same call continues.
    Failed: some runs failed, the others are done; with the reasons.
  """
  workdir, study = paths.expand(workdir), paths.expand(study)
  start = _engine(engine, options or {}, workers)
  asked = plan.load(study)
  schedule.open_workdir(asked, workdir)
  ids = schedule.schedule(
    asked, workdir, workers=start.workers, limit=memory_mb * 2**20
  )
  with board or board_lib.Board() as board:
    for line in _opening(asked, workdir, ids):
      board.say(line)
    status = StudyStatus(asked, workdir, ids, board=board)
    if ids:
      work = jobs.Work(study, workdir, ids)
      start.run(work, status.watch)
    view = status.write()
    status.watch()
  if status.failed():
    raise Failed('; '.join(status.failed()))
  return view


def _engine(name, options, workers) -> jobs.Engine:
  module = select.module('study.engines', name, flag='--engine')
  make = getattr(module, 'make', None)
  if make is None:
    raise UserError(f'--engine={name}: the module has no make().')
  return options_lib.call('--options', make, options, workers=workers)


def _opening(study, workdir, ids):
  """Lines on what will be run."""
  runs = len(study.cells) * study.num_seeds
  todo = sum(len(jobs.Queue(workdir).jobs()[one].runs) for one in ids)
  yield study.question
  yield from dict.fromkeys(x for cell in study.cells for x in cell.left_out)
  yield (
    f'{len(study.cells)} cells x {study.num_seeds} seeds = {runs} runs;'
    f' {todo} to do in {len(ids)} jobs'
  )
  if study.contrasts:
    yield from planning.advice(study.num_seeds, len(study.contrasts))
