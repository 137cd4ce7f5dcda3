"""jit, pmap and shard_map beside each other, compiled for a TPU slice.

  python -m experiments.benchmarks.wrappers [--only=ring8] [--topology=v5e:2x2]

Needs libtpu (pip install 'gan_jax[tpu]') and no TPU; a program takes some
minutes at most. Writes wrappers.jsonl and a table of README.md.
"""

import argparse
import functools
import pathlib

from experiments import tables
from experiments.zoo import games
from gan_jax.devices import parallel
from gan_jax.report import plans
from gan_jax.run.planning import described, on_slice

PAGE = pathlib.Path(__file__).with_name('README.md')
RESULTS = pathlib.Path(__file__).with_name('wrappers.jsonl')
# With batch norms, whose devices tell each other their statistics; and without.
CASES = 'dcgan:cifar10', 'ring8'


def measure(case: str, wrapper: str, slice_: str) -> dict:
  """What a chip of the slice does in a step, a line of the results."""
  setup_of = functools.partial(described.setup, **games.files(case))
  made = on_slice.plan(setup_of, games.config(case, parallel=wrapper), slice_)
  kept = 'needed_per_chip', 'flops_per_chip', 'bytes_per_chip', 'collectives'
  line = {'case': case, 'slice': slice_, 'wrapper': wrapper}
  return line | {name: made[name] for name in kept}


def table(lines: list[dict]) -> str:
  """A row for each program."""
  header = [
    'recipe', 'slice', 'wrapper', 'FLOP of a chip', 'bytes of its memory, read'
    ' and written', 'memory', 'collectives', 'with most of the bytes', 'beside'
    ' other work', 'bytes sent',
  ]  # fmt: skip
  return tables.markdown(header, [_row(line) for line in lines])


def _row(line):
  own = line['collectives'].values()
  total = lambda name: sum(one[name] for one in own)
  return [
    f'`{line["case"]}`',
    line['slice'],
    f'`{line["wrapper"]}`',
    plans.amount(line['flops_per_chip']).strip(),
    f'{plans.amount(line["bytes_per_chip"])}B',
    f'{plans.amount(line["needed_per_chip"])}B',
    ', '.join(f'{one["count"]} {k}' for k, one in line['collectives'].items()),
    str(total('large')),
    str(total('started')),
    f'{plans.amount(total("bytes"))}B',
  ]


def main():
  """Compiles, and writes the page's table."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--only', default=','.join(CASES), help='by comma')
  parser.add_argument('--topology', default='v5e:2x2')
  args = parser.parse_args()
  for case in args.only.split(','):
    for wrapper in parallel.WRAPPERS:
      lines = tables.replace(
        RESULTS,
        [measure(case, wrapper, args.topology)],
        same=lambda line: (line['case'], line['slice'], line['wrapper']),
        order=lambda line: (line['case'], line['slice'], line['wrapper']),
      )
      tables.show(PAGE, 'wrappers', table(lines))
      print(case, wrapper, flush=True)


if __name__ == '__main__':
  main()
