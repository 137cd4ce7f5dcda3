"""A run's reports in its workdir: one method for each kind of news."""

import contextlib
import pathlib
import time
from collections.abc import Callable

from gan_jax.game.health import outcome
from gan_jax.report import (
  condensed,
  console,
  gallery,
  page,
  pictures,
  protocols,
  writers,
)
from gan_jax.storage import damage, files
from gan_jax.types import UserError

PAGE_SHARE = 0.05  # of a run's time, at most, that the page may take


class Reporter:
  """Console, JSON lines, TensorBoard, pictures and the page of one run.

  A context manager. After a resume, earlier reports of later steps are dropped:
  the run will report them again. A report that cannot be written is mentioned
  once and does not stop the run: rows and events wait in memory, pictures and
  the page are made again with the next report. Any other error of a report is
  noted and does not stop it either, once the training has begun.
  """

  def __init__(
    self,
    workdir,
    *,
    steps: int,
    start: int,
    samples_per_step: int,
    show: Callable,
    failed: Callable,
    more: Callable = lambda samples: '',
    progress=None,
  ):
    """Opens the files.

    Args:
      workdir: of the run; it exists.
      steps: of the whole run.
      start: step that the run continues from; 0 for a new one.
      samples_per_step: real images that one step uses, of all seeds.
      show: samples [N, ...] -> PIL image.
      failed: (step, what, error), called if a report fails by more than a disk.
      more: samples [N, ...] -> HTML that shows more of them than a picture can,
        '' if there is none.
      progress: replaces the default, console.Progress.
    """
    self._workdir = pathlib.Path(workdir)
    self._samples = self._workdir / 'samples'
    self._samples_per_step = samples_per_step
    self._show, self._more = show, more
    self._start, self._step, self._failed = start, start, failed
    pictures.drop_later(self._samples, start)
    self._rows = writers.JsonLines(self._workdir / 'metrics.jsonl', start)
    self._log = condensed.Log(self._workdir)
    self._protocols = protocols.ScoreProtocols(self._workdir, start)
    self._board = None  # until it is entered
    self._progress = progress or console.Progress(steps, start=start)
    self._clock = (start, time.monotonic())
    self._unwritten: set[str] = set()
    self._page_due = 0.0

  def __enter__(self):
    self._beside('events', self._open_board)
    self._progress.__enter__()
    return self

  def __exit__(self, *error):
    self._attempt('metrics.jsonl', self._rows.close)
    self._on_board(lambda board: board.close())
    if self._rows.waiting():
      self.say(f'{self._rows.waiting()} rows of metrics.jsonl are lost')
    self._progress.__exit__(*error)

  def say(self, line: str):
    """Prints a line beside the progress; on a full disk it may be lost."""
    with contextlib.suppress(OSError):
      self._progress.say(line)

  def waits_for(self, words: str):
    """A context in which the progress says what the training waits for."""
    return self._progress.waits_for(words)

  def compiles(self):
    """Notes that a program is compiled for the first step, which is next."""
    with contextlib.suppress(OSError):  # of a terminal that is gone
      self._progress.compiles()

  def tick(self, step: int):
    """Notes that a step has been reached."""
    self._step = step
    self._progress.advance(step)

  def report(self, step: int, metrics: dict, samples: Callable):
    """Metrics {name: [S]} and fixed samples () -> [N, ...] of a step."""
    metrics = {**metrics, 'samples_per_s': self._rate(step)}
    self._write(step, metrics)
    with contextlib.suppress(OSError):  # of a terminal that is gone
      self._progress.report(step, metrics)
    self.picture(step, samples)
    self._attempt('report.html', self._page)
    self._clock = (step, time.monotonic())

  def picture(self, step: int, samples: Callable):
    """Fixed samples () -> [N, ...] of a step, to a file and TensorBoard."""
    made = []
    self._attempt('picture', lambda: made.extend(self._views(samples())))
    if made:
      image, more = made
      self._attempt(
        'samples', lambda: pictures.save_step(self._samples, step, image)
      )
      self._on_board(lambda board: board.picture(step, image))
      if more:
        path = self._samples / gallery.MORE
        self._attempt('samples', lambda: files.write_text(path, more))

  def _views(self, samples):
    """Of samples [N, ...]: (their picture, HTML that shows more of them)."""
    return self._show(samples), self._more(samples)

  def real_picture(self, draw: Callable):
    """() -> PIL image of real samples, to compare generated ones with."""
    path = self._samples / 'real.png'
    self._attempt('samples', lambda: pictures.save(path, draw()))

  def scores(self, step: int, records: list[dict]):
    """Score records of a step, one for each metric and seed."""
    values, spans, counts = {}, {}, {}
    for record in records:
      name, span = record['metric'], record.get('interval') or (None, None)
      values.setdefault(name, []).append(record['value'])
      for end, at in zip(('low', 'high'), span, strict=True):
        spans.setdefault(f'{name}_{end}', []).append(at)
      if name in outcome.MODES:  # a seed without a score has no number
        counts.setdefault(f'{name}_of', []).append(record.get('num_modes'))
    self._attempt(protocols.FILE, lambda: self._protocols.note(step, records))
    self._write(step, values | spans | counts, shown=values)
    with contextlib.suppress(OSError):
      self._progress.scores(step, values | spans)

  def restart_clock(self, step: int):
    """Excludes the time since the last report from the training time."""
    self._clock = (step, time.monotonic())

  def finish(self, records: list[dict]):
    """Writes scores.json with these records, the animation and the page.

    Raises:
      OSError: one of them, or a waiting record, cannot be written.
    """
    self._rows.flush()
    if self._board:
      self._board.flush()
    files.write_json(self._workdir / 'scores.json', records)
    self._beside('animation', lambda: pictures.animate(self._samples))
    self._beside('report.html', self._write_page)

  def _open_board(self):
    # After a rollback to step 0 there are events, too.
    before = any(self._workdir.glob('events.*'))
    since = self._start if before else None
    self._board = writers.TensorBoard(self._workdir, since)

  def _on_board(self, write):
    """Attempts write(board), where there is a board."""
    if self._board:
      self._attempt('events', lambda: write(self._board))

  def _write_page(self):
    page.write_page(self._workdir, log=self._log)

  def _page(self):
    """Writes the page unless it is too soon for what it takes."""
    begin = time.monotonic()
    if begin >= self._page_due:
      self._write_page()
      took = time.monotonic() - begin
      self._page_due = begin + took / PAGE_SHARE

  def _write(self, step, scalars, *, shown=None):
    self._attempt('metrics.jsonl', lambda: self._rows.write(step, scalars))
    shown = scalars if shown is None else shown
    self._on_board(lambda board: board.write(step, shown))

  def _attempt(self, name, write):
    """Writes a report if possible; prints a line whenever that changes."""
    before = bool(self._unwritten)
    try:
      self._beside(name, write)
      self._unwritten.discard(name)
    except OSError as error:
      self._unwritten.add(name)
      if not before:
        self.say(
          f'reports: {name} not written ({damage.of_a_write(error)}); the run'
          ' continues, and tries again at each report'
        )
    if before and not self._unwritten:
      lost = f', except for {self._rows.lost} rows' if self._rows.lost else ''
      self.say(f'reports are written again{lost}')

  def _beside(self, name, write):
    """Writes a report; of its errors only those of a disk are raised."""
    try:
      write()
    except OSError:
      raise
    except Exception as error:  # of any type: packages, kinds of one's own
      if isinstance(error, UserError) and not self._step:
        raise  # a mistake, told before the first step
      self._failed(self._step, name, error)

  def _rate(self, step):
    then, clock = self._clock
    seconds = max(time.monotonic() - clock, 1e-9)
    return (step - then) * self._samples_per_step / seconds
