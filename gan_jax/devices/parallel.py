"""Where the pure step runs: with `wrappers`, the only file that names devices.

The step is wrapped unchanged: by `jit`, `pmap` or `shard_map`, by `vmap` over
seeds and by a loop over steps. The devices of all processes form a grid: seeds
are split first, then the batch over the remaining devices. All states and
metrics here have a leading seed axis.
"""

import contextlib
import functools
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.devices import layout as layout_lib
from gan_jax.devices import wrappers
from gan_jax.devices.layout import Layout, Work
from gan_jax.devices.wrappers import WRAPPERS, Part
from gan_jax.game.health.measures import PROBES
from gan_jax.types import UserError


class Program(NamedTuple):
  """A compiled training program.

  put: a tree [S, ...] -> the same in the program's layout on its devices.
  get: the inverse; to be called in all processes, each gets the whole tree.
  place: a data set in memory -> the same on every device.
  advance: (state, total, data, n) -> (state, total) after n steps; total is
    the running sum of the metrics. Both are laid out as by `put`, and donated.
  zeros: an empty total, {name: [S]}, still to be put.
  max_steps: the most steps per call of advance, which end at its multiples,
    see layout.most_steps; None for any number.
  layout: see Layout.
  part: the seeds and rows of a batch that this process must feed.
  """

  put: Callable
  get: Callable
  place: Callable
  advance: Callable
  zeros: dict
  max_steps: int | None
  layout: Layout
  part: Part


def has_convolution(function: Callable, *args) -> bool:
  """Whether a function, lowered for this backend, uses a convolution."""
  lowered = jax.jit(function).lower(*args)
  return 'stablehlo.convolution' in lowered.as_text()


def choose_layout(*, convolutions: bool, backend: str | None = None) -> Layout:
  """The faster layout, as measured by experiments/benchmarks/layouts.py.

  On CPU, without convolutions of XLA (the networks here have none), all layouts
  are within about 15 % of each other; 'map' lets each core take its share of
  the seeds. In a loop on CPU, XLA's convolutions ran 17 times slower.
  Accelerators want all seeds at once: on one H100 eight of DCGAN-32 took 549
  steps of a seed per second by vmap and 542 in turn, in bfloat16 1,010 and 658.
  """
  if (backend or jax.default_backend()) != 'cpu':
    return Layout(loop=True, seeds='vmap')
  if convolutions:
    return Layout(loop=False, seeds='apart', unroll=True)
  return Layout(loop=True, seeds='map')


def use_cores(num_seeds: int):
  """Makes as many CPU devices as the cores allow and the seeds divide over.

  To be called before JAX starts. It does nothing afterwards, if the user has
  chosen the number of devices, or in one of several processes. A seed's numbers
  do not depend on it.
  """
  cores = (
    len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1
  )
  devices = max(n for n in range(1, cores + 1) if num_seeds % n == 0)
  chosen = jax.config.jax_num_cpu_devices != -1
  chosen |= 'device_count' in os.environ.get('XLA_FLAGS', '')
  if devices == 1 or chosen or jax.distributed.is_initialized():
    return
  with contextlib.suppress(RuntimeError):  # JAX has started
    jax.config.update('jax_num_cpu_devices', devices)


def everywhere(tree):
  """A tree of arrays, the same on each device of this process."""
  return jax.device_put(tree, NamedSharding(_local_mesh(1), P()))


def spread(batch):
  """A tree of arrays [B, ...], split over the devices of this process.

  Uses as many devices as divide B; results computed from it are split as well.
  """
  size = len(jax.tree.leaves(batch)[0])
  return jax.device_put(batch, NamedSharding(_local_mesh(size), P('batch')))


@functools.cache
def _local_mesh(size):
  """A mesh of all local devices; with size > 1, of as many as divide it."""
  devices = jax.local_devices()
  most = math.gcd(size, len(devices)) if size > 1 else len(devices)
  return Mesh(np.array(devices[:most]), ('batch',))


def default_wrapper(num_devices: int) -> str:
  """'pmap' for several devices, else 'jit'."""
  return 'pmap' if num_devices > 1 else 'jit'


def device_grid(
  num_seeds: int, num_devices: int, *, wrapper: str, layout: Layout
) -> tuple[int, int]:
  """Returns (devices along the seeds, devices along the batch)."""
  if layout.seeds == 'apart' or (layout.seeds == 'map' and wrapper == 'jit'):
    return 1, num_devices  # jit cannot split a loop over the seeds
  if wrapper == 'pmap':  # one axis only: all devices go to one of the two
    split = num_seeds % num_devices == 0
    return (num_devices, 1) if split else (1, num_devices)
  along_seeds = math.gcd(num_seeds, num_devices)
  return along_seeds, num_devices // along_seeds


