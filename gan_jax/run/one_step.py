"""The step of a single seed, and what it takes, as shapes: to be compiled."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.run.setup import Setup, shapes_of_one
from gan_jax.types import Tree


def of_one_seed(setup: Setup) -> tuple[Callable, tuple]:
  """(step, its arguments as shapes) of a single seed.

  The step is (state, batch, key, numbers) -> (state, metrics).
  """
  n, b = setup.structure.batches, setup.batch_size
  batch = {
    'x': jax.ShapeDtypeStruct((n, b, *setup.dataset.shape), jnp.float32),
    'index': jax.ShapeDtypeStruct((b,), jnp.int32),
    'step': jax.ShapeDtypeStruct((), jnp.int32),
    **({'frozen': setup.frozen} if setup.frozen else {}),
  }
  if setup.conditional:
    batch['label'] = setup.structure.given.labels(n, b)
  key = jax.eval_shape(lambda: jax.random.key(0))
  step = setup.functions.make_step(None)
  return step, (shapes_of_one(setup), batch, key, setup.numbers)


def nbytes(tree: Tree) -> int:
  """Bytes of all arrays of a tree, or of their shapes."""
  return sum(map(size_of, jax.tree.leaves(tree)))


def size_of(aval) -> int:
  """Bytes of an array, or of its shape; a random key is two words."""
  if jax.dtypes.issubdtype(aval.dtype, jax.dtypes.prng_key):
    return 8 * math.prod(aval.shape)
  return np.dtype(aval.dtype).itemsize * math.prod(aval.shape)
