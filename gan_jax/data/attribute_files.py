"""A table of numbers beside a folder of files: the vectors of its examples."""

import pathlib
from collections.abc import Sequence

import numpy as np

from gan_jax.data import conditions, names, tables
from gan_jax.data.files import names_of
from gan_jax.types import UserError


def read(
  path: str, files: Sequence[pathlib.Path], root: pathlib.Path
) -> tuple[np.ndarray, tuple[str, ...]]:
  """The vectors of files, in their order.

  Args:
    path: a .csv with a row for each file: in the first column its path below
      the folder, or its name alone; in each other column a number. Rows of
      other files are passed over.
    files: N of them.
    root: the folder.

  Returns:
    (vectors [N, C] float32, the names of the C columns).

  Raises:
    UserError: no such table, a file without a row or with two, a cell that is
      no finite number.
  """
  table = tables.read(path, option='table')
  columns = table.columns[1:]
  if not columns:
    raise UserError(
      f'{table.where}: expected a column of names of files and one of numbers.'
    )
  row_of = {}
  for k, row in enumerate(table.rows):
    if row_of.setdefault(row[0].strip(), k) != k:
      raise UserError(
        f'{table.where}: line {table.lines[k]}: {names.tidy(row[0])!r} has a'
        ' row already.'
      )
  below = names_of(files, root)
  rows = [_row(row_of, name, table.where) for name in below]
  numbers = [_numbers(table, k) for k in rows]
  return conditions.checked(numbers, len(files), table.where), columns


def _row(row_of, below, where):
  """The place of a file's row, by its name below the folder."""
  *_, own = below.split('/')
  for name in (below, own):
    if name in row_of:
      return row_of[name]
  raise UserError(f'{where}: there is no row for {names.tidy(own)!r}.')


def _numbers(table, k):
  """The numbers [C] of a row."""
  for column, cell in zip(table.columns[1:], table.rows[k][1:], strict=True):
    if not tables.is_number(cell):
      raise UserError(
        f'{table.where}: line {table.lines[k]}, column {column!r}: expected a'
        f' number, got {names.tidy(cell[: tables.MOST])!r}.'
      )
  return np.array(table.rows[k][1:]).astype(np.float64)
