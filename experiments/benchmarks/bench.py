"""Our step beside plain PyTorch and plain Flax, in turn, in one process.

python -m experiments.benchmarks.bench [--only=ring8,dcgan32] [--rounds=5]
"""

import argparse
import itertools

import jax
import torch

from experiments.benchmarks import cases, flax_gans, ours, results, timing
from experiments.benchmarks import torch_gans
from gan_jax import __version__
from gan_jax import lab as lab_lib

SEEDS = 16  # in one program, where the case is small
CASES = {  # case -> (what it is, the speeds to divide)
  'ring8': (
    'ring8: MLP 2 x 128, batch 256',
    [('ours', 'torch'), ('ours', 'flax')],
  ),
  'ring8_seeds': (
    f'ring8, {SEEDS} seeds in one program',
    [(f'ours x{SEEDS}', 'torch'), (f'ours x{SEEDS}', 'ours')],
  ),
  'dcgan32': (
    'DCGAN 32 x 32 x 3, batch 64',
    [('ours', 'torch'), ('ours', 'flax')],
  ),
  'wgan_gp32': (
    'WGAN-GP on it, no norm in D',
    [('ours', 'torch'), ('ours', 'flax')],
  ),
  'digits': (
    'digits: DCGAN 8 x 8 x 1, batch 64',
    [('ours', 'torch'), ('ours', 'flax')],
  ),
}


def contenders(case: str) -> list[timing.Contender]:
  """All that run in a case; they are checked to have equal networks."""
  seeds = case.endswith('_seeds')
  config = cases.config(case.removesuffix('_seeds'))
  x = ours.real_data(config)
  lab = lab_lib.build(config)
  trainers = {
    'torch': torch_gans.Trainer(config, x, torch_gans.setup()),
    'flax': flax_gans.Trainer(config, x),
  }
  for name, trainer in trainers.items():
    assert trainer.num_params() == ours.num_params(lab), name
  found = [timing.Contender('ours', ours.make_advance(lab))]
  if seeds:
    many = lab_lib.build({**config, 'num_seeds': SEEDS})
    advance = ours.make_advance(many)
    found.append(timing.Contender(f'ours x{SEEDS}', advance, SEEDS))
    del trainers['flax']
  found += [timing.Contender(k, v.advance) for k, v in trainers.items()]
  images = 1 if seeds else config['batch_size']
  return [c._replace(work=c.work * images) for c in found]


def measure(case: str, *, number: int, seconds: float) -> list[dict]:
  """One result line for each round."""
  unit = 'seeds x steps/s' if case.endswith('_seeds') else 'images/s'
  versions = {
    'gan_jax': __version__,
    'jax': jax.__version__,
    'torch': torch.__version__,
  }
  fixed = {
    'case': case,
    'device': results.device(),
    'unit': unit,
    'versions': versions,
  }
  found = timing.rounds(contenders(case), number=number, seconds=seconds)
  lines = [
    {**fixed, 'round': i, 'speed': speed} for i, speed in enumerate(found)
  ]
  print(table(lines), flush=True)
  return lines


def table(lines: list[dict]) -> str:
  """A Markdown table: a row for each ratio, its median and range."""
  rows = []
  for case, group in itertools.groupby(lines, lambda x: x['case']):
    group = list(group)
    title, ratios = CASES[case]
    for above, below in ratios:
      speeds = [
        results.speed([x['speed'][name] for x in group])
        for name in (above, below)
      ]
      values = results.ratio(group, above, below)
      rows.append([
        title,
        group[0]['unit'],
        f'{above}: {speeds[0]}',
        f'{below}: {speeds[1]}',
        results.spread(values),
      ])
  return results.table(
    ['case', 'unit', 'speed', 'against', 'ratio: median (range)'], rows
  )


def report(lines: list[dict]) -> str:
  """The tables of every device, each below what it ran on."""
  texts = []
  for device, group in itertools.groupby(lines, lambda x: x['device']):
    group = sorted(group, key=lambda x: list(CASES).index(x['case']))
    versions = ', '.join(f'{k} {v}' for k, v in group[0]['versions'].items())
    number = max(x['round'] for x in group) + 1
    texts.append(f'{device}; {versions}; {number} rounds\n\n{table(group)}')
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
  for case in only:  # stored one by one, for the patience of the watcher
    lines = measure(case, number=args.rounds, seconds=args.seconds)
    lines = results.store('results', lines, cases={case})
    results.write('bench', report(lines))


if __name__ == '__main__':
  main()
