"""What `python -m gan_jax.plan` says, beside what a training then takes.

  python -m experiments.benchmarks.predictions [--only=ring8,digits] [--rounds=3]

Of each case two processes run at the same time, one of them the plan and one
the training, on a core each, which they change each round. Seconds are those
of the process itself: on one core that is the time on a quiet machine, whoever
else shares it. Nothing is read from a cache of compiled programs. Writes
predictions.jsonl and a table of README.md.
"""

import argparse
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import jax

from experiments import tables
from experiments.benchmarks import results
from gan_jax import recipes
from gan_jax.report import plans
from gan_jax.run import scorers, scoring, training
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import plan
from gan_jax.run.workdir import contents
from gan_jax.storage import memory

PAGE = pathlib.Path(__file__).with_name('README.md')
RESULTS = pathlib.Path(__file__).with_name('predictions.jsonl')
WITHIN = 0.2  # of the measured value, the goal
CASES = {  # recipe -> steps
  'ring8': 4000,
  'ring8:tiny': 8000,
  'digits': 300,
  'mnist': 60,
  'biggan:digits': 120,
  'sngan:digits': 120,
  'wgan_gp:digits': 60,
  'stylegan2:digits': 60,
  'r3gan:digits': 60,
  'gat:digits': 60,
  'grammar_chargan': 200,
  'tones_wavegan': 100,
}
# What is compared: its column, its value in a line, and how it is written.
COLUMNS = {
  'step': ('a step', plans.seconds),
  'run': ('the run', plans.seconds),
  'live': ('arrays and temporaries', lambda n: f'{plans.amount(n)}B'),
  'peak': ('peak of the process', lambda n: f'{plans.amount(n)}B'),
  'flops': ('FLOP a step', lambda n: plans.amount(n).strip()),
}


def config(case: str) -> dict:
  """All keys of a case; twice is saved and scored, four times reported."""
  steps = CASES[case]
  cadence = {'report_every': steps // 4, 'save_every': steps // 2}
  return recipes.load(case).to_dict() | cadence | {
    'steps': steps,
    'eval_every': steps // 2,
  }  # fmt: skip


# ----------------------------------------------------- what a process measures


def planned(case: str) -> dict:
  """What the plan says."""
  made = plan.of_run(config(case))
  own = made['measured']
  return {
    'step': own['seconds_per_step'],
    'run': own['seconds_per_run'],
    'live': made['bytes']['total'],
    'peak': own['peak_bytes'],
    'flops': made['flops_per_step'],
    'seconds': own['seconds'],
  }


def trained(case: str) -> dict:
  """The same of a training, from its first line of code to its last."""
  calls, seen = [], []
  setup_lib.make_program = _timed(setup_lib.make_program, calls, seen)
  begin = time.perf_counter()
  with tempfile.TemporaryDirectory() as workdir:
    training.train(config(case), workdir)
  run = time.perf_counter() - begin
  steps, seconds = (sum(x) for x in zip(*calls[1:], strict=True))
  return {
    'step': seconds / steps,
    'run': run,
    'live': max(seen),
    'peak': memory.peak(),
    'flops': _flops(case),
  }


def _timed(make, calls, seen):
  """make_program, of a program whose calls are (steps, seconds).

  The first of them compiles. `seen` gets the bytes of all arrays and of the
  program's temporaries after each call.
  """

  @functools.wraps(make)
  def made(*args, **kwargs):
    program = make(*args, **kwargs)

    def advance(state, total, data, n):
      begin = time.perf_counter()
      out = jax.block_until_ready(program.advance(state, total, data, n))
      calls.append((n, time.perf_counter() - begin))
      seen.append(sum(x.nbytes for x in jax.live_arrays()) + _temporaries())
      return out

    return program._replace(advance=advance)

  return made


def _programs():
  """The compiled programs that train."""
  there = jax.devices()[0].client.live_executables()
  return [x for x in there if 'advance' in x.hlo_modules()[0].name]


@functools.cache
def _temporaries():
  stats = [one.get_compiled_memory_stats() for one in _programs()]
  return max(one.temp_size_in_bytes for one in stats)


def _flops(case):
  """Of the program of a training that nobody looks at, by XLA's count."""
  known = {id(one) for one in _programs()}
  setup = setup_lib.build(config(case) | {'health_every': 0})
  program = setup_lib.make_program.__wrapped__(setup)
  data = setup_lib.make_data(setup, program, step=0)(0)
  state, total = program.put(setup.init()), program.put(program.zeros)
  jax.block_until_ready(program.advance(state, total, data, 1))
  (new,) = (one for one in _programs() if id(one) not in known)
  return new.cost_analysis()['flops'] * len(setup.keys)


def prepare(case: str):
  """Trains the classifier that scores a case, or finds it in its cache."""
  own = config(case)
  setup, protocol = setup_lib.build(own), contents.eval_protocol(own)
  names = scoring.metric_names(setup, own['metrics'], protocol=protocol)
  scorers.make_scorer(setup, names, protocol=protocol, say=print).prepare()


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


def ratios(lines: list[dict], name: str) -> list[float]:
  """Planned over measured, within each round."""
  return [line['planned'][name] / line['measured'][name] for line in lines]


def table(lines: list[dict]) -> str:
  """A row for each case: what was measured, and the plan's part of it."""
  header = ['recipe', *(column for column, _ in COLUMNS.values())]
  cases = [c for c in CASES if any(line['case'] == c for line in lines)]
  rows = []
  for case in cases:
    own = [line for line in lines if line['case'] == case]
    cells = [_cell(own, name) for name in COLUMNS]
    rows.append([f'`{case}`, {CASES[case]:,} steps', *cells])
  return tables.markdown(header, rows)


def _cell(lines, name):
  measured = statistics.median(line['measured'][name] for line in lines)
  ratio = statistics.median(ratios(lines, name))
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
  own = {'prepare': prepare, 'plan': planned, 'train': trained}
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
