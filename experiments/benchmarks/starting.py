"""How long does a command take to begin: to print its usage, to train a step?

Each figure is that of a process of its own, from its start. *Cold* begins with
an empty cache of programs, *warm* with that of the round before; the classifier
that scores need is trained beforehand. Seconds of the clock, and of the CPU,
which say more on a machine that has other work. Contenders take turns, round by
round.
"""

import argparse
import itertools
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from experiments.benchmarks import results

COMMANDS = ('train', 'sample', 'evaluate', 'ablate', 'plan')
RECIPES = ('ring8', 'digits', 'biggan:digits')
# Trains until the first step is done, and leaves at once.
FIRST = """
import os, sys
from gan_jax import train
from gan_jax.run import command, hooks
def leave(self, step):
  sys.stdout.flush()
  os._exit(0)
hooks.Hooks.tick = leave
command.run(train.main, ['train', *sys.argv[1:]])
"""


def timed(argv: list[str], cache: pathlib.Path, tree: str) -> dict:
  """The seconds that a process takes in a tree, by the clock and of the CPU."""
  env = dict(os.environ, GAN_JAX_CACHE=str(cache), PYTHONPATH=tree)
  env.pop('JAX_COMPILATION_CACHE_DIR', None)
  used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
  begin, before = time.monotonic(), used()
  subprocess.run(
    [sys.executable, *argv], cwd=tree, env=env, check=True, capture_output=True
  )
  took = time.monotonic() - begin
  return {'seconds': round(took, 2), 'cpu': round(used() - before, 2)}


def first_step(
  case: str, cache: pathlib.Path, tree: str, *, cold: bool = False
) -> dict:
  """The same until a recipe's first step is done."""
  if cold:
    shutil.rmtree(cache / 'compiled', ignore_errors=True)
  with tempfile.TemporaryDirectory() as folder:
    workdir = f'--workdir={folder}/run'
    return timed(['-c', FIRST, f'--config={case}', workdir], cache, tree)


def measure(case: str, *, rounds: int, beside: str) -> list[dict]:
  """A line for each contender and round of a command or a recipe."""
  trees = {'': os.getcwd()} | ({'before, ': beside} if beside else {})
  ways, lines = {}, []
  with tempfile.TemporaryDirectory() as folder:
    for words, tree in trees.items():
      cache = pathlib.Path(folder) / (words or 'now')
      if case in COMMANDS:
        usage = ['-m', f'gan_jax.{case}', '--help']
        ways[f'{words}usage'] = timed, (usage, cache, tree), {}
      else:
        of = case, cache, tree
        ways[f'{words}cold'] = first_step, of, {'cold': True}
        ways[f'{words}warm'] = first_step, of, {}
    for i in range(-1, rounds):  # the first one makes what is kept
      for name, (run, args, options) in ways.items():
        took = run(*args, **options)
        about = {'case': case, 'device': results.device(), 'round': i}
        lines.append(about | {'contender': name} | took)
  return [line for line in lines if line['round'] >= 0]


def table(lines: list[dict]) -> str:
  """A row for each case and contender of one device."""
  rows = []
  key = lambda x: (x['case'], x['contender'])
  for (case, name), own in itertools.groupby(sorted(lines, key=key), key):
    own = list(own)
    wall, cpu = ([x[k] for x in own] for k in ('seconds', 'cpu'))
    rows.append(
      [f'`{case}`', name, results.spread(wall), f'{statistics.median(cpu):.1f}']
    )
  return results.table(['what', 'how', 'seconds', 's of CPU'], rows)


def report(lines: list[dict]) -> str:
  """The tables of every device, each below what it ran on."""
  groups = itertools.groupby(lines, lambda x: x['device'])
  return '\n\n'.join(f'{device}\n\n{table(list(g))}' for device, g in groups)


def main():
  every = (*COMMANDS, *RECIPES)
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--only', default=','.join(every), help='by comma')
  parser.add_argument('--rounds', type=int, default=5)
  parser.add_argument('--beside', default='', help='a clone of before')
  args = parser.parse_args()
  for case in args.only.split(','):
    lines = measure(case, rounds=args.rounds, beside=args.beside)
    results.publish('starting', lines, report)


if __name__ == '__main__':
  main()
