"""What networks cost, of every model and recipe: gan_jax/models/README.md.

  python -m experiments.zoo.networks [--only=sngan:cifar10,dcgan:cifar10]

Nothing is trained and no data are read: networks are traced on shapes. Writes
networks.jsonl and the page's table.
"""

import argparse
import pathlib
from collections.abc import Callable
from unittest import mock

import flax.linen as nn
import jax

from experiments import tables
from experiments.zoo import games
from gan_jax.game import forward
from gan_jax.models.layers import convolutions, resampling
from gan_jax.run import one_step
from gan_jax.run.planning import costs, loops
from gan_jax.run.setup import Setup, shapes_of_one
from gan_jax.types import D, G

PAGE = pathlib.Path(__file__).parents[2] / 'gan_jax' / 'models' / 'README.md'
RESULTS = pathlib.Path(__file__).parent / 'networks.jsonl'
BATCH = 32  # D's statistics of a batch are of up to as many examples
# G's and D's GFLOP for an image that PyTorch counts in the authors' code, of
# convolutions and matrix products alone, two for each multiplication.
PUBLISHED = {
  'wgan_gp:cifar10': (0.844, 0.544),
  'sngan:cifar10': (3.362, 0.544),
  'biggan:imagenet128': (42.45, 21.94),
  'biggan_deep:imagenet128': (18.07, 18.52),
  'stylegan2:cifar10': (8.04, 8.23),
  'stylegan2:ffhq256': (30.1, 31.3),
  'stylegan2:ffhq1024': (150.8, 157.6),
  'r3gan:cifar10': (14.1, 14.1),
  'r3gan:ffhq64': (26.2, 26.2),
  'r3gan:ffhq256': (57.9, 57.9),
  'r3gan:imagenet32': (56.2, 56.2),
  'r3gan:imagenet64': (225.6, 225.6),
}


def names() -> list[str]:
  """Of the rows."""
  return sorted({*games.names(), *games.OTHERS})


# ------------------------------------------------------------- what is counted


def calls(setup: Setup) -> dict[str, tuple[Callable, tuple]]:
  """Every player's network, as a pass of the game first calls it.

  Args:
    setup: of a game.

  Returns:
    {player: (function, its arguments as shapes)}: parameters, other variables,
    and what else the network is called with, of BATCH examples.
  """
  game, state, seen = setup.rules().game, shapes_of_one(setup), {}

  def record(call, args, kwargs, context):
    if not context.module.path and context.method_name == '__call__':
      seen.setdefault(type(context.module), (_shapes(args), kwargs))
    return call(*args, **kwargs)

  key = jax.eval_shape(lambda: jax.random.key(0))
  batch = jax.eval_shape(lambda: setup.structure.zeros(BATCH))
  batch |= {'frozen': setup.frozen} if setup.frozen else {}
  with nn.intercept_methods(record):
    once = lambda *args: forward.forward(game, *args)[0].on_fake
    jax.eval_shape(once, state, batch, key)
  return {
    player: _applied(net, state.players[player], *seen[type(net)])
    for player, net in game.nets.items()
  }


def _shapes(tree):
  return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), tree)


def _applied(net, player, args, kwargs):
  arrays = {k: v for k, v in kwargs.items() if hasattr(v, 'shape')}
  rest = {k: v for k, v in kwargs.items() if k not in arrays}

  def apply(params, variables, args, arrays):
    tree, kept = {'params': params, **variables}, list(variables)
    return net.apply(tree, *args, **arrays, **rest, mutable=kept)[0]

  return apply, (player.params, player.vars, args, _shapes(arrays))


def flops(apply: Callable, args: tuple) -> float:
  """Of one pass, by XLA's count before it merges operations."""
  cost = jax.jit(apply).lower(*args).cost_analysis() or {}
  return cost.get('flops', 0.0) + float(loops.lacking(apply, *args)[0])


