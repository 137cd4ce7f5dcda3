"""Result lines, and the tables that README.md shows of them."""

import json
import math
import pathlib
from collections.abc import Callable

from gan_jax.storage import files

HERE = pathlib.Path(__file__).parent


def read(name: str) -> list[dict]:
  """The lines of NAME.jsonl; none if there is no such file."""
  path = HERE / f'{name}.jsonl'
  lines = path.read_text().splitlines() if path.exists() else []
  return [json.loads(line) for line in lines]


def replace(
  name: str, lines: list[dict], *, same: Callable, order: Callable
) -> list[dict]:
  """Puts lines in the place of those that have the same key.

  Args:
    name: of the file, without .jsonl.
    lines: new ones.
    same: line -> key; old lines with a key of the new ones go.
    order: line -> what all lines are sorted by.

  Returns:
    All lines.
  """
  keys = {same(line) for line in lines}
  kept = [line for line in read(name) if same(line) not in keys]
  lines = sorted(kept + lines, key=order)
  text = ''.join(json.dumps(line) + '\n' for line in lines)
  files.write_text(HERE / f'{name}.jsonl', text)
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


def shown(name: str) -> str:
  """What README.md shows between its markers of a name."""
  return _split(name)[1].strip()


def show(name: str, text: str):
  """Puts a text between README.md's markers of a name."""
  head, _, tail = _split(name)
  begin, end = _markers(name)
  text = f'{head}{begin}\n{text}\n{end}{tail}'
  files.write_text(HERE / 'README.md', text)


def _markers(name):
  return f'<!-- {name} -->', f'<!-- end of {name} -->'


def _split(name):
  """What stands before, between and after the markers."""
  begin, end = _markers(name)
  head, rest = (HERE / 'README.md').read_text().split(begin)
  between, tail = rest.split(end)
  return head, between, tail
