"""The order of the examples: a pure function of (seed, step, index).

The index is the example's place in the global batch. So there is no iterator
state to lose, and any number of devices, the compiled step and the host agree.
Every epoch contains each example exactly once; batches run across its end.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

from gan_jax.game import keys

_ROUNDS = 8  # of two halves each; with 4 the epochs of 5 rows are biased
_ROWS, _MIRROR = range(2)  # purposes of the keys of the order stream


def locate(
  step: jax.Array,
  index: jax.Array,
  *,
  size: int,
  batches: int,
  batch_size: int,
) -> tuple[jax.Array, jax.Array]:
  """Where in the endless sequence of epochs a step's examples stand.

  Example i of batch j of step s is number (s * batches + j) * batch_size + i.
  That number may exceed 32 bits; epoch and offset are exact nevertheless.

  Args:
    step: [] int.
    index: [b] int, positions in the global batch.
    size: examples in the data set, below MAX_SIZE.
    batches: drawn in each step.
    batch_size: global.

  Returns:
    epoch and offset in that epoch, both [batches, b] uint32.
  """
  quotient, rest = divmod(batches * batch_size, size)
  step = jnp.asarray(step).astype(jnp.uint32)
  epoch = offset = jnp.uint32(0)
  # Long multiplication of the step by the examples a step, in base 16.
  for shift in range(28, -1, -4):
    digit = (step >> shift) & 15
    carried = offset * 16 + digit * rest
    epoch = epoch * 16 + digit * quotient + carried // size
    offset = carried % size
  first = jnp.arange(batches, dtype=jnp.uint32)[:, None] * batch_size
  offset = offset + first + index.astype(jnp.uint32)[None, :]  # [batches, b]
  return epoch + offset // size, offset % size


def permute(
  key: jax.Array, epoch: jax.Array, offset: jax.Array, *, size: int
) -> jax.Array:
  """The row at an offset of a shuffled epoch.

  A keyed permutation of the rows, computed one by one: a Feistel network on
  the smallest near-square domain a * b >= size, walked until it returns to the
  rows. M. Luby, C. Rackoff, How to Construct Pseudorandom Permutations (1988),
  https://doi.org/10.1137/0217022; J. Black, P. Rogaway, Ciphers with Arbitrary
  Finite Domains (2002), https://doi.org/10.1007/3-540-45760-7_9, method 3
  (generalised Feistel) and 2 (cycle walking).

  Args:
    key: typed key [].
    epoch: [...] uint32.
    offset: [...] uint32, below size.
    size: examples in the data set.

  Returns:
    [...] int32 rows; for each epoch a bijection of [0, size).
  """
  words = _words(key, epoch)
  a = math.isqrt(size - 1) + 1
  b = -(-size // a)

  def shuffle(code):  # a bijection of [0, a * b)
    left, right = code // b, code % b
    for r in range(_ROUNDS):
      left = (left + _hash(words, 2 * r, right) % a) % a
      right = (right + _hash(words, 2 * r + 1, left) % b) % b
    return left * b + right

  def walk(state):
    code, outside = state
    code = jnp.where(outside, shuffle(code), code)
    return code, code >= size

  # a * b exceeds size by less than a, so hardly any walk a second time. The
  # first time is in the loop, too: so a program has it once.
  every = jnp.ones_like(offset, bool)
  row, _ = lax.while_loop(lambda s: jnp.any(s[1]), walk, (offset, every))
  return row.astype(jnp.int32)


def _words(key, *index):
  """Two uniform words [...] uint32 for each element of the index [...]."""

  def fold(*i):
    folded = functools.reduce(jax.random.fold_in, i, key)
    return jax.random.key_data(folded)

  flat = jax.vmap(fold)(*(i.reshape(-1) for i in index))  # [n, words]
  return tuple(flat[:, w].reshape(index[0].shape) for w in (0, -1))


def _hash(words, number, x):
  """A word [...] uint32 of x, keyed by the words and the half round."""
  return _mix(
    _mix(x + words[0]) ^ (words[1] + jnp.uint32(number * 0x9E3779B9 % 2**32))
  )


def _mix(x):
  """MurmurHash3's final mix of 32 bits (A. Appleby): x [...] uint32."""
  x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
  x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
  return x ^ (x >> 16)


def plan(
  key: jax.Array,
  step: jax.Array,
  index: jax.Array,
  *,
  size: int,
  batches: int,
  batch_size: int,
) -> tuple[jax.Array, jax.Array]:
  """Which rows a step draws, and which of them may be mirrored.

  Args:
    key: the root key [] of the seed.
    step, index, size, batches, batch_size: as in `locate`.

  Returns:
    rows [batches, b] int32 and mirrored [batches, b] bool, half of them True.
  """
  where = locate(step, index, size=size, batches=batches, batch_size=batch_size)
  rows = permute(keys.stream(key, keys.ORDER, _ROWS), *where, size=size)
  word, _ = _words(keys.stream(key, keys.ORDER, _MIRROR), *where)
  return rows, word >> 31 == 1
