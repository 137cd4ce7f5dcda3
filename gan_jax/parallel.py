"""Where the pure step runs: the only file that names devices.

One unedited step is wrapped by `jit`, `pmap` or `shard_map`, by `vmap` over
seeds and by a loop over steps. Devices form a grid: seeds are split first, the
batch over what is left. All states and metrics here have a leading seed axis.
"""

import contextlib
import functools
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.types import UserError

WRAPPERS = ('jit', 'pmap', 'shard_map')


class Layout(NamedTuple):
  """How steps and seeds lie in a program.

  loop: many steps in one call, as a loop of XLA; otherwise one step a call.
  seeds: 'vmap': one vectorised step for all; 'map': one after the other, each
    through all steps of the call, in the same program; 'apart': one step of
    one seed a call, all of them the same compiled program.
  """

  loop: bool
  seeds: str


class Program(NamedTuple):
  """A compiled training program.

  put: State [S, ...] -> the same as the program keeps it on its devices.
  get: the inverse.
  place: a data set in memory -> the same on every device.
  advance: (state, total, data, n) -> (state, total) after n steps; total is
    the running sum of the metrics. Both are donated.
  zeros: (state, data) -> a total of nothing, {name: [S]}.
  max_steps: most steps that one call of advance takes; None for any number.
  layout: see Layout.
  """

  put: Callable
  get: Callable
  place: Callable
  advance: Callable
  zeros: Callable
  max_steps: int | None
  layout: Layout


def has_convolution(function: Callable, *args) -> bool:
  """Whether a function, as lowered for this backend, convolves."""
  lowered = jax.jit(function).lower(*args)
  return 'stablehlo.convolution' in lowered.as_text()


def choose_layout(*, convolutions: bool, backend: str | None = None) -> Layout:
  """The faster layout, as measured by experiments/benchmarks/layouts.py.

  On CPU all ways are within some 15 % of each other where there is no
  convolution of XLA (the networks here have none); seeds in turn let each core
  have its share of them. XLA's own convolutions were seen to run 17 times
  slower in a loop there. Accelerators want everything at once (not measured).
  """
  if (backend or jax.default_backend()) != 'cpu':
    return Layout(loop=True, seeds='vmap')
  if convolutions:
    return Layout(loop=False, seeds='apart')
  return Layout(loop=True, seeds='map')


def use_cores(num_seeds: int):
  """Makes a CPU device of each core that a share of the seeds can have.

  To be called before JAX starts; afterwards, and where somebody has chosen
  the number of devices, it does nothing. A seed's numbers do not depend on it.
  """
  cores = (
    len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1
  )
  devices = max(n for n in range(1, cores + 1) if num_seeds % n == 0)
  chosen = jax.config.jax_num_cpu_devices != -1
  if (
    devices == 1 or chosen or 'device_count' in os.environ.get('XLA_FLAGS', '')
  ):
    return
  with contextlib.suppress(RuntimeError):  # JAX has started
    jax.config.update('jax_num_cpu_devices', devices)


def everywhere(tree):
  """A tree of arrays, the same on each device of this process."""
  return jax.device_put(tree, NamedSharding(_local_mesh(1), P()))


def spread(batch):
  """A tree of arrays [B, ...], split over the devices of this process.

  Over as many of them as divide B; what is computed from it is split as well.
  """
  size = len(jax.tree.leaves(batch)[0])
  return jax.device_put(batch, NamedSharding(_local_mesh(size), P('batch')))


@functools.cache
def _local_mesh(size):
  """A mesh of all local devices, or of as many as divide a size above 1."""
  devices = jax.local_devices()
  most = math.gcd(size, len(devices)) if size > 1 else len(devices)
  return Mesh(np.array(devices[:most]), ('batch',))


def default_wrapper(num_devices: int) -> str:
  """'pmap' where there are several devices, else 'jit'."""
  return 'pmap' if num_devices > 1 else 'jit'


