"""Result lines, and the tables that README.md shows of them."""

import json
import os
import pathlib
import platform
import statistics
from collections.abc import Callable

import jax

HERE = pathlib.Path(__file__).parent


def device() -> str:
  """The hardware, in words that two machines of a kind share."""
  if jax.default_backend() != 'cpu':
    return jax.devices()[0].device_kind
  return f'{os.cpu_count()} shared {platform.machine()} cores'


def read(name: str) -> list[dict]:
  """The lines of NAME.jsonl; [] if there is no such file."""
  path = HERE / f'{name}.jsonl'
  lines = path.read_text().splitlines() if path.exists() else []
  return [json.loads(line) for line in lines]


def store(name: str, lines: list[dict], *, pairs: set[tuple]) -> list[dict]:
  """Replaces the lines of these pairs (case, device); returns all lines."""
  of = lambda line: (line['case'], line['device'])
  kept = [line for line in read(name) if of(line) not in pairs]
  lines = sorted(kept + lines, key=lambda x: (x['device'], x['case']))
  (HERE / f'{name}.jsonl').write_text(_as_text(lines))
  return lines


def append(path: pathlib.Path, lines: list[dict]):
  """Adds lines to a file of one's own, which need not be there yet."""
  with path.open('a') as file:
    file.write(_as_text(lines))


def _as_text(lines):
  return ''.join(json.dumps(line) + '\n' for line in lines)


def spread(values: list[float]) -> str:
  """'median (least to most)'."""
  middle, low, high = statistics.median(values), min(values), max(values)
  return f'**{middle:.2f}** ({low:.2f} to {high:.2f})'


def short(value: float, digits: int = 2) -> str:
  """Of so many digits that count, without an exponent."""
  return f'{float(f"{value:.{digits}g}"):,g}'


def speed(values: list[float]) -> str:
  """The median with three digits."""
  return short(statistics.median(values), 3)


def speeds(lines: list[dict]) -> dict[str, list[float]]:
  """{contender: its speed in each round}."""
  return {name: [x['speed'][name] for x in lines] for name in lines[0]['speed']}


def ratio(lines: list[dict], above: str, below: str) -> list[float]:
  """A ratio of two contenders' speeds, within each round."""
  return [x['speed'][above] / x['speed'][below] for x in lines]


def table(header: list[str], rows: list[list[str]]) -> str:
  """Markdown."""
  cut = ['---'] * len(header)
  return '\n'.join('| ' + ' | '.join(r) + ' |' for r in (header, cut, *rows))


def write(name: str, text: str):
  """Puts a text between README.md's markers of that name."""
  path = HERE / 'README.md'
  begin, end = f'<!-- {name} -->', f'<!-- end of {name} -->'
  head, rest = path.read_text().split(begin)
  tail = rest.split(end)[1]
  path.write_text(f'{head}{begin}\n{text}\n{end}{tail}')


def publish(name: str, lines: list[dict], report: Callable, out=None):
  """Puts the lines of a script into its table, or else at the end of a file.

  Args:
    name: of the results, and of their part of README.md.
    lines: each with its case and device, whose earlier lines they replace.
    report: all lines -> the part's text.
    out: a path that they are added to, in place of README.md.
  """
  if out:
    append(out, lines)
    return
  pairs = {(x['case'], x['device']) for x in lines}
  text = report(store(name, lines, pairs=pairs))
  write(name, text)
  print(text)
