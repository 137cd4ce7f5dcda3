"""A run's reports, bound to its workdir: one call for each kind of news."""

import pathlib
import time
from collections.abc import Callable

import numpy as np

from gan_jax.report import console, page, pictures, writers


class Reporter:
  """Console, JSON lines, TensorBoard, pictures and the page of one run.

  A context manager. After a resume, what had been reported of later steps is
  dropped: the run reports it again.
  """

  def __init__(
    self,
    workdir,
    *,
    steps: int,
    start: int,
    images_per_step: int,
    show: Callable,
  ):
    """Opens the files.

    Args:
      workdir: of the run; it exists.
      steps: of the whole run.
      start: step that the run goes on from; 0 for a new one.
      images_per_step: real images that one step uses, of all seeds.
      show: samples [N, ...] -> PIL image.
    """
    self._workdir = pathlib.Path(workdir)
    self._samples = self._workdir / 'samples'
    self._images_per_step, self._show = images_per_step, show
    pictures.drop_later(self._samples, start)
    self._rows = writers.JsonLines(self._workdir / 'metrics.jsonl', start)
    self._board = writers.TensorBoard(self._workdir, start or None)
    self._progress = console.Progress(steps, start=start)
    self._clock = (start, time.monotonic())

  def __enter__(self):
    self._progress.__enter__()
    return self

  def __exit__(self, *error):
    self._progress.__exit__(*error)
    self._rows.close()
    self._board.close()

  def say(self, line: str):
    """Prints a line beside the progress."""
    self._progress.say(line)

  def tick(self, step: int):
    """Notes that a step is reached."""
    self._progress.advance(step)

  def report(self, step: int, metrics: dict, samples: np.ndarray):
    """Metrics {name: [S]} and fixed samples [N, ...] of a step."""
    metrics = {**metrics, 'images_per_s': self._rate(step)}
    self._write(step, metrics)
    self._progress.report(step, metrics)
    self.picture(step, samples)
    page.write_page(self._workdir)
    self._clock = (step, time.monotonic())

  def picture(self, step: int, samples: np.ndarray):
    """The fixed samples [N, ...] of a step, as a file and for TensorBoard."""
    image = self._show(samples)
    pictures.save_step(self._samples, step, image)
    self._board.picture(step, image)

  def scores(self, step: int, records: list[dict]):
    """Score records of a step, one for each metric and seed."""
    values, spans = {}, {}
    for record in records:
      name, span = record['metric'], record.get('interval') or (None, None)
      values.setdefault(name, []).append(record['value'])
      for end, at in zip(('low', 'high'), span, strict=True):
        spans.setdefault(f'{name}_{end}', []).append(at)
    self._rows.write(step, values | spans)
    self._board.write(step, values)
    self._progress.scores(step, values)

  def restart_clock(self, step: int):
    """What was done since the last report does not count as training time."""
    self._clock = (step, time.monotonic())

  def finish(self, records: list[dict]):
    """Last things: scores.json of these records, the animation, the page."""
    writers.write_json(self._workdir / 'scores.json', records)
    pictures.animate(self._samples)
    page.write_page(self._workdir)

  def _write(self, step, scalars):
    self._rows.write(step, scalars)
    self._board.write(step, scalars)

  def _rate(self, step):
    then, clock = self._clock
    seconds = max(time.monotonic() - clock, 1e-9)
    return (step - then) * self._images_per_step / seconds
