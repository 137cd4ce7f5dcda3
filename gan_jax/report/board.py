"""The state of a study: a live table on a terminal, plain lines elsewhere."""

import os
import sys
import time
from typing import NamedTuple

from gan_jax.report import text

HEADS = ('cell', 'seeds', 'score', 'left')
LINE_SECONDS = 30.0  # between two lines where there is no terminal


class Row(NamedTuple):
  """A cell of the table."""

  cell: str
  done: int  # seeds
  of: int
  score: str
  left: str  # time, or a word: 'done', 'running'


class Board:
  """The table; a context manager."""

  def __init__(self, *, stream=None):
    """Shows nothing yet.

    Args:
      stream: to write to; stdout by default.
    """
    self._stream = stream or sys.stdout
    self._live, self._told, self._shown = None, time.monotonic(), None

  def __enter__(self):
    if self._stream.isatty() and os.environ.get('TERM', '') not in ('', 'dumb'):
      from rich.console import Console
      from rich.live import Live

      self._live = Live(
        console=Console(file=self._stream), auto_refresh=False
      ).__enter__()
    return self

  def __exit__(self, *error):
    if self._live:
      self._live.__exit__(*error)
      self._live = None

  def say(self, line: str):
    """Prints a line, above the table where there is one."""
    if self._live:
      self._live.console.print(line, markup=False, highlight=False)
    else:
      print(line, file=self._stream, flush=True)

  def update(self, rows: list[Row], seconds: float | None):
    """Shows the table.

    Args:
      rows: of all cells.
      seconds: to the end of the study, None if unknown.
    """
    if self._live:
      self._live.update(_table(rows, seconds), refresh=True)
      return
    done = [row.done for row in rows]
    late = time.monotonic() - self._told > LINE_SECONDS
    if done != self._shown or late:
      self._shown, self._told = done, time.monotonic()
      self.say(_line(rows, seconds))


def _line(rows, seconds):
  """The state of the study, and the cells that are running."""
  done, of = sum(row.done for row in rows), sum(row.of for row in rows)
  parts = [f'{done} of {of} runs']
  parts += [f'{text.duration(seconds)} left'] if seconds else []
  at = [row for row in rows if row.done < row.of and row.score]
  parts += [f'{row.cell}: {row.score}' for row in at[:3]]
  return '  '.join(parts)


def _table(rows, seconds):
  from rich import box
  from rich.table import Table

  table = Table(box=box.SIMPLE_HEAD)
  for head in HEADS:
    table.add_column(head, justify='left' if head == 'cell' else 'right')
  for row in rows:
    table.add_row(row.cell, f'{row.done}/{row.of}', row.score, row.left)
  if seconds is not None:
    table.caption = f'{text.duration(seconds)} left for all'
  return table
