"""How long do the scores take, and how much memory?

  python -m experiments.metrics.speed [--only=fid,prdc] [--repeats=3]

Features of the size of Inception's, 10,000 against 10,000. Every measurement
has a process of its own: its seconds are those of a first call, compilation
included, and its memory is the most that the process ever had, Python and the
features included. Replaces the lines of these cases on this hardware in
speed.jsonl, and the table of README.md.
"""

import argparse
import itertools
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import jax
import numpy as np

from experiments import tables
from experiments.benchmarks import results
from gan_jax import __version__
from gan_jax.metrics import diversity, fd_infinity, fid, kid, prdc, swd

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
PAGE, RESULTS = HERE / 'README.md', HERE / 'speed.jsonl'
CASES = {  # case -> (what it is, (a, b) -> whatever)
  'fid': ('Fréchet distance', fid.frechet_distance),
  'fd_infinity': (
    'FD∞, 15 sizes',
    lambda a, b: fd_infinity.fd_infinity(fid.statistics(a), b),
  ),
  'kid': ('kernel distance, all pairs', kid.kernel_distance),
  'kid_subsets': (
    'the same, 100 subsets of 1,000',
    lambda a, b: kid.kernel_distance(
      a, b, subsets=100, subset_size=min(1000, len(a))
    ),
  ),
  'swd': ('sliced Wasserstein, 512 directions', swd.sliced_wasserstein),
  'prdc': ('precision, recall, density, coverage', prdc.prdc),
  'vendi': ('Vendi score of one side', lambda a, b: diversity.vendi(b)),
}
LIMITS = {'fid': (15, 3), 'prdc': (90, 4)}  # seconds and GB on 2 cores


def features(n: int, dims: int) -> tuple[np.ndarray, np.ndarray]:
  """Two sets [n, dims] of positive float32 that differ a little."""
  rng = np.random.default_rng(0)
  draw = lambda: np.abs(rng.standard_normal((n, dims), np.float32))
  return draw(), draw() + np.float32(0.1)


def measure_here(case: str, *, n: int, dims: int) -> dict[str, float]:
  """Seconds of one call in this process, and the most memory it had in GB."""
  a, b = features(n, dims)
  begin = time.perf_counter()
  CASES[case][1](a, b)
  return {'seconds': time.perf_counter() - begin, 'peak_gb': peak_bytes() / 1e9}


def peak_bytes() -> int:
  """The most memory that this process has had."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return peak if sys.platform == 'darwin' else 1024 * peak  # KiB on Linux


def measure(case: str, *, n: int, dims: int) -> dict[str, float]:
  """The same in a new process."""
  flags = [f'--here={case}', f'--n={n}', f'--dims={dims}']
  done = subprocess.run(
    [sys.executable, '-m', 'experiments.metrics.speed', *flags],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    check=True,
    text=True,
  )
  return json.loads(done.stdout.splitlines()[-1])


def lines_of(case: str, *, n: int, dims: int, repeats: int) -> list[dict]:
  """One result line for each repetition."""
  versions = {
    'gan_jax': __version__,
    'jax': jax.__version__,
    'numpy': np.__version__,
  }
  fixed = {'case': case, 'device': results.device(), 'n': n, 'dims': dims}
  return [
    {**fixed, 'versions': versions, 'round': i, **measure(case, n=n, dims=dims)}
    for i in range(repeats)
  ]


def table(lines: list[dict]) -> str:
  """A row for each case: medians, their range, and what is asked for."""
  rows = []
  for case, group in itertools.groupby(lines, lambda x: x['case']):
    group = list(group)
    seconds, memory = ([x[k] for x in group] for k in ('seconds', 'peak_gb'))
    span = f'({min(seconds):.1f} to {max(seconds):.1f})'
    limit = '{} s, {} GB'.format(*LIMITS[case]) if case in LIMITS else ''
    rows.append(
      [
        f'`{case}`: {CASES[case][0]}',
        f'**{statistics.median(seconds):.1f}** {span}',
        f'**{statistics.median(memory):.2f}**',
        limit,
      ]
    )
  return tables.markdown(['score', 'seconds', 'peak GB', 'to be below'], rows)


def report(lines: list[dict]) -> str:
  """The tables of every device, each below what it ran on."""
  texts = []
  for (device, n, dims), group in itertools.groupby(lines, _setting):
    group = list(group)
    number = 1 + max(x['round'] for x in group)
    versions = ', '.join(f'{k} {v}' for k, v in group[0]['versions'].items())
    texts.append(
      f'{device}; {versions}; {n:,} against {n:,} x {dims:,}; median (range) '
      f'of {number}\n\n{table(group)}'
    )
  return '\n\n'.join(texts)


def _setting(line):
  return line['device'], line['n'], line['dims']


def main():
  """The command."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--only', default=','.join(CASES), help='cases, by comma')
  parser.add_argument('--repeats', type=int, default=3)
  parser.add_argument('--n', type=int, default=10_000)
  parser.add_argument('--dims', type=int, default=2048)
  parser.add_argument('--here', choices=CASES, help='one case, printed only')
  args = parser.parse_args()
  size = {'n': args.n, 'dims': args.dims}
  if args.here:
    print(json.dumps(measure_here(args.here, **size)))
    return
  only = args.only.split(',')
  if unknown := set(only) - set(CASES):
    parser.error(f'no case {", ".join(unknown)}; there are {", ".join(CASES)}')
  same = lambda x: (x['case'], *_setting(x))
  order = lambda x: (*_setting(x), list(CASES).index(x['case']), x['round'])
  for case in only:  # stored one by one
    lines = lines_of(case, **size, repeats=args.repeats)
    print(table(lines), flush=True)
    lines = tables.replace(RESULTS, lines, same=same, order=order)
    tables.show(PAGE, 'speed', report(lines))


if __name__ == '__main__':
  main()
