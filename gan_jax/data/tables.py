"""Tables of numbers in text files: a row for each moment, columns by name."""

import csv
import io
import math
import os
from typing import NamedTuple

import numpy as np

from gan_jax.data import names
from gan_jax.storage import memory, paths
from gan_jax.types import UserError

DELIMITERS = ',;\t'
EMPTY = ('', 'nan', 'na', 'n/a', 'null', 'none', 'inf', '-inf', '+inf')
SHOWN = 12  # columns that a line names, at most
MOST = 40  # letters of a cell that it shows


class Table(NamedTuple):
  """The cells of a file, all of them text."""

  columns: tuple[str, ...]
  rows: list[list[str]]
  lines: list[int]  # of the file, counted from 1, that the rows are on
  where: str  # what an error begins with

  def numbers(self, chosen: tuple[str, ...]) -> np.ndarray:
    """Some columns as numbers [T, C], float64.

    Raises:
      UserError: the first cell that is no finite number, and where it is.
    """
    places = [self.columns.index(name) for name in chosen]
    try:
      x = np.array([[float(row[k]) for k in places] for row in self.rows])
    except ValueError:
      x = np.full(1, np.nan)  # looked at again, cell by cell
    if not np.isfinite(x).all():
      raise UserError(f'{self.where}: {self._wrong(places)}')
    return x

  def _wrong(self, places):
    """What is wrong with the first cell that is no number."""
    for line, row in zip(self.lines, self.rows, strict=True):
      for k in places:
        if not is_number(row[k]):
          empty = row[k].strip().lower() in EMPTY
          what = 'holds no number' if empty else 'is no number'
          cell = (
            f'{names.tidy(row[k][:MOST])!r}' if row[k].strip() else 'nothing'
          )
          others = [n for n in self._numeric() if n != self.columns[k]]
          hint = (
            '' if empty else f' data.columns={listed(others)} leaves it out.'
          )
          return (
            f'line {line}, column {self.columns[k]!r}: {cell} {what}.'
            f'{hint if others else ""}'
          )
    return 'a number is not finite.'

  def _numeric(self):
    """Columns whose first cell is a number."""
    first = zip(self.columns, self.rows[0], strict=True)
    return [name for name, cell in first if is_number(cell)]


def read(path: str, *, option: str = 'path') -> Table:
  """Reads a file of rows: commas, semicolons or tabs between the cells.

  The first row names the columns if one of its cells is no number; else they
  are called 1, 2, ....

  Args:
    path: of the file.
    option: of the data set, that gave it.

  Raises:
    UserError: no such file, none of text, none with rows, rows of unlike
      lengths, columns of one name.
  """
  where = f'data.{option}={path}'
  text = _text(path, where)
  head = text.partition('\n')[0]
  delimiter = max(DELIMITERS, key=head.count)
  reader = csv.reader(io.StringIO(text), delimiter=delimiter)
  try:
    rows = [(reader.line_num, row) for row in reader if row]
  except csv.Error as e:
    raise UserError(f'{where}: line {reader.line_num}: {e}.') from e
  if not rows:
    raise UserError(f'{where}: the file is empty.')
  columns, rows = _header(rows)
  if not rows:
    raise UserError(f'{where}: there is no row of numbers.')
  for line, row in rows:
    if len(row) != len(columns):
      raise UserError(
        f'{where}: line {line} has {len(row)} values; expected {len(columns)},'
        ' as in the first one.'
      )
  if twice := [name for name in columns if columns.count(name) > 1]:
    raise UserError(f'{where}: two columns are called {twice[0]!r}.')
  lines, cells = zip(*rows, strict=True)
  return Table(tuple(columns), list(cells), list(lines), where)


def listed(columns) -> str:
  """Names for a line, as the option takes them."""
  more = ',...' if len(columns) > SHOWN else ''
  return ','.join(columns[:SHOWN]) + more


def _text(path, where):
  file = paths.expand(path)
  if not file.exists():
    raise UserError(f'{where}: there is no such file.')
  if not file.is_file():
    raise UserError(f'{where}: expected a file.')
  memory.check_memory(8 * os.path.getsize(file), f'{where}: its numbers')
  try:
    text = file.read_text('utf-8-sig')
  except UnicodeDecodeError as e:
    raise UserError(f'{where}: not a text file of numbers.') from e
  except OSError as e:
    raise UserError(f'{where}: {e.strerror}.') from e
  if '\0' in text:
    raise UserError(f'{where}: not a text file of numbers.')
  return text


def _header(rows):
  """(names of the columns, the other rows)."""
  first = rows[0][1]
  if all(is_number(cell) for cell in first):
    return [str(k + 1) for k in range(len(first))], rows
  usual = lambda k, cell: names.tidy(cell).strip() or str(k + 1)
  return [usual(k, cell) for k, cell in enumerate(first)], rows[1:]


def is_number(cell: str) -> bool:
  """Whether a cell is a finite number."""
  try:
    return math.isfinite(float(cell))
  except ValueError:
    return False