def device_grid(
  num_seeds: int, num_devices: int, *, wrapper: str, layout: Layout
) -> tuple[int, int]:
  """Returns (devices along the seeds, devices along the batch)."""
  if layout.seeds == 'apart' or (layout.seeds == 'map' and wrapper == 'jit'):
    return 1, num_devices  # jit would not split a loop over the seeds
  if wrapper == 'pmap':  # one axis only: all devices go to one of the two
    split = num_seeds % num_devices == 0
    return (num_devices, 1) if split else (1, num_devices)
  along_seeds = math.gcd(num_seeds, num_devices)
  return along_seeds, num_devices // along_seeds


def make_one(step: Callable, feed: Callable) -> Callable:
  """One step of one seed: (state, key, index, data) -> (state, metrics)."""

  def one(state, key, index, data):
    batch = {**feed(data, key, state.step, index), 'index': index}
    return step(state, batch, key)

  return one


def make_advance(one: Callable, *, layout: Layout, streamed: bool) -> Callable:
  """Steps of all seeds: (state, total, keys, index, data, n) -> (state, total).

  n is the number of steps (always 1 without layout.loop); where seeds are
  apart, it is the seed that takes one step. It is known only at run time: any
  number of steps is the same program, so where a run is cut changes no bit.
  """
  data_axis = 0 if streamed else None
  add = functools.partial(jax.tree.map, jnp.add)

  def steps(move, state, total, n):
    """move: state -> (state, metrics), n times."""

    def body(_, carry):
      state, metrics = move(carry[0])
      return state, add(carry[1], metrics)

    if not layout.loop:
      return body(0, (state, total))
    return jax.lax.fori_loop(0, n, body, (state, total))

  def vectorised(state, total, keys, index, data, n):
    every = jax.vmap(one, in_axes=(0, 0, None, data_axis))
    return steps(lambda s: every(s, keys, index, data), state, total, n)

  def in_turn(state, total, keys, index, data, n):
    def seed(x):
      state, total, key, data = x
      return steps(lambda s: one(s, key, index, data), state, total, n)

    if streamed:
      return jax.lax.map(seed, (state, total, keys, data))
    return jax.lax.map(lambda x: seed((*x, data)), (state, total, keys))

  def apart(state, total, keys, index, data, n):
    take = functools.partial(jax.tree.map, lambda x: x[n])
    own = take(data) if streamed else data
    new, metrics = one(take(state), keys[n], index, own)
    state = jax.tree.map(lambda x, y: x.at[n].set(y), state, new)
    total = jax.tree.map(lambda x, y: x.at[n].add(y), total, metrics)
    return state, total

  return {'vmap': vectorised, 'map': in_turn, 'apart': apart}[layout.seeds]


def make_program(
  make_step: Callable,
  feed: Callable,
  *,
  keys: jax.Array,
  batch_size: int,
  wrapper: str,
  layout: Layout,
  streamed: bool = False,
  devices: list | None = None,
) -> Program:
  """Compiles nothing yet; the first call of advance does.

  Args:
    make_step: axis name or None -> step(state, batch, key).
    feed: (data, key, step, index [b]) -> {'x': [n, b, ...], ...} of one seed.
    keys: root keys [S], one for each seed.
    batch_size: of the global batch.
    wrapper: 'jit', 'pmap' or 'shard_map'.
    layout: see choose_layout.
    streamed: data is each step's batch {name: [S, n, batch_size, ...]} rather
      than the whole data set; then advance takes one step a call.
    devices: all of this process by default.

  Raises:
    UserError: an unknown wrapper, or a batch that the devices cannot share.
  """
  if wrapper not in WRAPPERS:
    raise UserError(f'parallel={wrapper!r}: there are {", ".join(WRAPPERS)}.')
  if streamed:
    layout = layout._replace(loop=False)
  devices = devices or jax.local_devices()
  grid = device_grid(len(keys), len(devices), wrapper=wrapper, layout=layout)
  if batch_size % grid[1]:
    raise UserError(
      f'batch_size={batch_size} is not divisible by the {grid[1]} devices that'
      ' share a batch.'
    )
  mesh = Mesh(np.array(devices).reshape(grid), ('seed', 'data'))
  # jit sees the global batch and needs no axis; pmap has only one.
  split = wrapper == 'shard_map' or (wrapper == 'pmap' and grid[1] > 1)
  axis = 'data' if split else None
  one = make_one(make_step(axis), feed)
  advance = make_advance(one, layout=layout, streamed=streamed)
  wrap = {'jit': _wrap_jit, 'pmap': _wrap_pmap, 'shard_map': _wrap_shard_map}
  run, put, get = wrap[wrapper](advance, mesh, streamed)
  index = jnp.arange(batch_size)

  def zeros(state, data):
    one = jax.vmap(
      make_one(make_step(None), feed),
      in_axes=(0, 0, None, 0 if streamed else None),
    )
    _, metrics = jax.eval_shape(one, get(state), keys, index, data)
    return {name: np.zeros(len(keys), np.float32) for name in metrics}

  def advance_all(state, total, data, n):
    turns = range(len(keys)) if layout.seeds == 'apart' else [n]
    for turn in turns:
      state, total = run(state, total, keys, index, data, np.int32(turn))
    return state, total

  max_steps = None if layout.loop and layout.seeds != 'apart' else 1
  everywhere = NamedSharding(mesh, P())
  place = lambda data: jax.device_put(data, everywhere)
  return Program(put, get, place, advance_all, zeros, max_steps, layout)


