"""Programs that run once: compiled soon rather than well.

Most of the time to compile initial weights goes into loops that draw random
bits, which LLVM unrolls and vectorises. Its level 1 leaves that out and takes a
third to a half of the time. Which bits are drawn stays the same; floats that
are made of them may differ in the last place from those of a higher level.
"""

import functools
from collections.abc import Callable

import jax
import numpy as np

SOON = {'xla_backend_optimization_level': 1}


def jit(function: Callable) -> Callable:
  """jax.jit of a function of arrays that is called a few times at most."""
  soon = jax.jit(function, compiler_options=_soon())
  within = jax.jit(function)  # of another program, which has its own options

  @functools.wraps(function)
  def call(*args, **kwargs):
    return (within if _is_traced() else soon)(*args, **kwargs)

  return call


def _soon():
  """Options of XLA; none for a backend on which the time goes elsewhere."""
  least = jax.config.values['jax_disable_most_optimizations']  # is sooner yet
  return None if least or jax.default_backend() != 'cpu' else SOON


def _is_traced():
  """Whether this is part of a program, or followed for its shapes."""
  return isinstance(jax.device_put(np.int32(0)), jax.core.Tracer)
