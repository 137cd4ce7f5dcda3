"""Result lines, and the tables that README.md shows of them."""

import json
import os
import pathlib
import platform
import statistics

import jax

HERE = pathlib.Path(__file__).parent


def device() -> str:
  """The hardware, in words that two machines of a kind share."""
  if jax.default_backend() != 'cpu':
    return jax.devices()[0].device_kind
  return f'{os.cpu_count()} shared {platform.machine()} cores'


def store(name: str, lines: list[dict], *, cases: set[str]) -> list[dict]:
  """Replaces the lines of these cases on this device; returns all lines."""
  path = HERE / f'{name}.jsonl'
  old = path.read_text().splitlines() if path.exists() else []
  kept = [
    line
    for line in map(json.loads, old)
    if line['case'] not in cases or line['device'] != device()
  ]
  lines = sorted(kept + lines, key=lambda x: (x['device'], x['case']))
  path.write_text(''.join(json.dumps(x) + '\n' for x in lines))
  return lines


def spread(values: list[float]) -> str:
  """'median (least to most)'."""
  middle, low, high = statistics.median(values), min(values), max(values)
  return f'**{middle:.2f}** ({low:.2f} to {high:.2f})'


def speed(values: list[float]) -> str:
  """The median with three digits."""
  return f'{float(f"{statistics.median(values):.3g}"):,g}'


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