def make_program(
  work: Work,
  *,
  keys: jax.Array,
  batch_size: int,
  wrapper: str,
  layout: Layout,
  streamed: int = 0,
  devices: list | None = None,
) -> Program:
  """Builds a program; the first call of advance compiles it.

  Args:
    work: see Work. The same functions, layout and devices share one compiled
      program, whatever the keys and numbers.
    keys: root keys [S], one per seed.
    batch_size: of the global batch.
    wrapper: 'jit', 'pmap' or 'shard_map'.
    layout: see choose_layout.
    streamed: data holds the batches of so many steps at a time, {name: [S,
      streamed, n, batch_size, ...]}, of which the first is a multiple of it; 0
      if it is the whole data set. 1 unless many steps are a call, see Layout.
    devices: by default all devices of all processes.

  Raises:
    UserError: an unknown wrapper, or a batch that the devices cannot split.
  """
  made = arrange(
    work,
    num_seeds=len(keys),
    batch_size=batch_size,
    wrapper=wrapper,
    layout=layout,
    streamed=bool(streamed),
    devices=devices or jax.devices(),
  )
  layout = made.layout
  run, put, get, place, part = wrappers.wrap(
    wrapper,
    made.advance,
    made.mesh,
    keys=keys,
    batch_size=batch_size,
    given=given_to(work),
    streamed=bool(streamed),
  )
  zero = np.zeros(len(keys), np.float32)
  zeros = dict.fromkeys(made.names, zero)

  def advance_all(state, total, data, n):
    turns = range(len(keys)) if layout.seeds == 'apart' else [n]
    for turn in turns:
      state, total = run(state, total, data, turn)
    return state, total

  max_steps = (streamed or None) if many_steps(layout) else 1
  return Program(put, get, place, advance_all, zeros, max_steps, layout, part)


def many_steps(layout: Layout) -> bool:
  """Whether a call may take several steps."""
  return layout.loop and layout.seeds != 'apart'


class Arranged(NamedTuple):
  """A program before it is wrapped.

  advance: see layout.make_advance.
  mesh: of its devices, the seeds along the first axis.
  names: of the metrics that it sums up.
  layout: that it has.
  """

  advance: Callable
  mesh: Mesh
  names: tuple[str, ...]
  layout: Layout


def arrange(
  work: Work,
  *,
  num_seeds: int,
  batch_size: int,
  wrapper: str,
  layout: Layout,
  streamed: bool,
  devices: list,
) -> Arranged:
  """How a program's work lies on devices, which need not be there.

  Args and errors as of make_program.
  """
  if wrapper not in WRAPPERS:
    raise UserError(f'parallel={wrapper!r}: there are {", ".join(WRAPPERS)}.')
  mesh = _mesh(devices, num_seeds, batch_size, wrapper, layout)
  # jit sees the global batch and needs no axis for its means; pmap has a single
  # axis, which is the batch's only if the seeds are not split.
  split = mesh.shape['data'] > 1 if wrapper == 'pmap' else wrapper != 'jit'
  axis, probe = 'data' if split else None, work.probe
  make_look = probe.make if probe.every else None
  looked = (*probe.names, PROBES) if probe.every else ()
  advance = _advance(
    work.make_step, work.feed, make_look, axis, layout, streamed
  )
  return Arranged(advance, mesh, (*work.names, *looked), layout)


@functools.lru_cache(wrappers.PROGRAMS)
def _advance(make_step, feed, make_look, axis, layout, streamed):
  """The function to wrap; the same object for the same parts.

  JAX caches compiled programs by the identity of the function.
  """
  look = make_look(axis) if make_look else None
  step = make_step(axis, unroll=layout.unroll)
  parts = layout_lib.make_one(step, feed, look)
  counted = layout_lib.make_counted(*parts, streamed=streamed)
  return layout_lib.make_advance(counted, layout=layout, streamed=streamed)


def _mesh(devices, num_seeds, batch_size, wrapper, layout):
  """A mesh of all devices, with the seeds along the first axis."""
  grid = device_grid(num_seeds, len(devices), wrapper=wrapper, layout=layout)
  if batch_size % grid[1]:
    raise UserError(
      f'batch_size={batch_size} is not divisible by the {grid[1]} devices that'
      ' share a batch.'
    )
  return Mesh(np.array(devices).reshape(grid), ('seed', 'data'))


def given_to(work: Work) -> dict:
  """A program's run-time values; see layout.make_advance."""
  return {
    'every': np.int32(work.probe.every),
    'aside': work.probe.aside,
    'numbers': work.numbers,
    'frozen': work.frozen,
  }
