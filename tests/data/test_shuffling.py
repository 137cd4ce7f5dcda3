"""The order of the examples: exact epochs, fair, the same everywhere."""

import collections
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from scipy import stats

from gan_jax import types
from gan_jax.data import shuffling

KEY = jax.random.key(3)
SIZES = (1, 2, 3, 7, 100, 1797)
STEPS, BATCHES, BATCH = 12, 2, 16


def epochs_of(size):
  """Enough for all steps, and as many in all tests: one program a size."""
  return max(9, -(-STEPS * BATCHES * BATCH // size))


@functools.partial(jax.jit, static_argnames=('size', 'epochs'))
def shuffled(key, *, size, epochs, first=0):
  """The rows of whole epochs, [epochs, size]."""
  epoch = first + jnp.arange(epochs, dtype=jnp.uint32)[:, None]
  epoch, offset = jnp.broadcast_arrays(
    epoch, jnp.arange(size, dtype=jnp.uint32)[None, :]
  )
  return shuffling.permute(key, epoch, offset, size=size)


@functools.partial(jax.jit, static_argnames=('size', 'batches', 'batch_size'))
def plan(key, step, index, **static):
  return shuffling.plan(key, step, index, **static)


def fair(observed):
  """Are these counts what equally likely cells give, at p > .001?"""
  return stats.chisquare(np.ravel(observed)).pvalue > 1e-3


@pytest.mark.parametrize('size', SIZES)
def test_epochs_are_exact(size):
  rows = np.asarray(shuffled(KEY, size=size, epochs=epochs_of(size)))
  np.testing.assert_array_equal(
    np.sort(rows, axis=1), np.broadcast_to(np.arange(size), rows.shape)
  )


@pytest.mark.parametrize('size', [100, 1797])
def test_epochs_and_keys_differ(size):
  rows, other = (
    np.asarray(shuffled(key, size=size, epochs=epochs_of(size)))[:9]
    for key in (KEY, jax.random.key(4))
  )
  everything = np.concatenate([rows, other, np.arange(size)[None, :]])
  for a, b in itertools.combinations(everything, 2):
    assert (a == b).mean() < 0.1  # one row agrees by chance


@pytest.mark.parametrize('size', [4, 5, 6])
def test_every_permutation_is_equally_likely(size):
  rows = np.asarray(shuffled(KEY, size=size, epochs=12_000))
  seen = collections.Counter(map(tuple, rows.tolist()))
  assert len(seen) == math.factorial(size)
  assert fair(list(seen.values()))


@pytest.mark.parametrize('size', [7, 100])
def test_rows_are_uniform_at_every_place(size):
  rows = np.asarray(shuffled(KEY, size=size, epochs=60 * size))
  for offset in (0, 1, size // 2, size - 1):
    assert fair(np.bincount(rows[:, offset], minlength=size))


def test_neighbours_and_successive_epochs_are_independent():
  size = 7
  rows = np.asarray(shuffled(KEY, size=size, epochs=8_000))
  joint = np.zeros((size, size))
  np.add.at(joint, (rows[:-1, 2], rows[1:, 2]), 1)
  assert fair(joint)
  steps = np.bincount((rows[:, 4] - rows[:, 3]) % size, minlength=size)
  assert steps[0] == 0 and fair(steps[1:])


def test_large_sets_are_shuffled_evenly():
  size = types.MAX_SIZE - 1
  offset = jnp.arange(100_000, dtype=jnp.uint32)
  rows = jax.jit(functools.partial(shuffling.permute, size=size))(
    KEY, jnp.zeros_like(offset), offset
  )
  rows = np.asarray(rows)
  assert len(np.unique(rows)) == len(rows) and rows.min() >= 0
  assert fair(np.bincount(rows.astype(np.int64) * 64 // size, minlength=64))


def test_the_order_never_changes():
  # Frozen: a run resumed under a newer version must see the same examples.
  rows, mirrored = plan(
    jax.random.key(0), 5, jnp.arange(8), size=11, batches=1, batch_size=8
  )
  assert rows.tolist() == FROZEN_ROWS
  assert mirrored.astype(int).tolist() == FROZEN_MIRRORED


FROZEN_ROWS = [[1, 8, 6, 0, 3, 5, 4, 8]]
FROZEN_MIRRORED = [[0, 1, 0, 1, 0, 0, 0, 1]]


@pytest.mark.parametrize('size', [1, 7, 1797, 1_281_167, types.MAX_SIZE - 1])
@pytest.mark.parametrize('step', [0, 1, 99, 10**6, 2**31 - 1])
def test_locate_equals_arithmetic_without_limits(step, size):
  batches, batch_size = 3, 2048
  index = np.array([0, 5, 2047])
  found = shuffling.locate(
    step, jnp.array(index), size=size, batches=batches, batch_size=batch_size
  )
  for j, b in itertools.product(range(batches), range(3)):
    position = (step * batches + j) * batch_size + int(index[b])
    epoch, offset = divmod(position, size)
    assert int(found[1][j, b]) == offset
    assert int(found[0][j, b]) == epoch % 2**32


@pytest.mark.parametrize('size', SIZES)
def test_batches_straddle_epochs_exactly(size):
  static = {'size': size, 'batches': BATCHES, 'batch_size': BATCH}
  rows = [plan(KEY, s, np.arange(BATCH), **static)[0] for s in range(STEPS)]
  rows = np.concatenate([np.ravel(r) for r in rows])
  expected = np.ravel(shuffled(KEY_OF_ROWS, size=size, epochs=epochs_of(size)))
  np.testing.assert_array_equal(rows, expected[: len(rows)])


KEY_OF_ROWS = jax.random.fold_in(jax.random.fold_in(KEY, 1), 0)


def test_devices_share_the_global_batch():
  static = {'size': 100, 'batches': 3, 'batch_size': 24}
  whole = plan(KEY, 7, jnp.arange(24), **static)
  for devices in (2, 8):
    parts = [
      plan(KEY, 7, part, **static)
      for part in jnp.arange(24).reshape(devices, -1)
    ]
    for k in range(2):
      np.testing.assert_array_equal(
        np.concatenate([p[k] for p in parts], axis=1), whole[k]
      )


def test_same_under_no_jit_vmap_and_shard_map():
  static = {'size': 100, 'batches': 3, 'batch_size': 24}
  one = functools.partial(shuffling.plan, **static)
  index = jnp.arange(24)
  seeds = jax.random.split(KEY, 3)
  expected = [plan(k, 7, index, **static) for k in seeds]
  with jax.disable_jit():
    np.testing.assert_array_equal(one(seeds[0], 7, index)[0], expected[0][0])
  stacked = jax.jit(jax.vmap(one, (0, None, None)))(seeds, 7, index)
  mesh = Mesh(np.array(jax.devices()[:8]), ('batch',))
  sharded = jax.shard_map(
    one, mesh=mesh, in_specs=(P(), P(), P('batch')), out_specs=P(None, 'batch')
  )
  split = jax.jit(sharded)(seeds[0], jnp.int32(7), index)
  for k in range(2):
    np.testing.assert_array_equal(
      stacked[k], np.stack([e[k] for e in expected])
    )
    np.testing.assert_array_equal(split[k], expected[0][k])


def test_half_are_mirrored_anew_in_each_epoch():
  mirrored = np.stack(
    [
      plan(KEY, s, jnp.arange(1000), size=1000, batches=1, batch_size=1000)[1][
        0
      ]
      for s in range(4)
    ]
  )
  assert abs(mirrored.mean() - 0.5) < 0.03
  for a, b in itertools.combinations(mirrored, 2):
    assert 0.4 < (a == b).mean() < 0.6
