"""The program of `parallel.make_program`, compiled for devices not at hand."""

import jax
import numpy as np
from jax.sharding import NamedSharding

from gan_jax.devices import parallel, wrappers
from gan_jax.devices.layout import Work
from gan_jax.devices.parallel import Arranged
from gan_jax.types import Tree


def lower(
  work: Work,
  made: Arranged,
  state: Tree,
  data: Tree,
  *,
  wrapper: str,
  batch_size: int,
  streamed: bool,
) -> jax.stages.Lowered:
  """The program for its devices; see compile_lowered.

  Args:
    work: see Work.
    made: from parallel.arrange, of the same work.
    state: shapes [S, ...].
    data: shapes of a data set, or of batches, see make_program.
    wrapper: 'jit', 'pmap' or 'shard_map'.
    batch_size: of the global batch.
    streamed: whether data are batches.
  """
  seeds = len(jax.tree.leaves(state)[0])
  keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), seeds))
  total = {name: np.zeros(seeds, np.float32) for name in made.names}
  index = np.arange(batch_size)
  given = parallel.given_to(work)
  args = state, total, keys, index, data, given, np.int32(1)
  args = jax.eval_shape(lambda *args: args, *args)
  if wrapper == 'pmap':
    return _lower_pmap(made, args, streamed)
  specs = wrappers.specs(streamed=streamed)[0]
  args = [
    _laid_out(arg, NamedSharding(made.mesh, spec))
    for arg, spec in zip(args, specs, strict=True)
  ]
  function = wrappers.compiled(wrapper, made.advance, made.mesh, streamed)
  return function.trace(*args).lower(lowering_platforms=('tpu',))


def compile_lowered(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
  """The compiled program, which JAX's cache on disk does not keep.

  What is compiled for devices that are not there cannot be read from it again.
  """
  name = 'jax_persistent_cache_min_compile_time_secs'
  before = getattr(jax.config, name)
  jax.config.update(name, float('inf'))
  try:
    return lowered.compile()
  finally:
    jax.config.update(name, before)


def _laid_out(tree, sharding):
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(
      x.shape, x.dtype, sharding=sharding, weak_type=x.weak_type
    ),
    tree,
  )


def _lower_pmap(made, args, streamed):
  """pmap takes what is split with the devices' axis first, see wrappers."""
  devices = tuple(made.mesh.devices.flat)
  by_seed = made.mesh.shape['data'] == 1 and len(devices) > 1
  n, (state, total, keys, index, data, *rest) = len(devices), args
  cut = lambda tree, axis=0: jax.tree.map(lambda x: _cut(x, n, axis), tree)
  if by_seed:
    state, total, keys = cut((state, total, keys))
    data = cut(data) if streamed else data
  else:
    index = cut(index)
    data = cut(data, 3) if streamed else data
  mapped = wrappers.pmapped(made.advance, devices, by_seed, streamed)
  return mapped.lower(state, total, keys, index, data, *rest)


def _cut(x, pieces, axis):
  """[..., N, ...] -> [pieces, ..., N / pieces, ...], as shapes."""
  shape = list(x.shape)
  shape[axis] //= pieces
  return jax.ShapeDtypeStruct((pieces, *shape), x.dtype, weak_type=x.weak_type)
