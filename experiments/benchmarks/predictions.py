"""What `python -m gan_jax.plan` says, beside what a training then takes.

  python -m experiments.benchmarks.predictions [--only=ring8] [--rounds=3]

Of each case two processes run at the same time, one of them the plan and one
the training, on a core each, which they change each round. Seconds are those
of the process itself: on one core that is the time on a quiet machine, whoever
else shares it. Nothing is read from a cache of compiled programs. Writes
predictions.jsonl and a table of README.md.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from experiments import tables
from experiments.benchmarks import predicted, results
from experiments.benchmarks.predicted import CASES
from gan_jax.report import plans

PAGE = pathlib.Path(__file__).with_name('README.md')
RESULTS = pathlib.Path(__file__).with_name('predictions.jsonl')
WITHIN = 0.2  # of the measured value, the goal
# What is compared: its column, its value in a line, and how it is written.
COLUMNS = {
  'step': ('a step', plans.seconds),
  'run': ('the run', plans.seconds),
  'live': ('arrays and temporaries', lambda n: f'{plans.amount(n)}B'),
  'peak': ('peak of the process', lambda n: f'{plans.amount(n)}B'),
  'flops': ('FLOP a step', lambda n: plans.amount(n).strip()),
}


# ------------------------------------------------------------------ the rounds


def measure(case: str, rounds: int) -> list[dict]:
  """A line for each round: {'planned': ..., 'measured': ...}."""
  cores, lines = sorted(os.sched_getaffinity(0))[:2], []
  _wait(_start('prepare', case, cores[0]))
  for i in range(rounds):
    turn = cores if i % 2 else cores[::-1]
    both = [
      _start(what, case, turn[j]) for j, what in enumerate(('plan', 'train'))
    ]
    made, measured = (json.loads(_wait(one)) for one in both)
    line = {'case': case, 'device': results.device(), 'round': i}
    lines.append(line | {'planned': made, 'measured': measured})
    print(table(lines), flush=True)
  return lines


def _start(what, case, core):
  command = [sys.executable, '-m', __spec__.name, f'--{what}={case}']
  command += [f'--core={core}']
  environment = os.environ | {'JAX_ENABLE_COMPILATION_CACHE': 'false'}
  return subprocess.Popen(
    command, stdout=subprocess.PIPE, env=environment, text=True
  )


def _wait(process) -> str:
  """The last line that a process has printed."""
  out, _ = process.communicate()
  if process.returncode:
    raise SystemExit(f'{" ".join(process.args)}: exit {process.returncode}')
  return out.splitlines()[-1]


# -------------------------------------------------------------------- the page


def table(lines: list[dict]) -> str:
  """A row for each case: what was measured, and the plan's part of it."""
  header = ['recipe', *(column for column, _ in COLUMNS.values())]
  cases = [c for c in CASES if any(line['case'] == c for line in lines)]
  rows = []
  for case in cases:
    own = [line for line in lines if line['case'] == case]
    cells = [_cell(own, name) for name in COLUMNS]
    name = 'six cells of ring8' if case == 'study' else f'`{case}`'
    rows.append([f'{name}, {CASES[case]:,} steps', *cells])
  return tables.markdown(header, rows)


def _cell(lines, name):
  if name not in lines[0]['measured']:
    return '–'
  measured = statistics.median(line['measured'][name] for line in lines)
  ratio = statistics.median(
    line['planned'][name] / line['measured'][name] for line in lines
  )
  text = f'{ratio:.2f}' if abs(ratio - 1) <= WITHIN else f'**{ratio:.2f}**'
  return f'{COLUMNS[name][1](measured)}: {text}'


def main():
  """Measures, and writes the page's table."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--only', default=','.join(CASES), help='cases, by comma')
  parser.add_argument('--rounds', type=int, default=3)
  for what in ('prepare', 'plan', 'train'):
    parser.add_argument(f'--{what}', choices=CASES, help=argparse.SUPPRESS)
  parser.add_argument('--core', type=int, help=argparse.SUPPRESS)
  args = parser.parse_args()
  if args.core is not None:
    os.sched_setaffinity(0, {args.core})  # before JAX starts
  own = {
    'prepare': predicted.prepare,
    'plan': predicted.planned,
    'train': predicted.trained,
  }
  time.perf_counter = time.process_time  # of a plan as well
  for what, function in own.items():
    if case := getattr(args, what):
      print(json.dumps(function(case)))
      return
  for case in args.only.split(','):
    lines = tables.replace(
      RESULTS,
      measure(case, args.rounds),
      same=lambda line: (line['device'], line['case']),
      order=lambda line: (line['device'], line['case'], line['round']),
    )
    tables.show(PAGE, 'predictions', table(lines))


if __name__ == '__main__':
  main()
