"""The progress of a run: a live line on a terminal, plain lines elsewhere."""

import collections
import contextlib
import os
import sys
import time
from collections.abc import Callable

from gan_jax.report import glossary, text
from gan_jax.storage import files

BAR_WIDTH = 20
SLOW_SECONDS = 10.0  # between two lines about one piece of work
WINDOW = 20  # marks, at least half a second apart, that the rate is taken over


def say(line: str, *, main: bool = True, stream=None):
  """Prints a line and flushes it; only in the main process.

  Args:
    line: the text.
    main: whether this is the process that prints.
    stream: to write to; stdout by default.
  """
  if main:
    print(line, file=stream or sys.stdout, flush=True)


class Progress:
  """Step, samples/s, time left, both losses and the latest scores.

  A context manager. On a terminal one line is kept up to date, and says what
  the run waits for; elsewhere each report is a line of its own, without control
  characters, and so is what the first step waits for.
  """

  def __init__(self, total: int, *, start=0, main=True, stream=None):
    """Starts the line.

    Args:
      total: steps of the whole run.
      start: step that the run continues from.
      main: whether this is the process that prints.
      stream: to write to; stdout by default.
    """
    self._total, self._step, self._main = total, start, main
    self._start, self._begin = start, time.monotonic()
    self._stream = stream or sys.stdout
    self._metrics, self._scores, self._spans = {}, {}, {}
    self._work, self._since = 'compiling', self._begin  # before the first step
    self._compiling = False
    self._marks = collections.deque(maxlen=WINDOW)
    self._live = (
      self._start_live() if main and _is_terminal(self._stream) else None
    )

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.close()

  def compiles(self):
    """Notes that the first step is next, for which a program is compiled."""
    self._compiling, self._since = True, time.monotonic()
    if not self._live:
      self.say('compiling')

  @contextlib.contextmanager
  def waits_for(self, words: str):
    """Says on the live line what the training waits for, and how long."""
    before = self._work, self._since
    self._work, self._since = words, time.monotonic()
    try:
      yield
    finally:
      self._work, self._since = before

  def advance(self, step: int):
    """Notes the step; cheap, for every call of the training loop."""
    self._step, now = step, time.monotonic()
    if step > self._start:
      if self._compiling and not self._live:
        self.say(f'compiled in {now - self._since:.1f} s')
      self._work, self._compiling = '', False
    if not self._marks or now - self._marks[-1][0] >= 0.5:
      self._marks.append((now, step))

  def report(self, step: int, metrics: dict, *, scores: dict | None = None):
    """Shows what was measured since the last report.

    Args:
      step: updates of G so far.
      metrics: scalars, or one value per seed, by name; shown are `d_loss`,
        `g_loss`, `samples_per_s` and the names in `glossary.SCORES`.
      scores: scores of other names; without any, the last ones stay.
    """
    self.advance(step)
    self._metrics = files.plain(metrics)
    known = {k: v for k, v in self._metrics.items() if k in glossary.SCORES}
    if new := known | files.plain(scores or {}):
      self._scores, self._spans = new, {}
    if not self._live:
      self.say('  '.join(self._parts()))

  def scores(self, step: int, scores: dict):
    """Shows scores; they stay on the line until the next ones come.

    Args:
      step: updates of G so far.
      scores: scalars, or one value per seed, by name; `NAME_low` and
        `NAME_high` are the ends of its interval.
    """
    scores = files.plain(scores)
    ends = text.interval_ends(scores)
    self._scores = {k: v for k, v in scores.items() if k not in ends}
    self._spans = {name: _doubt(name, scores) for name in self._scores}
    if not self._live:
      self.say('  '.join([f'step {step:,}', 'scores', *self._score_parts()]))

  def say(self, line: str):
    """Prints a line, above the live one where there is one."""
    if self._live:
      self._live.console.print(line, markup=False, highlight=False)
    else:
      say(line, main=self._main, stream=self._stream)

  def close(self):
    """Ends the live line, leaving its last state; may be called twice."""
    if self._live:
      self._live.stop()
      self._live = None

  def seconds_left(self):
    """Seconds to the end at the recent pace, None if unknown."""
    if len(self._marks) < 2:
      return None
    (then, first), (now, last) = self._marks[0], self._marks[-1]
    if last <= first:
      return None
    return max(self._total - self._step, 0) * (now - then) / (last - first)

  def _parts(self):
    yield f'step {self._step:,}/{self._total:,}'
    scores = list(self._score_parts())
    yield from scores[:1]
    if self._work:  # before what a narrow terminal leaves out
      yield f'{self._work}, {time.monotonic() - self._since:.0f} s'
    yield from scores[1:]
    for player in ('d', 'g'):
      if f'{player}_loss' in self._metrics:
        loss = text.mean(self._metrics[f'{player}_loss'])
        yield f'{player.upper()} {text.number(loss)}'
    speed = text.mean(self._metrics.get('samples_per_s'))
    if speed is not None:
      yield f'{speed:,.0f} samples/s'
    left = self.seconds_left()
    if left is not None and self._step < self._total:
      yield f'{text.duration(left)} left'

  def _score_parts(self):
    for name, value in self._scores.items():
      yield f'{name} {text.number(text.mean(value))}{self._spans.get(name, "")}'

  def _start_live(self):
    from rich.console import Console
    from rich.live import Live

    console = Console(file=self._stream)
    live = Live(
      get_renderable=lambda: self._line(
        ascii_only=console.options.ascii_only, width=console.width
      ),
      console=console,
      refresh_per_second=4,
    )
    live.start()
    return live

  def _line(self, *, ascii_only, width):
    from rich.text import Text

    line = Text(no_wrap=True, overflow='ellipsis')
    words = '  '.join(fitting(list(self._parts()), width))
    if len(words) + 2 + BAR_WIDTH <= width:
      share = self._step / self._total if self._total else 1.0
      full = round(min(share, 1.0) * BAR_WIDTH)
      done, todo = ('#', '-') if ascii_only else ('━', '━')
      line.append(done * full, style='cyan')
      line.append(todo * (BAR_WIDTH - full), style='bright_black')
      line.append('  ')
    return line.append(words)


