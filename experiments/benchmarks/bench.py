"""Our step beside plain PyTorch and plain Flax, in turn, in one process.

python -m experiments.benchmarks.bench [--only=ring8,dcgan32] [--rounds=5]
"""

import argparse
import itertools
import os
import statistics

import jax
import torch

from experiments.benchmarks import (
  cases,
  flax_gans,
  ours,
  results,
  timing,
  torch_gans,
)
from gan_jax import __version__
from gan_jax.run import setup as setup_lib

SEEDS = 16  # in one program, where the case is small
BOTH = [('ours', 'torch'), ('ours', 'flax')]
MANY = [
  (f'ours x{SEEDS}', 'torch'),
  (f'ours x{SEEDS}', 'ours'),
  (f'ours x{SEEDS}, all cores', 'torch'),
  (f'ours x{SEEDS}, all cores', 'ours'),
]
CASES = {  # case -> (what it is, the speeds to divide)
  'ring8': ('ring8: MLP 2 x 128, R1, batch 256', BOTH),
  'ring8_plain': ('the same without R1', BOTH),
  'ring8_seeds': (f'ring8, {SEEDS} seeds in one program', MANY),
  'ring8_plain_seeds': ('the same without R1', MANY),
  'dcgan32': ('DCGAN 32 x 32 x 3, batch 64', BOTH),
  'wgan_gp32': ('WGAN-GP on it, no norm in D', BOTH),
  'digits': ('digits: DCGAN 8 x 8 x 1, batch 64', BOTH),
}


def contenders(case: str) -> list[timing.Contender]:
  """All that run in a case; they are checked to have equal networks."""
  seeds = case.endswith('_seeds')
  config = cases.config(case.removesuffix('_seeds'))
  x = ours.real_data(config)
  setup = setup_lib.build(config)
  trainers = {
    'torch': torch_gans.Trainer(config, x, torch_gans.setup()),
    'flax': flax_gans.Trainer(config, x),
  }
  for name, trainer in trainers.items():
    assert trainer.num_params() == ours.num_params(setup), name
  one = jax.local_devices()[:1]
  found = [timing.Contender('ours', ours.make_advance(setup, devices=one))]
  if seeds:
    found += _seeds(setup_lib.build({**config, 'num_seeds': SEEDS}))
  else:
    found.append(timing.Contender('flax', trainers['flax'].advance))
  found += _torch(trainers['torch'])
  images = 1 if seeds else config['batch_size']
  return [c._replace(work=c.work * images) for c in found]


def _seeds(setup):
  """All seeds in one program, on one device and spread over all cores."""
  name = f'ours x{SEEDS}'
  one = ours.make_advance(setup, devices=jax.local_devices()[:1])
  found = [timing.Contender(name, one, SEEDS)]
  if len(jax.local_devices()) > 1:
    spread = ours.make_advance(setup)
    found.append(timing.Contender(f'{name}, all cores', spread, SEEDS))
  return found


def _torch(trainer):
  """PyTorch with a thread for each core, and with a single one.

  Small networks are faster with one, above all where others use the cores.
  """

  def with_threads(number):
    def advance(n):
      torch.set_num_threads(number)
      return trainer.advance(n)

    return advance

  found = [timing.Contender('torch', with_threads(os.cpu_count()))]
  if trainer.device.type == 'cpu' and os.cpu_count() > 1:
    found.append(timing.Contender('torch, 1 thread', with_threads(1)))
  return found


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
      speeds = results.speeds(group)
      if above not in speeds:
        continue
      # PyTorch with as many threads as suit it
      below = max(
        (name for name in speeds if name.split(',')[0] == below),
        key=lambda name: statistics.median(speeds[name]),
      )
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
  if jax.config.jax_platforms in (None, 'cpu'):
    jax.config.update('jax_num_cpu_devices', os.cpu_count())
  only = args.only.split(',')
  if unknown := set(only) - set(CASES):
    parser.error(f'no case {", ".join(unknown)}; there are {", ".join(CASES)}')
  for case in only:  # stored one by one, for the patience of the watcher
    lines = measure(case, number=args.rounds, seconds=args.seconds)
    lines = results.store('results', lines, cases={case})
    results.write('bench', report(lines))


if __name__ == '__main__':
  main()
