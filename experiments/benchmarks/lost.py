"""How much time reports, scores and checkpoints take from a run.

python -m experiments.benchmarks.lost [--config=configs/digits.py]
  [--steps=4000] [--rounds=3] [--out=FILE]

Runs `train` in processes of their own: with one of the three as often as the
recipe asks for it, with all of them, and without any but at the end; and
without any for twice as many steps, whose difference is what the steps take.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from experiments.benchmarks import results
from gan_jax.run import command

EVERY = {'reports': 'report', 'scores': 'eval', 'checkpoints': 'save'}


def seconds_of(config: str, steps: int, **every: int) -> float:
  """Of a whole run.

  Args:
    config: the recipe.
    steps: of the run.
    **every: steps between two reports, scores (eval), checkpoints (save).
  """
  flags = [f'--config.{key}_every={n}' for key, n in every.items()]
  with tempfile.TemporaryDirectory() as folder:
    argv = [
      '-m', 'gan_jax.train', f'--config={config}', f'--config.steps={steps}',
      f'--workdir={pathlib.Path(folder) / "run"}', *flags,
    ]  # fmt: skip
    begin = time.perf_counter()
    subprocess.run([sys.executable, *argv], check=True, capture_output=True)
    return time.perf_counter() - begin


def measure(config: str, *, steps: int, rounds: int) -> list[dict]:
  """One line for each round: seconds of 1,000 steps, and lost in as many."""
  own = command.load_config(config, {})
  none = dict.fromkeys(EVERY.values(), 0)
  usual = {key: own[f'{key}_every'] for key in none}
  ways = {name: {**none, key: usual[key]} for name, key in EVERY.items()}
  ways |= {'all': usual}
  lines = []
  for every in ways.values():  # what is compiled is found from then on
    seconds_of(config, 1, **every)
  for i in range(rounds):
    alone = seconds_of(config, steps, **none)
    twice = seconds_of(config, 2 * steps, **none)
    lost = {k: seconds_of(config, steps, **v) - alone for k, v in ways.items()}
    each = 1000 / steps
    lines.append(
      {
        'case': config,
        'device': results.device(),
        'round': i,
        'steps': steps,
        'every': usual,
        'steps_seconds': each * (twice - alone),
        'lost_seconds': {k: each * v for k, v in lost.items()},
      }
    )
    print(lines[-1], flush=True)
  return lines


def report(lines: list[dict]) -> str:
  """A row for each of the three, and one for all."""
  rows = []
  for case, device in sorted({(x['case'], x['device']) for x in lines}):
    own = [x for x in lines if (x['case'], x['device']) == (case, device)]
    steps = statistics.median(x['steps_seconds'] for x in own)
    for name in (*EVERY, 'all'):
      lost = [x['lost_seconds'][name] for x in own]
      ratios = [1 + x['lost_seconds'][name] / x['steps_seconds'] for x in own]
      every = own[0]['every'].get(EVERY.get(name), '')
      middle = statistics.median(lost)
      rows.append(
        [
          f'{case}, {device}', f'{name} {every}'.strip(), f'{steps:.2f} s',
          f'{middle:.2f} s', results.spread(ratios),
        ]
      )  # fmt: skip
  head = ['recipe', 'every', '1,000 steps', 'lost in them', 'with / without']
  return results.table(head, rows)


def main():
  """The command."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--config', default='configs/digits.py')
  parser.add_argument('--steps', type=int, default=4000)
  parser.add_argument('--rounds', type=int, default=3)
  parser.add_argument('--out', type=pathlib.Path, help='not into README.md')
  args = parser.parse_args()
  lines = measure(args.config, steps=args.steps, rounds=args.rounds)
  results.publish('lost', lines, report, args.out)


if __name__ == '__main__':
  main()