def kept(apply: Callable, args: tuple) -> int:
  """Bytes that JAX keeps of a pass for its gradient, before XLA merges any."""

  def residuals(params, variables, args, arrays):
    call = lambda params, args: apply(params, variables, args, arrays)
    leaves = jax.tree.leaves(jax.vjp(call, params, args)[1])
    return list({id(x): x for x in leaves}.values())

  return one_step.nbytes(jax.eval_shape(residuals, *args))


def of_twice_as_many(args: tuple) -> tuple:
  """The same arguments of a network, see calls, of 2 BATCH examples."""

  def double(x):
    size = [2 * n for n in x.shape[:1]]  # scalars are of all examples
    return jax.ShapeDtypeStruct((*size, *x.shape[1:]), x.dtype)

  return *args[:2], *jax.tree.map(double, args[2:])


@mock.patch.multiple(
  convolutions,
  in_pairs=lambda kernel: kernel,
  conv_of_doubled=lambda x, kernel: convolutions.conv(
    resampling.doubled(x), kernel
  ),
  halved_conv=lambda x, kernel: resampling.halved(convolutions.conv(x, kernel)),
)
def as_written(setup: Setup) -> dict[str, float]:
  """G's and D's operations for an example, as papers and PyTorch count them.

  That is, with every convolution of a grid that is doubled or halved on the
  finer of its grids, although 4/9 of the work would do.
  """
  each = calls(setup)
  return {player: flops(*each[player]) / BATCH for player in (G, D)}


@games.as_on_accelerators
def line(name: str) -> dict:
  """A row: what the networks of a recipe learn, and what an example costs."""
  setup, config = games.setup(name, batch_size=BATCH), games.config(name)
  made = {
    'recipe': name,
    'model': config['model']['name'],
    'shape': list(setup.dataset.shape),
    'num_classes': setup.num_classes,
    'dtype': config['dtype'],
    'parameters': costs.parameters(setup),
    'flops': {},
    'kept': {},
  }
  if name in PUBLISHED:
    made['flops_as_written'] = as_written(setup)
  for player, (apply, args) in calls(setup).items():
    made['flops'][player] = flops(apply, args) / BATCH
    # What examples add, so that parameters are left out.
    more = kept(apply, of_twice_as_many(args)) - kept(apply, args)
    made['kept'][player] = more / BATCH
  return made


# ---------------------------------------------------------------- the page


def report(lines: list[dict]) -> str:
  """The page's table."""
  header = [
    'model', 'configuration', 'sample', 'parameters', 'GFLOP', 'as written',
    'PyTorch', 'MB kept',
  ]  # fmt: skip
  return tables.markdown(header, [_row(line) for line in lines])


def _row(line):
  name = line['recipe']
  shape = ' x '.join(map(str, line['shape']))
  classes = f', {line["num_classes"]:,} classes' if line['num_classes'] else ''
  in_giga = lambda n: tables.number(n / 1e9)
  counted = ', '.join(f'{x:g}' for x in PUBLISHED.get(name, ()))
  return [
    f'`{line["model"]}`',
    f'`{name}`, {line["dtype"]}',
    shape + classes,
    _by_player(line['parameters'], '{:,}'.format),
    _by_player(line['flops'], in_giga),
    _by_player(line.get('flops_as_written'), in_giga),
    counted or '–',
    _by_player(line['kept'], lambda n: tables.number(n / 1e6)),
  ]


def _by_player(values, text):
  """G's, D's, and then others' by their names, where they are counted."""
  if not values:
    return '–'
  others = [p for p in values if p not in (G, D)]
  own = [text(values[G]), text(values[D])]
  return ', '.join([*own, *(f'{p} {text(values[p])}' for p in others)])


def main():
  """Counts, and writes the page's table."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--only', default=','.join(names()), help='by comma')
  only = parser.parse_args().only.split(',')
  if unknown := set(only) - set(names()):
    parser.error(f'no row {", ".join(unknown)}; there are {", ".join(names())}')
  for name in only:  # stored one by one
    lines = tables.replace(
      RESULTS,
      [line(name)],
      same=lambda x: x['recipe'],
      order=lambda x: (x['model'], x['recipe']),
    )
    tables.show(PAGE, 'networks', report(lines))
    print(name, flush=True)


if __name__ == '__main__':
  main()
