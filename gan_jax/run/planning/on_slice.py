"""A run's step, compiled for a slice of TPU chips that are not at hand.

The program is the one that `train` runs there, a step a call. What a chip
cannot hold is compiled again with half of the batch, until it fits: that is
what is proposed.
"""

import functools
import itertools
import re
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.data import kinds
from gan_jax.devices import ahead, chips, parallel, topologies
from gan_jax.devices.layout import Layout
from gan_jax.devices.topologies import Slice
from gan_jax.run import one_step
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import collectives, loops
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

LAYOUT = Layout(loop=False, seeds='vmap')  # see parallel.choose_layout
_NEEDED = re.compile(r'\(([\d.]+)([KMGT])\) exceeds available HBM')
_UNITS = {'K': 2**10, 'M': 2**20, 'G': 2**30, 'T': 2**40}


class Compiled(NamedTuple):
  """What XLA says of a program for one device.

  needed: bytes of its memory; of a program that XLA refuses those of its
    temporaries, or 0 where it does not say.
  fits: whether the device's memory holds them.
  """

  needed: int
  fits: bool
  flops: float = 0.0
  accessed: float = 0.0
  collectives: dict = {}


def plan(setup_of, config: dict, name: str) -> dict:
  """What the run needs of each chip of a slice.

  Args:
    setup_of: config -> Setup.
    config: all keys of run.config.keys.TABLE.
    name: of the slice, see topologies.find.

  Returns:
    plain values.

  Raises:
    UserError: no such slice, a batch that its devices cannot split, or a step
      that a chip cannot hold: then it says what fits.
  """
  where = topologies.find(name)
  compile_for = functools.partial(_compile, where=where)
  setup = setup_of(config)
  wrapper = config['parallel'] or parallel.default_wrapper(len(where.devices))
  made, grid = compile_for(setup, wrapper)
  if not made.fits:
    most = where.memory / max(made.needed, 1)
    smaller = itertools.chain(_smaller(config, grid[1], most), _fewer(config))
    fitting = (n for n in smaller if compile_for(setup_of(n), wrapper)[0].fits)
    raise UserError(_refusal(config, made, next(fitting, None), where))
  shares = _shares(setup, grid, where)
  return {
    'slice': where.name,
    'chips': where.chips,
    'devices': len(where.devices),
    'wrapper': wrapper,
    **shares,
    'memory_per_chip': where.chip.memory,
    'needed_per_chip': made.needed * where.per_chip,
    **_work(setup, made, shares, where),
    'collectives': made.collectives,
    'collective_bytes': sum(c['bytes'] for c in made.collectives.values()),
  }


def _shares(setup, grid, where) -> dict:
  """Seeds and examples of a batch on a chip, whose devices are neighbours."""
  along_batch = min(where.per_chip, grid[1])
  along_seeds = where.per_chip // along_batch
  return {
    'seeds_per_chip': len(setup.keys) * along_seeds / grid[0],
    'batch_per_chip': setup.batch_size * along_batch / grid[1],
  }


def _work(setup, made, shares, where) -> dict:
  """Operations of a chip, and bytes that they read and write."""
  # What loops.py counts is of one seed and its whole batch.
  part = shares['seeds_per_chip'] * shares['batch_per_chip'] / setup.batch_size
  step, args = one_step.of_one_seed(setup)
  lacking = loops.lacking(step, *args, platform='tpu')
  flops, accessed = (part * lacking).tolist()
  return {
    'flops_per_chip': made.flops * where.per_chip + flops,
    'bytes_per_chip': made.accessed * where.per_chip + accessed,
  }


def _compile(setup: Setup, wrapper, *, where: Slice):
  """(Compiled, (devices along the seeds, along the batch))."""
  work = setup_lib.work_of(setup)
  made = parallel.arrange(
    work,
    num_seeds=len(setup.keys),
    batch_size=setup.batch_size,
    wrapper=wrapper,
    layout=LAYOUT,
    streamed=not setup.structure.resident,
    devices=list(where.devices),
  )
  lowered = ahead.lower(
    work,
    made,
    jax.eval_shape(setup.init),
    data_of(setup),
    wrapper=wrapper,
    batch_size=setup.batch_size,
    streamed=not setup.structure.resident,
  )
  grid = made.mesh.shape['seed'], made.mesh.shape['data']
  return _judged(lowered, where), grid


