"""What parallel.choose_layout decides on: how steps and seeds are laid out.

python -m experiments.benchmarks.layouts [--only=ring8] [--rounds=5]
"""

import argparse
import itertools

from experiments.benchmarks import cases, ours, results, timing
from gan_jax.devices import parallel
from gan_jax.run import setup as setup_lib

SEEDS = 4
CASES = {  # name -> (what it is, config)
  'ring8': ('MLP of ring8', 'ring8'),
  'digits': ('DCGAN 8 x 8', 'digits'),
  'dcgan32': ('DCGAN 32 x 32', 'dcgan32'),
}
STEP = 'one step a call'
APART, TURNS, VMAP = 'seeds apart', 'loop, seeds in turn', 'loop, vmap'
LAYOUTS = {  # contender -> (seeds, layout)
  STEP: (1, parallel.Layout(loop=False, seeds='map')),
  'loop': (1, parallel.Layout(loop=True, seeds='map')),
  APART: (SEEDS, parallel.Layout(loop=False, seeds='apart')),
  TURNS: (SEEDS, parallel.Layout(loop=True, seeds='map')),
  VMAP: (SEEDS, parallel.Layout(loop=True, seeds='vmap')),
}
RATIOS = [('loop', STEP), (TURNS, APART), (VMAP, APART)]


def contenders(case: str) -> list[timing.Contender]:
  """One for each layout."""
  found = []
  for name, (seeds, layout) in LAYOUTS.items():
    setup = setup_lib.build(cases.config(CASES[case][1], num_seeds=seeds))
    advance = ours.make_advance(setup, layout=layout)
    found.append(timing.Contender(name, advance, seeds))
  return found


def measure(case: str, *, number: int, seconds: float) -> list[dict]:
  """One result line for each round."""
  ready = timing.calibrated(contenders(case), seconds=seconds)
  found = timing.rounds(ready.steps, number=number)
  lines = [
    {'case': case, 'device': results.device(), 'round': i, 'speed': speed}
    for i, speed in enumerate(found)
  ]
  print(table(lines), flush=True)
  return lines


def table(lines: list[dict]) -> str:
  """A Markdown table: a row for each case."""
  rows = []
  for case, group in itertools.groupby(lines, lambda x: x['case']):
    group = list(group)
    speed = results.speed(results.speeds(group)[STEP])
    ratios = [results.spread(results.ratio(group, *r)) for r in RATIOS]
    rows.append([CASES[case][0], speed, *ratios])
  header = [
    'model',
    'steps/s, 1 seed',
    'loop / one step a call',
    f'{SEEDS} seeds in turn in the loop / a call each',
    f'vmap of {SEEDS} in the loop / a call each',
  ]
  return results.table(header, rows)


def report(lines: list[dict]) -> str:
  """The tables of every device, each below what it ran on."""
  texts = []
  for device, group in itertools.groupby(lines, lambda x: x['device']):
    group = sorted(group, key=lambda x: list(CASES).index(x['case']))
    texts.append(f'{device}\n\n{table(group)}')
  return '\n\n'.join(texts)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--only', default=','.join(CASES), help='cases, by comma')
  parser.add_argument('--rounds', type=int, default=5)
  parser.add_argument('--seconds', type=float, default=1.5, help='a turn')
  args = parser.parse_args()
  only = args.only.split(',')
  if unknown := set(only) - set(CASES):
    parser.error(f'no case {", ".join(unknown)}; there are {", ".join(CASES)}')
  for case in only:
    lines = measure(case, number=args.rounds, seconds=args.seconds)
    results.publish('layouts', lines, report)


if __name__ == '__main__':
  main()
