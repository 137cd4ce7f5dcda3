"""Random keys: every draw is a pure function of (seed, step, example).

No key is ever stored. Because a draw is tied to the index of the example in
the global batch, any number of devices draws the same numbers.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# One stream for each purpose, so that adding a draw never shifts another.
INIT, ORDER, STEP, SAMPLE, DRAW, ROLLBACK, LABELS, STANDING = range(8)
# Within a step, one for each move and for a look at it from outside.
D_MOVE, G_MOVE, LATENTS, HELD_OUT = range(4)


def seed_keys(seed: int, num_seeds: int) -> jax.Array:
  """Returns the root keys [num_seeds] of the seeds seed, seed + 1, ..."""
  return _keys(seed + np.arange(num_seeds, dtype=np.int32))


# One program: each operation outside of one would be compiled by itself.
_keys = jax.jit(jax.vmap(jax.random.key))


def stream(key: jax.Array, purpose: int, *index) -> jax.Array:
  """Folds the purpose, then each index (a step, a player), into a key []."""
  for i in (purpose, *index):
    key = jax.random.fold_in(key, i)
  return key


def draw_key(key: jax.Array, draw: int) -> jax.Array:
  """The key [] of one of several draws of samples; draw 0 has the root key."""
  return stream(key, DRAW, draw) if draw else key


def fold_examples(key: jax.Array, index: jax.Array) -> jax.Array:
  """One key for each example: key [], index [B] int -> keys [B]."""
  return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, index)


def example_keys(key: jax.Array, n: int) -> jax.Array:
  """One key for each of n examples; keys that are so already pass through.

  Args:
    key: a typed key [], or typed keys [n].
    n: number of examples.

  Returns:
    keys [n].
  """
  return fold_examples(key, jnp.arange(n)) if key.ndim == 0 else key


def by_name(name: str) -> int:
  """The stream of a component: another one leaves its draws alone."""
  return zlib.crc32(name.encode()) & 0x7FFFFFFF


def fold_each(keys: jax.Array, stream: int) -> jax.Array:
  """Another stream of each of many keys: [B] -> [B]."""
  return jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, stream)


def draw_like(keys: jax.Array, x: Any, sampler: Callable) -> Any:
  """One draw like each example: keys [B], x [B, ...] -> [B, ...].

  Of pairs, each part by a stream of its own; the first by the key itself.

  Args:
    keys: one for each example.
    x: a tree of arrays, of any shape.
    sampler: of jax.random, say normal.
  """
  leaves, tree = jax.tree.flatten(x)
  made = []
  for i, leaf in enumerate(leaves):
    own = fold_each(keys, i) if i else keys
    like = functools.partial(sampler, shape=leaf.shape[1:], dtype=leaf.dtype)
    made.append(jax.vmap(like)(own))
  return jax.tree.unflatten(tree, made)
