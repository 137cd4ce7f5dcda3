"""What every recipe costs, by `python -m gan_jax.plan`: configs/README.md.

  python -m experiments.zoo.recipes [--only=sngan:cifar10,dcgan:cifar10]
  python -m experiments.zoo.recipes --topology=v5e:2x2 [--only=sngan:cifar10]

Nothing is trained and no data are read. The first counts the operations of a
step before it is compiled, which takes seconds for any size; the second
compiles it for a slice of TPU chips, which takes minutes. Writes recipes.jsonl
and the page's tables.
"""

import argparse
import functools
import pathlib
import re

import jax

from experiments import tables
from experiments.zoo import games
from gan_jax.report import plans
from gan_jax.run import one_step
from gan_jax.run.planning import costs, described, loops, on_slice
from gan_jax.run.planning import plan as plan_lib
from gan_jax.run.setup import Setup
from gan_jax.types import D, G, UserError

PAGE = pathlib.Path(__file__).parents[2] / 'configs' / 'README.md'
RESULTS = pathlib.Path(__file__).parent / 'recipes.jsonl'
SLICES = 'v5e:1x1', 'v5e:2x2'  # a chip, and some
CHIPS = 'v5e', 'H100-SXM'  # whose peak the first table has
STATE = 'parameters', 'variables', 'optimizer', 'average', 'memo'
NOTHING = '–'


# ------------------------------------------------------------- what is counted


def counted(setup: Setup) -> costs.Step:
  """The step as XLA counts it before it merges operations; see compile_step."""
  step, args = one_step.of_one_seed(setup)
  cost = jax.jit(step).lower(*args).cost_analysis() or {}
  flops = cost.get('flops', 0.0) + float(loops.lacking(step, *args)[0])
  return costs.Step(flops, 0.0, 0, args)


@games.as_on_accelerators
def planned(name: str) -> dict:
  """A recipe's plan, without what only a compiled program tells."""
  made = plan_lib.of_run(
    games.config(name), steps=0, compile_step=counted, **games.files(name)
  )
  chips = {chip: made['roofline'][chip] for chip in CHIPS}
  return {
    **{k: made['run'][k] for k in ('batch_size', 'steps', 'dtype')},
    'parameters': made['parameters'],
    'flops_per_step': made['flops_per_step'],
    'state': sum(made['bytes'][part] for part in STATE),
    'seconds_per_run': {k: row['seconds_per_run'] for k, row in chips.items()},
  }


def on(name: str, slice_: str) -> dict:
  """A recipe's step, compiled for a slice; {'refused': why} if it is too large.

  Args:
    name: of the recipe.
    slice_: see gan_jax.devices.topologies.
  """
  setup_of = functools.partial(described.setup, **games.files(name))
  try:
    return on_slice.plan(setup_of, games.config(name), slice_)
  except UserError as e:
    return {'refused': str(e)}


# -------------------------------------------------------------------- the page


def recipes(lines: list[dict]) -> str:
  """The table of the recipes' own figures."""
  header = [
    'recipe', 'parameters', 'batch', 'FLOP a step', 'state',
    *(f'{chip}, the run' for chip in CHIPS),
  ]  # fmt: skip
  rows = [_recipe(line) for line in lines if 'parameters' in line]
  return tables.markdown(header, rows)


def _recipe(line):
  own = line['parameters']
  others = [f'{p} {own[p]:,}' for p in own if p not in (G, D)]
  return [
    f'`{line["recipe"]}`',
    ', '.join([f'{own[G]:,}', f'{own[D]:,}', *others]),
    f'{line["batch_size"]:,} in {line["dtype"]}',
    _text(line['flops_per_step'], plans.amount),
    _text(line['state'], lambda size: f'{plans.amount(size)}B'),
    *(_text(line['seconds_per_run'][chip], plans.seconds) for chip in CHIPS),
  ]


def _text(value, text):
  """Of what has been counted."""
  return text(value) if value else NOTHING


def on_slices(lines: list[dict]) -> str:
  """The table of what compiled steps need of a chip."""
  header = [
    'recipe', *(f'{s}: {what}' for s in SLICES for what in ('memory', 'FLOP')),
    'collectives',
  ]  # fmt: skip
  rows = [_on_slices(line) for line in lines if line.get('slices')]
  return tables.markdown(header, rows)


def _on_slices(line):
  made = [line['slices'].get(name, {}) for name in SLICES]
  cells = [cell for one in made for cell in _on_slice(one)]
  return [f'`{line["recipe"]}`', *cells, _collectives(made[-1])]


def _on_slice(made):
  """[memory of a chip, operations of a chip in a step]."""
  if 'refused' in made:
    return [_refused(made['refused']), NOTHING]
  if not made:
    return [NOTHING, NOTHING]
  share = made['needed_per_chip'] / made['memory_per_chip']
  memory = f'{plans.amount(made["needed_per_chip"])}B, {share:.0%}'
  return [memory, plans.amount(made['flops_per_chip'])]


def _refused(why):
  needs = re.search(r'the step needs ([\d.,]+ GiB|more)', why)
  fits = re.search(r'batch_size=(\d+) fits', why)
  most = f'fits: batch {int(fits.group(1)):,}' if fits else 'no batch fits'
  return f'needs {needs.group(1)}; {most}'


def _collectives(made):
  if not made or 'refused' in made:
    return NOTHING
  own = made['collectives'].items()
  each = ', '.join(f'{one["count"]} {kind}' for kind, one in own)
  return f'{each}: {plans.amount(made["collective_bytes"])}B'


def store(name: str, **own):
  """Replaces these keys of a recipe's line, and writes the page's tables."""
  lines = {line['recipe']: line for line in tables.read(RESULTS)}
  lines = tables.replace(
    RESULTS,
    [lines.get(name, {'recipe': name}) | own],
    same=lambda line: line['recipe'],
    order=lambda line: line['recipe'],
  )
  tables.show(PAGE, 'recipes', recipes(lines))
  tables.show(PAGE, 'slices', on_slices(lines))


def main():
  """Plans, and writes the page's tables."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  names = games.names()
  parser.add_argument('--only', default=','.join(names), help='by comma')
  parser.add_argument('--topology', choices=SLICES, help='compiled for it')
  args = parser.parse_args()
  only = args.only.split(',')
  if unknown := set(only) - set(names):
    parser.error(
      f'no recipe {", ".join(unknown)}; there are {", ".join(names)}'
    )
  lines = {line['recipe']: line for line in tables.read(RESULTS)}
  for name in only:  # stored one by one
    if args.topology:
      made = {args.topology: on(name, args.topology)}
      store(name, slices=lines.get(name, {}).get('slices', {}) | made)
    else:
      store(name, **planned(name))
    print(name, flush=True)


if __name__ == '__main__':
  main()
