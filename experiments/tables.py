"""Result lines, and the tables that a page shows of them."""

import json
import math
import pathlib
from collections.abc import Callable

from gan_jax.storage import files


def read(path: pathlib.Path) -> list[dict]:
  """The lines of a .jsonl; none if there is no such file."""
  lines = path.read_text().splitlines() if path.exists() else []
  return [json.loads(line) for line in lines]


def replace(
  path: pathlib.Path, lines: list[dict], *, same: Callable, order: Callable
) -> list[dict]:
  """Puts lines in the place of those that have the same key.

  Args:
    path: of the .jsonl.
    lines: new ones.
    same: line -> key; old lines with a key of the new ones go.
    order: line -> what all lines are sorted by.

  Returns:
    All lines.
  """
  keys = {same(line) for line in lines}
  kept = [line for line in read(path) if same(line) not in keys]
  lines = sorted(kept + lines, key=order)
  text = ''.join(json.dumps(line) + '\n' for line in lines)
  files.write_text(path, text)
  return lines


def markdown(header: list[str], rows: list[list[str]]) -> str:
  """A table."""
  cut = ['---'] * len(header)
  return '\n'.join('| ' + ' | '.join(r) + ' |' for r in (header, cut, *rows))


def number(x: float) -> str:
  """Three digits that count, or all of those before the point."""
  if abs(x) < 1e-9:  # rounding
    return '0'
  if abs(x) < 1e-4:
    return f'{x:.1e}'
  decimals = 2 - math.floor(math.log10(abs(x)))
  return f'{x:,.{min(max(decimals, 0), 5)}f}'


def shown(page: pathlib.Path, name: str) -> str:
  """What a page shows between its markers of a name."""
  return _split(page, name)[1].strip()


def show(page: pathlib.Path, name: str, text: str):
  """Puts a text between a page's markers of a name."""
  head, _, tail = _split(page, name)
  begin, end = _markers(name)
  files.write_text(page, f'{head}{begin}\n{text}\n{end}{tail}')


def _markers(name):
  return f'<!-- {name} -->', f'<!-- end of {name} -->'


def _split(page, name):
  """What stands before, between and after the markers."""
  begin, end = _markers(name)
  head, rest = page.read_text().split(begin)
  between, tail = rest.split(end)
  return head, between, tail
