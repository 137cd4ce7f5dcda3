"""A run's step, compiled for a slice of TPU chips that are not at hand.

The program is the one that `train` runs there, a step a call. A program that a
chip cannot hold is compiled again with half of the batch on each, until one
fits: what is proposed has been compiled.
"""

import functools
import re
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.devices import ahead, parallel, topologies
from gan_jax.devices.layout import Layout
from gan_jax.devices.topologies import Slice
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import collectives
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

LAYOUT = Layout(loop=False, seeds='vmap')  # see parallel.choose_layout
_USED = re.compile(r'[Uu]sed ([\d.]+)([KMGT]) of ([\d.]+)([KMGT]) hbm')
_UNITS = {'K': 2**10, 'M': 2**20, 'G': 2**30, 'T': 2**40}


class Compiled(NamedTuple):
  """What XLA says of a program for one device.

  needed: bytes of its memory; 0 where XLA refuses and does not say.
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
    plain values; 'fits' says whether its memory holds the run, and if it does
    not, 'proposal' is what does.

  Raises:
    UserError: no such slice, or a batch that its devices cannot split.
  """
  where = topologies.find(name)
  compile_for = functools.partial(_compile, where=where)
  setup = setup_of(config)
  wrapper = config['parallel'] or parallel.default_wrapper(len(where.devices))
  made, grid = compile_for(setup, wrapper)
  seeds, batch = len(setup.keys), setup.batch_size
  result = {
    'slice': where.name,
    'chips': where.chips,
    'devices': len(where.devices),
    'wrapper': wrapper,
    'seeds_per_chip': seeds * where.per_chip / grid[0],
    'batch_per_chip': batch * where.per_chip / grid[1],
    'memory_per_chip': where.chip.memory,
    'needed_per_chip': made.needed * where.per_chip,
    'fits': made.fits,
    'flops_per_chip': made.flops * where.per_chip,
    'bytes_per_chip': made.accessed * where.per_chip,
    'collectives': made.collectives,
    'collective_bytes': sum(c['bytes'] for c in made.collectives.values()),
  }
  if made.fits:
    return result
  fits = lambda size: (
    compile_for(setup_of({**config, 'batch_size': size}), wrapper)[0].fits
  )
  return result | {'proposal': _proposal(fits, batch, grid[1], where)}


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
    _data(setup),
    wrapper=wrapper,
    batch_size=setup.batch_size,
    streamed=not setup.structure.resident,
  )
  grid = made.mesh.shape['seed'], made.mesh.shape['data']
  return _judged(lowered, where), grid


def _judged(lowered, where) -> Compiled:
  memory = where.chip.memory // where.per_chip
  try:
    compiled = lowered.compile()
  except jax.errors.JaxRuntimeError as e:
    if 'RESOURCE_EXHAUSTED' not in str(e):
      raise
    used = _USED.search(str(e))
    needed = float(used.group(1)) * _UNITS[used.group(2)] if used else 0
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
    needed <= memory,
    cost['flops'],
    cost['bytes accessed'],
    collectives.count(compiled.as_text()),
  )


def _data(setup):
  """Shapes of the data set, or of a step's batch, as they are on disk."""
  dataset, structure = setup.dataset, setup.structure
  lead = (dataset.size,)
  if not structure.resident:
    lead = len(setup.keys), structure.batches, setup.batch_size
  # Bytes are what the batch costs at least; floats are as wide as networks'.
  item = dataset.nbytes // max(dataset.size * np.prod(dataset.shape), 1)
  dtype = {1: np.uint8}.get(int(item), np.float32)
  data = {'x': jax.ShapeDtypeStruct((*lead, *dataset.shape), dtype)}
  if setup.num_classes:
    data['label'] = jax.ShapeDtypeStruct(lead, np.int32)
  return data


def _proposal(fits, batch, split, where: Slice) -> str:
  """What would fit, in words: a smaller batch, or more chips."""
  size = batch // 2
  while size >= split and size % split == 0:
    if fits(size):
      more = where.chips * batch // size
      return (
        f'batch_size={size} fits on {where.name}, and so does'
        f' batch_size={batch} on {more:,} chips of {where.chip.name}'
      )
    size //= 2
  return (
    'no smaller batch fits: a network with fewer channels, or a chip with'
    ' more memory'
  )


def check(made: dict):
  """Refuses a run that its slice cannot hold.

  Args:
    made: from plan.

  Raises:
    UserError: how much it needs, and what fits.
  """
  if not made['fits']:
    gib = lambda n: f'{n / 2**30:,.1f} GiB'
    needed = made['needed_per_chip']
    raise UserError(
      f'--topology={made["slice"]}: a chip has'
      f' {gib(made["memory_per_chip"])}, the step needs'
      f' {gib(needed) if needed else "more"}; {made["proposal"]}.'
    )
