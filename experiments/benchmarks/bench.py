"""Our step beside plain PyTorch and plain Flax, in turn, in one process.

python -m experiments.benchmarks.bench [--only=ring8,dcgan32] [--rounds=5]
  [--nocompiled] [--shrink] [--out=FILE | --add=FILE]
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics

import jax
import torch

from experiments.benchmarks import cases, contenders, results, timing
from gan_jax import __version__

SEEDS = contenders.SEEDS
RATIOS = (  # of speeds, where both are there
  ('ours', 'torch'),
  ('ours', 'flax'),
  ('ours', 'torch compiled'),
  ('ours', 'torch func'),
  ('ours', 'torch func compiled'),
  ('ours', 'torch graph'),
  ('ours bf16', 'torch amp'),
  ('ours bf16', 'torch compiled amp'),
  ('ours bf16', 'torch graph amp'),
  ('ours bf16', 'ours'),
)
MANY = (
  (f'ours x{SEEDS}', 'torch'),
  (f'ours x{SEEDS}', 'ours'),
  (f'ours x{SEEDS}, all cores', 'torch'),
  (f'ours x{SEEDS}, all cores', 'ours'),
)
TITLES = {
  **{name: case.title for name, case in cases.CASES.items()},
  'ring8_seeds': f'ring8, {SEEDS} seeds in one program',
  'ring8_plain_seeds': 'the same without R1',
}


def measure(case: str, *, number: int, seconds: float, **how) -> list[dict]:
  """One result line for each round.

  Args:
    case: one of TITLES.
    number: of rounds.
    seconds: of a turn.
    **how: of contenders.make.
  """
  seeds = case.endswith('_seeds')
  config = contenders.config_of(case, shrink=how.get('shrink', False))
  ready = timing.calibrated(contenders.make(case, **how), seconds=seconds)
  fixed = {
    'case': case,
    'device': results.device(),
    'batch': config['batch_size'],
    'unit': 'seeds x steps/s' if seeds else 'images/s',
    'versions': {
      'gan_jax': __version__,
      'jax': jax.__version__,
      'torch': torch.__version__,
    },
    'failed': ready.failed,
  }
  lines = [
    {**fixed, 'round': i, 'speed': speed}
    for i, speed in enumerate(timing.rounds(ready.steps, number=number))
  ]
  print(table(lines), flush=True)
  return lines


def table(lines: list[dict]) -> str:
  """A Markdown table: a row for each ratio, its median and range."""
  rows = []
  for case, group in itertools.groupby(lines, lambda x: x['case']):
    group = list(group)
    title = f'{TITLES[case]}, batch {group[0]["batch"]}'
    speeds = results.speeds(group)
    for above, below in MANY if case.endswith('_seeds') else RATIOS:
      # PyTorch with as many threads as suit it
      same = [name for name in speeds if name.split(',')[0] == below]
      if above not in speeds or not same:
        continue
      below = max(same, key=lambda name: statistics.median(speeds[name]))
      rows.append(
        [
          title,
          group[0]['unit'],
          f'{above}: {results.speed(speeds[above])}',
          f'{below}: {results.speed(speeds[below])}',
          results.spread(results.ratio(group, above, below)),
        ]
      )
  return results.table(
    ['case', 'unit', 'speed', 'against', 'ratio: median (range)'], rows
  )


def failures(lines: list[dict]) -> str:
  """What did not run, a line each; '' if all did."""
  each = {
    f'{line["case"]}, {name}: {why}'
    for line in lines
    for name, why in line['failed'].items()
  }
  return ''.join(f'\n- {text}' for text in sorted(each))


def report(lines: list[dict]) -> str:
  """The tables of every device, each below what it ran on."""
  texts = []
  for device, group in itertools.groupby(lines, lambda x: x['device']):
    group = sorted(group, key=lambda x: list(TITLES).index(x['case']))
    versions = ', '.join(f'{k} {v}' for k, v in group[0]['versions'].items())
    number = max(x['round'] for x in group) + 1
    text = f'{device}; {versions}; {number} rounds\n\n{table(group)}'
    if failed := failures(group):
      text += f'\n\nDid not run:\n{failed}'
    texts.append(text)
  return '\n\n'.join(texts)


def keep(lines: list[dict], out: pathlib.Path | None):
  """Appends lines to a file, or replaces those of README.md by them."""
  if out:
    results.append(out, lines)
    return
  pairs = {(x['case'], x['device']) for x in lines}
  results.write('bench', report(results.store('results', lines, pairs=pairs)))


def parse():
  """The command's flags."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument(
    '--only', default=','.join(TITLES), help='cases, by comma'
  )
  parser.add_argument('--rounds', type=int, default=5)
  parser.add_argument('--seconds', type=float, default=1.5, help='a turn')
  parser.add_argument('--shrink', action='store_true', help='thin networks')
  parser.add_argument('--nocompiled', action='store_true')
  parser.add_argument('--out', type=pathlib.Path, help='not into README.md')
  parser.add_argument(
    '--add', type=pathlib.Path, help="a file of --out, into README.md's tables"
  )
  args = parser.parse_args()
  args.only = args.only.split(',')
  if unknown := set(args.only) - set(TITLES):
    parser.error(f'no case {", ".join(unknown)}; there are {", ".join(TITLES)}')
  if args.shrink and not args.out:
    parser.error('--shrink: expected --out, as its speeds mean nothing')
  return args


def main():
  """The command."""
  args = parse()
  if args.add:
    lines = [json.loads(x) for x in args.add.read_text().splitlines()]
    keep([x for x in lines if x.get('case') in TITLES], None)
    return
  if jax.config.jax_platforms in (None, 'cpu'):
    jax.config.update('jax_num_cpu_devices', os.cpu_count())
  how = {'shrink': args.shrink, 'compiled': not args.nocompiled}
  for case in args.only:  # stored one by one, for the patience of the watcher
    lines = measure(case, number=args.rounds, seconds=args.seconds, **how)
    keep(lines, args.out)
    jax.clear_caches()  # what the next case does not share


if __name__ == '__main__':
  main()
