"""Runs one function on several devices: by jit, pmap or shard_map.

The function is advance(state, total, keys, index, data, given, n), see layout.
Devices form a mesh with the axes 'seed' and 'data'. The mesh spans the devices
of all processes, and each process feeds its own part.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gan_jax.devices import multihost
from gan_jax.types import Tree

WRAPPERS = ('jit', 'pmap', 'shard_map')


class Part(NamedTuple):
  """The share of the seeds and of the global batch that this process feeds."""

  seeds: slice
  rows: slice


class Wrapped(NamedTuple):
  """A function on its devices.

  run: (state, total, data, n) -> (state, total), both donated.
  put: a tree of arrays [S, ...] -> the same in the layout that `run` takes.
  get: the inverse, on one device or on the host; each process gets all of it.
  place: arrays -> the same on every device.
  part: what this process feeds.
  """

  run: Callable
  put: Callable
  get: Callable
  place: Callable
  part: Part


def part_of(mesh: Mesh, num_seeds: int, batch_size: int) -> Part:
  """What this process feeds: the smallest block that covers its devices."""
  own = {device.id for device in jax.local_devices()}
  mine = np.vectorize(lambda device: device.id in own)(mesh.devices)
  cut = lambda at, whole, pieces: slice(
    at.min() * whole // pieces, (at.max() + 1) * whole // pieces
  )
  seeds, data = np.nonzero(mine)
  return Part(
    cut(seeds, num_seeds, mesh.shape['seed']),
    cut(data, batch_size, mesh.shape['data']),
  )


def wrap(
  name: str,
  advance: Callable,
  mesh: Mesh,
  *,
  keys: jax.Array,
  batch_size: int,
  given: Tree,
  streamed: bool,
) -> Wrapped:
  """Wraps advance; compiles nothing yet.

  The same advance on the same mesh is one program, compiled once and reused for
  other numbers, seeds and data of the same shapes. `put` uses the layout that
  `run` returns; otherwise the second call would have a different signature from
  the first and compile again.

  Args:
    name: one of WRAPPERS.
    advance: see above.
    mesh: of the devices.
    keys: root keys [S].
    batch_size: of the global batch.
    given: see layout.make_advance.
    streamed: whether data are batches of some steps, [S, steps, n, B, ...].
  """
  fixed = (keys, np.arange(batch_size), given)
  part = part_of(mesh, len(keys), batch_size)
  if name == 'pmap':
    return _wrap_pmap(advance, mesh, fixed, part, streamed=streamed)
  ins = specs(streamed=streamed)[0]
  whole = compiled(name, advance, mesh, streamed)
  shapes = (len(keys), batch_size)
  return _on_mesh(whole, mesh, ins, fixed, part, shapes, streamed=streamed)


PROGRAMS = 16  # how many stay compiled at most


@functools.lru_cache(PROGRAMS)
def compiled(name: str, advance: Callable, mesh: Mesh, streamed):
  """jit or shard_map of advance over global arrays, the very same each time."""
  make = {'jit': _jit, 'shard_map': _shard_map}[name]
  return make(advance, mesh, *specs(streamed=streamed))


# ---------------------------------------------------------- jit and shard_map


def specs(*, streamed):
  """Partitions of advance's arguments and of its results."""
  data = P('seed', None, None, 'data') if streamed else P()
  seeds, everywhere = P('seed'), P()
  ins = (seeds, seeds, seeds, P('data'), data, everywhere, everywhere)
  return ins, (seeds, seeds)


def _jit(advance, mesh, ins, outs):
  on_mesh = lambda specs: jax.tree.map(
    lambda spec: NamedSharding(mesh, spec),
    specs,
    is_leaf=lambda x: isinstance(x, P),
  )
  return jax.jit(
    advance,
    in_shardings=on_mesh(ins),
    out_shardings=on_mesh(outs),
    donate_argnums=(0, 1),
  )


def _shard_map(advance, mesh, ins, outs):
  # check_vma is on by default: outputs that wrongly differ between devices are
  # an error.
  mapped = jax.shard_map(advance, mesh=mesh, in_specs=ins, out_specs=outs)
  return jax.jit(mapped, donate_argnums=(0, 1))


def _on_mesh(compiled, mesh, ins, fixed, part, shapes, *, streamed):
  """A program over global arrays."""
  at = lambda *spec: NamedSharding(mesh, P(*spec))
  place = lambda tree, *spec: _place(tree, at(*spec))
  keys, index, given = fixed
  keys = jax.random.wrap_key_data(place(jax.random.key_data(keys), 'seed'))
  index, given = place(index, 'data'), place(given)
  batch = NamedSharding(mesh, ins[4])

  def run(state, total, data, n):
    if streamed:
      data = _from_parts(data, batch, part, shapes)
    n = place(np.int32(n))
    return compiled(state, total, keys, index, data, given, n)

  # Copied on the host first: device_put may share its source's buffers, which
  # the caller keeps using and the program donates.
  put = lambda tree: place(jax.tree.map(np.array, tree), 'seed')
  everywhere = jax.jit(lambda tree: tree, out_shardings=at())

  def get(tree):
    if not multihost.several():
      return tree
    # On the host: Orbax refuses arrays that only one process can address.
    whole = jax.tree.map(lambda x: x.addressable_data(0), everywhere(tree))
    return jax.device_get(whole)

  return Wrapped(run, put, get, place, part)


