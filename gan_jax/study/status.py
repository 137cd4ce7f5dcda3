"""The state of a study: its rows, its report, and what the board shows."""

import pathlib
import shlex
import threading
import time

from gan_jax.metrics import measures
from gan_jax.report import condensed, text
from gan_jax.report.board import Board, Row
from gan_jax.run.workdir import record
from gan_jax.study import jobs, plan, results
from gan_jax.study.report import report
from gan_jax.study.report.contents import Cell, ReportContents
from gan_jax.study.statistics import analysis, planning, summary

SIGNIFICANT = 0.05  # level of the tests
REPORT_SHARE = 0.1  # of a study's time, at most, that its report may take


class StudyStatus:
  """A study in its workdir, followed while it runs."""

  def __init__(self, study: plan.Study, workdir, ids, *, board: Board):
    """Reads the present state.

    Args:
      study: the question.
      workdir: of the study.
      ids: of the jobs to be done.
      board: where the table is shown.
    """
    self._study, self._workdir = study, pathlib.Path(workdir)
    self._queue, self._ids, self._board = jobs.Queue(workdir), ids, board
    self._found = results.FinishedRuns(workdir, study.metrics)
    self._planned = self._queue.jobs()
    self._by_cell = self._rows()
    self._reported = self._written = self._forecast = False
    self._due = 0.0  # when the report may be written again
    self._logs: dict[str, condensed.Log] = {}  # of jobs that train
    self._looking = threading.Lock()

  def watch(self):
    """Shows the table; writes the report again when jobs have ended.

    Not after each of them where there are many: it takes a share of the time.
    """
    with self._looking:
      ended = len(self._ids) - len(list(self._queue.open(self._ids)))
      if ended != self._reported:
        self._refresh()
        self._reported = ended
      if ended != self._written and time.monotonic() >= self._due:
        self._written = ended
        self._report()
      working = self._queue.working(self._ids)
      rows = [self._row(cell, working) for cell in self._study.cells]
      seconds = self._seconds_left(working)
      if seconds and not self._forecast:
        self._forecast = True
        self._board.say(f'about {text.duration(seconds)} for all of it')
      self._board.update(rows, seconds)

  def _rows(self) -> dict[str, list[dict]]:
    """The rows of the finished runs, by cell."""
    pairs = range(self._study.num_seeds)
    by_cell = {
      cell.name: [self._found.row(cell, i) for i in pairs]
      for cell in self._study.cells
    }
    return {name: [r for r in rows if r] for name, rows in by_cell.items()}

  def write(self) -> ReportContents:
    """Writes results.jsonl, the tables and the page."""
    self._refresh()
    return self._report()

  def _refresh(self):
    """Takes up the runs that have finished since."""
    self._found.refresh()
    self._by_cell = self._rows()

  def _report(self):
    begin = time.monotonic()
    every = [row for rows in self._by_cell.values() for row in rows]
    results.write(self._workdir, every)
    view = self._view(self._by_cell, len(every))
    report.write(self._workdir, view)
    took = time.monotonic() - begin
    self._due = begin + took / REPORT_SHARE
    return view

  def failed(self) -> list[str]:
    """A line for each failed job."""
    reasons = self._queue.failures()
    failed = [self._planned[one] for one in self._ids if one in reasons]
    return [f'{job.folder}: failed: {reasons[job.id]}' for job in failed]

  # The report.

  def _view(self, by_cell, done) -> ReportContents:
    study = self._study
    of = len(study.cells) * study.num_seeds
    analyses = {m: self._analyse(m, by_cell) for m in study.metrics}
    kinds = {
      name: [row['health']['verdict'] for row in rows]
      for name, rows in by_cell.items()
    }
    return ReportContents(
      name=study.name,
      question=study.question,
      base=study.base,
      design=study.design,
      num_seeds=study.num_seeds,
      seed=study.cells[0].config['seed'],
      overrides=study.overrides,
      metric=study.metric,
      also=study.also,
      cells=tuple(self._cell(cell, by_cell[cell.name]) for cell in study.cells),
      analyses=analyses,
      failures=tuple(
        summary.failures(name, verdicts) for name, verdicts in kinds.items()
      ),
      notes=tuple(self._notes(analyses[study.metric])),
      commands=(
        f'python -m gan_jax.ablate --study={shlex.quote(str(study.path))}'
        f' --workdir={shlex.quote(str(self._workdir))}',
      ),
      manifest=record.describe(
        data_fingerprint=study.cells[0].setup.dataset.fingerprint
      ),
      state='done' if done == of else f'{done} of {of} runs',
    )

  def _analyse(self, metric, by_cell):
    """All comparisons of the tested metric, only spreads of the others."""
    study = self._study
    values = {}
    for cell in study.cells:
      scores = {r['run']: r['scores'].get(metric) for r in by_cell[cell.name]}
      values[cell.name] = [
        scores.get(cell.run(i)) for i in range(study.num_seeds)
      ]
    tested = metric == study.metric
    return analysis.analyse(
      values,
      study.contrasts if tested else (),
      metric=metric,
      lower_is_better=measures.is_lower_better(metric),
      baseline=study.baseline,
      level=SIGNIFICANT,
    )

  def _cell(self, cell, rows) -> Cell:
    return Cell(
      name=cell.name,
      differs=cell.overrides,
      runs=rows,
      rows=results.curves(self._workdir, rows),
      picture=results.last_picture(self._workdir, rows),
    )

  def _notes(self, tested):
    """What the study was able to detect."""
    study = self._study
    if not study.contrasts:
      return []
    lines = planning.advice(
      study.num_seeds, len(study.contrasts), level=SIGNIFICANT
    )
    seen = [c.detectable for c in tested.comparisons if c.kind == 'cell']
    seen = [d for d in seen if d is not None]
    if seen:
      span = text.number(min(seen))
      if min(seen) != max(seen):
        span += f' to {text.number(max(seen))}'
      lines.append(
        f'This study would have detected a difference of {span} in'
        f' {study.metric} with 80 % power.'
      )
    return lines

  # The board.

  def _row(self, cell, working) -> Row:
    done, of = self._by_cell[cell.name], self._study.num_seeds
    own = [one for one in working if self._planned[one].cell == cell.identity]
    scores = [row['scores'].get(self._study.metric) for row in done]
    spread = summary.spread(cell.name, scores)
    score = _span(spread) or ' '.join(map(self._score_so_far, own))
    seconds = [_seconds(working[one]) for one in own]
    left = text.duration(max(seconds)) if all(seconds) and seconds else ''
    if len(done) == of:
      dead = sum(row['status'] != 'finished' for row in done)
      left = f'done, {dead} diverged' if dead else 'done'
    return Row(cell.name, len(done), of, score, left or 'running' * bool(own))

  def _score_so_far(self, one) -> str:
    """The latest score of a job that is still training, and its step."""
    job, metric = self._planned[one], self._study.metric
    log = self._logs.setdefault(
      one, condensed.Log(self._workdir / job.folder, keep=False)
    )
    scored = [row for row in log.reports().rows if metric in row]
    if not scored:
      return ''
    spread = summary.spread(one, text.numbers(scored[-1][metric]))
    return f'{_span(spread)} at step {scored[-1]["step"]:,}'

  def _seconds_left(self, working):
    """Seconds to the end of the study, from the pace so far."""
    each = self._seconds_per_step(working)
    if each is None:
      return None
    left = 0.0
    for one in self._queue.open(self._ids):
      lease = working.get(one, {})
      steps = _steps_left(lease) if 'steps' in lease else self._steps(one)
      left += _seconds(lease) or steps * each
    return left / max(len(working), 1)

  def _seconds_per_step(self, working):
    """Of one seed; from finished jobs if there are any, else from training."""
    results = self._queue.results()
    done = [one for one in self._ids if one in results]
    if done:
      seconds = sum(results[one]['seconds'] for one in done)
      return seconds / max(sum(map(self._steps, done)), 1)
    paces = [lease['pace'] for lease in working.values() if lease.get('pace')]
    return len(paces) / sum(paces) if paces else None

  def _steps(self, one):
    """Steps of a job, over all its seeds."""
    job = self._planned[one]
    return job.config['steps'] * len(job.runs)


def _steps_left(lease):
  return (lease.get('steps', 0) - lease.get('step', 0)) * lease.get('seeds', 1)


def _seconds(lease):
  return _steps_left(lease) / lease['pace'] if lease.get('pace') else None


def _span(spread):
  """'7.5 (7.2 to 7.8)', '' without any score."""
  if spread.mean is None:
    return ''
  ends = ' to '.join(map(text.number, spread.interval or ()))
  return text.number(spread.mean) + (ends and f' ({ends})')