def _specs(streamed):
  """Partitions of (state, total, keys, index, data, n) and of the results."""
  data = P('seed', None, 'data') if streamed else P()
  seeds = P('seed')
  return (seeds, seeds, seeds, P('data'), data, P()), (seeds, seeds)


def _on_mesh(mesh, run):
  """A program over global arrays; put and get need no reshaping."""
  sharding = NamedSharding(mesh, P('seed'))
  # Copied: device_put may share the buffers of its source, which the caller
  # keeps and the program donates.
  put = lambda state: jax.device_put(jax.tree.map(jnp.copy, state), sharding)
  return run, put, lambda state: state


def _wrap_jit(advance, mesh, streamed):
  ins, outs = jax.tree.map(
    lambda spec: NamedSharding(mesh, spec),
    _specs(streamed),
    is_leaf=lambda x: isinstance(x, P),
  )
  run = jax.jit(
    advance, in_shardings=ins, out_shardings=outs, donate_argnums=(0, 1)
  )
  return _on_mesh(mesh, run)


def _wrap_shard_map(advance, mesh, streamed):
  ins, outs = _specs(streamed)
  # check_vma: outputs that differ between devices are refused, not returned.
  mapped = jax.shard_map(advance, mesh=mesh, in_specs=ins, out_specs=outs)
  return _on_mesh(mesh, jax.jit(mapped, donate_argnums=(0, 1)))


def _wrap_pmap(advance, mesh, streamed):
  """pmap along the one axis of the grid that holds all devices."""
  devices = list(mesh.devices.flat)
  by_seed = mesh.shape['data'] == 1 and len(devices) > 1
  seeds, batch = (0, None) if by_seed else (None, 0)
  mapped = jax.pmap(
    advance,
    axis_name='seed' if by_seed else 'data',
    in_axes=(seeds, seeds, seeds, batch, 0 if streamed else None, None),
    out_axes=seeds,
    devices=devices,
    donate_argnums=(0, 1),
  )

  def split(tree, axis=0):
    """The axis, cut into one piece for each device, the devices first."""

    def cut(x):
      shape = (*x.shape[:axis], len(devices), -1, *x.shape[axis + 1 :])
      return (
        x.reshape(shape)
        if axis == 0
        else jnp.moveaxis(x.reshape(shape), axis, 0)
      )

    return jax.tree.map(cut, tree)

  def merge(tree):
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), tree)

  def run(state, total, keys, index, data, n):
    if streamed:
      data = split(data, 0 if by_seed else 2)
    if not by_seed:
      return mapped(state, total, keys, split(index), data, n)
    state, total = mapped(state, split(total), split(keys), index, data, n)
    return state, merge(total)

  if by_seed:
    return run, split, merge
  return run, lambda state: jax.tree.map(jnp.copy, state), lambda state: state