def _place(tree, sharding):
  """Arrays that all processes hold alike, laid out over all devices."""
  if not multihost.several():
    return jax.device_put(tree, sharding)
  # Not device_put: each call would compare the arrays across all processes.
  make = lambda x: jax.make_array_from_callback(
    np.shape(x), sharding, lambda where: np.asarray(x)[where]
  )
  return jax.tree.map(make, tree)


def _from_parts(data, sharding, part, shapes):
  """Global arrays [S, steps, n, B, ...] from each process's own part."""
  if not multihost.several():
    return data
  first = (part.seeds.start, 0, 0, part.rows.start)

  def make(x):
    shape = (shapes[0], *x.shape[1:3], shapes[1], *x.shape[4:])

    # JAX asks for global slices; here they index this process's part.
    def piece(where):
      own = [
        slice((w.start or 0) - at, (size if w.stop is None else w.stop) - at)
        for w, at, size in zip(where, first, shape, strict=False)
      ]
      return x[tuple(own)]

    return jax.make_array_from_callback(shape, sharding, piece)

  return jax.tree.map(make, data)


# ----------------------------------------------------------------------- pmap


def _wrap_pmap(advance, mesh, fixed, part, *, streamed):
  """pmap along the one axis of the mesh that holds all devices."""
  devices = list(mesh.devices.flat)
  by_seed = mesh.shape['data'] == 1 and len(devices) > 1
  mapped = pmapped(advance, tuple(devices), by_seed, streamed)
  own = set(jax.local_devices())
  local = [device for device in devices if device in own]
  split = lambda tree, axis=0: _split(tree, len(local), axis)
  merge = lambda tree: jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), tree)
  # Replicated over this process's devices; other processes do likewise.
  here = Mesh(np.array(local), ('local',))
  place = lambda tree: jax.device_put(tree, NamedSharding(here, P()))
  keys, index, given = fixed
  keys, index = keys[part.seeds] if by_seed else keys, index[part.rows]
  keys, index = (split(keys), index) if by_seed else (keys, split(index))
  given = place(given)

  def run(state, total, data, n):
    if streamed:
      data = split(data, 0 if by_seed else 3)
    return mapped(state, total, keys, index, data, given, np.int32(n))

  # Copied on the host first: put may share its source's buffers, which are
  # donated; and pmap refuses what a checkpoint has put on one device.
  fresh = lambda tree: jax.tree.map(np.array, tree)
  as_run_returns = _pmap_sharding(devices, by_seed=by_seed)

  def gather(tree):
    merged = merge(tree)
    if not multihost.several():
      return merged
    return multihost_utils.process_allgather(merged, tiled=True)

  def put(tree):
    if by_seed:
      mine = jax.tree.map(lambda x: x[part.seeds], fresh(tree))
      tree = jax.tree.map(lambda x: _cut(x, len(local)), mine)
    tree = fresh(tree)
    # With several processes each puts its own part, which pmap does itself.
    return tree if multihost.several() else jax.device_put(tree, as_run_returns)

  if by_seed:
    return Wrapped(run, put, gather, place, part)
  whole = lambda tree: jax.device_get(tree) if multihost.several() else tree
  return Wrapped(run, put, whole, place, part)


@functools.lru_cache(PROGRAMS)
def pmapped(advance: Callable, devices: tuple, by_seed, streamed):
  """pmap of advance, the very same each time."""
  seeds, batch = (0, None) if by_seed else (None, 0)
  return jax.pmap(
    advance,
    axis_name=_pmap_axis(by_seed=by_seed),
    in_axes=(seeds, seeds, seeds, batch, 0 if streamed else None, None, None),
    out_axes=seeds,
    devices=list(devices),
    donate_argnums=(0, 1),
  )


def _pmap_axis(*, by_seed):
  return 'seed' if by_seed else 'data'


def _pmap_sharding(devices, *, by_seed):
  """How pmap lays out what it returns."""
  axis = _pmap_axis(by_seed=by_seed)
  spec = P(axis) if by_seed else P()
  return NamedSharding(Mesh(np.array(devices), (axis,)), spec)


def _cut(x, pieces):
  """[S, ...] -> [pieces, S / pieces, ...]."""
  return x.reshape(pieces, -1, *x.shape[1:])


def _split(tree, pieces, axis):
  """Splits an axis into one piece per device, with the devices' axis first."""

  def cut(x):
    shape = (*x.shape[:axis], pieces, -1, *x.shape[axis + 1 :])
    return (
      x.reshape(shape) if axis == 0 else jnp.moveaxis(x.reshape(shape), axis, 0)
    )

  return jax.tree.map(cut, tree)
