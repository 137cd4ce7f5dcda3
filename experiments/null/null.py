"""Twenty studies of two equal cells out of the seeds of one; one is planted.

python -m experiments.null.null

Reads results.jsonl and writes the table into README.md.
"""

import json
import pathlib

import numpy as np

from gan_jax.storage import files
from gan_jax.study.statistics import comparison, contrasts, planning

HERE = pathlib.Path(__file__).parent
SEEDS = 8  # of a cell
METRICS = ('high_quality', 'modes', 'reverse_kl')
BEGIN, END = '<!-- table -->', '<!-- end of table -->'


def deal(values: np.ndarray) -> np.ndarray:
  """Scores [N] of one cell as studies of two cells, [N / 16, 2, 8]."""
  return values.reshape(-1, 2, SEEDS)


def called(study: np.ndarray) -> bool:
  """Whether two cells [2, SEEDS] are called different."""
  (found,) = comparison.compare(
    contrasts.against('a', 'ab'),
    {'a': study[0].tolist(), 'b': study[1].tolist()},
    lower_is_better=False,
  )
  return found.verdict in ('better', 'worse')


def plant(studies: np.ndarray) -> np.ndarray:
  """Adds one standard deviation of the paired differences to one cell."""
  differences = studies[:, 1] - studies[:, 0]
  shift = np.array([[0.0], [1.0]]) * differences.std(ddof=1)  # [2, 1]
  return studies + shift[None]


def row(rows: list[dict], metric: str) -> str:
  """A line of the table."""
  values = np.array([r['scores'][metric] for r in rows])
  studies = deal(values)
  equal, planted = (
    sum(map(called, some)) for some in (studies, plant(studies))
  )
  of = len(studies)
  return f'| `{metric}` | {equal} of {of} | {planted} of {of} |'


def table(rows: list[dict]) -> str:
  """How often a difference was called, where there is none and where is one."""
  announced = planning.power(SEEDS, 1.0)
  lines = [
    f'| metric | equal cells called different (5 % or less) | one standard'
    f' deviation planted, found ({announced:.0%} announced) |',
    '|---|---|---|',
  ]
  return '\n'.join([*lines, *(row(rows, metric) for metric in METRICS)])


def main():
  """The command."""
  text = (HERE / 'results.jsonl').read_text()
  rows = [json.loads(line) for line in text.splitlines()]
  readme = (HERE / 'README.md').read_text()
  before, after = readme.split(BEGIN)[0], readme.split(END)[1]
  new = f'{before}{BEGIN}\n{table(rows)}\n{END}{after}'
  files.write_text(HERE / 'README.md', new)
  print(table(rows))


if __name__ == '__main__':
  main()