def fitting(parts: list[str], width: int) -> list[str]:
  """The first parts of a line that fit into its width, whole."""
  while len(parts) > 2 and len('  '.join(parts)) > width:
    parts = parts[:-1]
  # The step is a lesser thing than the score.
  return parts if len('  '.join(parts)) <= width else parts[-1:]


def _doubt(name, scores):
  """' (-88 to 69)' after a value that may be zero, as far as one knows.

  The interval of a single seed, the range of several.
  """
  low, high = (text.numbers(scores.get(f'{name}_{e}')) for e in ('low', 'high'))
  if not any(end <= 0 for end in low):
    return ''
  values = text.numbers(scores[name])
  ends = (min(values), max(values)) if len(values) > 1 else (low[0], high[0])
  span = text.span(*ends)
  return span and f' ({span})'


class SlowWork:
  """Says how far a piece of work is, if it takes long: every ten seconds."""

  def __init__(self, words: str, say: Callable):
    """Nothing is being done.

    Args:
      words: what is counted, 'samples drawn' say.
      say: called with a line.
    """
    self._words, self._say = words, say
    self._done, self._told = 0, 0.0

  def __call__(self, done: int, total: int):
    """Notes that so many of the total are done; fewer begin another piece."""
    now = time.monotonic()
    if done <= self._done or not self._done:
      self._told = now
    self._done = done if done < total else 0
    if now - self._told >= SLOW_SECONDS:
      self._told = now
      self._say(f'{done:,} of {total:,} {self._words}')


class Counter:
  """Counts what is done: a line that is kept up to date.

  A context manager. Without a terminal, a line every ten seconds.
  """

  def __init__(self, unit: str, *, main=True, stream=None):
    """Starts at nothing.

    Args:
      unit: what is counted, 'samples' say.
      main: whether this is the process that prints.
      stream: to write to; stderr by default, so that results can be piped.
    """
    self._unit, self._main = unit, main
    self._stream = stream or sys.stderr
    self._live = main and _is_terminal(self._stream)
    self._told, self._open = time.monotonic(), False

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.close()

  def tick(self, done: int, total: int):
    """Notes that so many of the total are done."""
    now = time.monotonic()
    wait = 0.1 if self._live else 10.0
    if not self._main or now - self._told < wait:
      return
    self._told, self._open = now, self._live
    line = f'{done:,} of {total:,} {self._unit}'
    ends = {'end': ''} if self._live else {}
    lead = '\r\x1b[K' if self._live else ''
    print(lead + line, file=self._stream, flush=True, **ends)

  def say(self, line: str):
    """Prints a line of its own."""
    self.close()
    say(line, main=self._main, stream=self._stream)

  def close(self):
    """Wipes the line; may be called twice."""
    if self._open:
      print('\r\x1b[K', end='', file=self._stream, flush=True)
    self._open = False


def _is_terminal(stream):
  return stream.isatty() and os.environ.get('TERM', '') not in ('', 'dumb')
