"""Rows of a log, averaged so that there are never many.

The first rows stay as they are. When there are MOST, neighbours become one, so
half are left; then those of two, and so on. The last row always stays.
"""

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gan_jax.report import text

MOST, LEAST = 1024, 512  # rows of a kind
VALUES = 2**18  # of all of them together: where rows are wide, fewer stay
AT_ONCE = 32  # rows that are averaged together, a power of two


class Entry(NamedTuple):
  """A row, or several in one."""

  index: int  # of the last of them in the log
  weight: int  # how many
  row: dict


class Kind:
  """Rows of the same names and seeds, measured under the same protocols."""

  def __init__(self, size=1, entries=(), newer=(), last=None):
    """Of entries of `size` rows, the last perhaps of fewer, and newer rows."""
    self.size, self.entries = size, list(entries)
    self.newer, self.last = list(newer), last

  def add(self, entry: Entry):
    """Adds a row at the end."""
    if self.last:
      self.newer.append(self.last)
      if len(self.newer) >= min(self.size, AT_ONCE):
        self._fold()
    self.last = entry

  def all(self) -> list[Entry]:
    """First to last."""
    newer = [_merged(self.newer)] if self.newer else []
    return [*self.entries, *newer, self.last]

  def _fold(self):
    part = [self.entries.pop()] if self._is_open() else []
    self.entries.append(_merged(part + self.newer))
    self.newer = []
    full = len(self.entries) >= most_rows(self.last.row)
    if full and not self._is_open():
      pairs = zip(self.entries[::2], self.entries[1::2], strict=True)
      self.entries = [_merged(pair) for pair in pairs]
      self.size *= 2

  def _is_open(self):
    return bool(self.entries) and self.entries[-1].weight < self.size


def most_rows(row: dict) -> int:
  """How many rows like one are kept as they are; an even number."""
  width = sum(len(v) if isinstance(v, list) else 1 for v in row.values())
  return 2 * (min(max(VALUES // width, LEAST), MOST) // 2)


def _merged(entries: Sequence[Entry]) -> Entry:
  """Entries of one kind as one: means over all rows, and their extremes.

  A seed without a number somewhere has no mean there, as in charts.thin.
  """
  if len(entries) == 1:
    return entries[0]
  rows, last = [entry.row for entry in entries], entries[-1]
  weight = sum(entry.weight for entry in entries)
  shares = [entry.weight / weight for entry in entries]
  names = [name for name in last.row if name != 'step']
  ends = text.interval_ends(names)
  merged = {'step': last.row['step']}
  for name in names:
    if name not in ends:
      values = [row[name] for row in rows]
      merged[name] = _each(lambda seed: _mean(seed, shares), values)
      for end, of in (('low', min), ('high', max)):
        key = f'{name}_{end}'
        known = values + [row[key] for row in rows if key in row]
        merged[key] = _each(lambda seed, of=of: _extreme(seed, of), known)
  return Entry(last.index, weight, merged)


def _each(function: Callable, values: list):
  """function(values) of numbers, or seed by seed of lists of them."""
  if not isinstance(values[0], list):
    return function(values)
  return [function(seed) for seed in zip(*values, strict=True)]


def _mean(values, shares):
  if None in values:
    return None
  return sum(map(operator.mul, values, shares))


def _extreme(values, of):
  if None in values:
    values = [value for value in values if value is not None]
  return of(values, default=None)