def _judged(lowered, where) -> Compiled:
  try:
    compiled = ahead.compile_lowered(lowered)
  except jax.errors.JaxRuntimeError as e:
    if 'RESOURCE_EXHAUSTED' not in str(e):
      raise
    seen = _NEEDED.search(str(e))
    needed = float(seen.group(1)) * _UNITS[seen.group(2)] if seen else 0
    return Compiled(int(needed), fits=False)
  sizes, cost = compiled.memory_analysis(), compiled.cost_analysis()
  needed = (
    sizes.argument_size_in_bytes
    + sizes.output_size_in_bytes
    - sizes.alias_size_in_bytes
    + sizes.temp_size_in_bytes
    + sizes.generated_code_size_in_bytes
  )
  return Compiled(
    needed,
    needed <= where.memory,
    cost['flops'],
    cost['bytes accessed'],
    collectives.count(compiled.as_text()),
  )


def data_of(setup: Setup) -> dict:
  """Shapes of the data set, or of one step's batch, as they are on disk."""
  dataset, structure = setup.dataset, setup.structure
  lead = (dataset.size,)
  if not structure.resident:
    lead = len(setup.keys), 1, structure.batches, setup.batch_size
  # As its kind keeps them, unless they are floats of the networks' own.
  keep = functools.partial(kinds.of(dataset).from_model_range, dataset=dataset)
  one = jax.ShapeDtypeStruct((1, *dataset.shape), np.float32)
  item = jax.eval_shape(keep, one)
  if 0 < dataset.size * one.size * 4 <= dataset.nbytes:
    item = one
  data = {'x': jax.ShapeDtypeStruct((*lead, *item.shape[1:]), item.dtype)}
  if setup.conditional:
    data['label'] = structure.given.labels(*lead)
  return data


def _smaller(config, split, most):
  """The config with half of the batch, a quarter, and so on.

  Without those that need not be tried: half of a batch needs half of the memory
  or more.

  Args:
    config: all keys.
    split: devices along the batch.
    most: of the memory that is needed now, the part that there is.

  Yields:
    configs.
  """
  pieces = split * config['microbatches']
  batch = size = config['batch_size']
  while size % (2 * pieces) == 0:
    size //= 2
    if size <= most * batch:
      yield {**config, 'batch_size': size}


def _fewer(config):
  """The config with half of the seeds, a quarter, and so on."""
  seeds = config['num_seeds']
  while seeds > 1:
    seeds //= 2
    yield {**config, 'num_seeds': seeds}


def _refusal(config, made, fitting, where: Slice) -> str:
  """What a chip has, what the step needs, and what would fit."""
  gib = lambda n: f'{n / 2**30:,.1f} GiB'
  needed = gib(made.needed * where.per_chip) if made.needed else 'more'
  line = (
    f'--topology={where.name}: a chip has {gib(where.chip.memory)}, the step'
    f' needs {needed}; '
  )
  if fitting is None:
    return f'{line}no smaller batch fits: {_larger(made, where)}.'
  if fitting['num_seeds'] < config['num_seeds']:
    return f'{line}num_seeds={fitting["num_seeds"]} fits on {where.name}.'
  batch, size = config['batch_size'], fitting['batch_size']
  return (
    f'{line}batch_size={size} fits on {where.name}; a chip has as many examples'
    f' of batch_size={batch} on {where.chips * batch // size:,} chips.'
  )


def _larger(made, where) -> str:
  """What might do, where one example of one seed is too much for a chip."""
  needed = made.needed * where.per_chip
  names = [c.name for c in chips.CHIPS if c.libtpu and c.memory > needed > 0]
  channels = 'a network with fewer channels'
  return f'{channels}, or chips of {" or ".join(names)}' if names else channels
