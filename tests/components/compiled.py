"""Layers in one program each: eager operations are compiled one by one."""

import jax
import jax.numpy as jnp
import numpy as np


def image(*shape, seed=0):
  draw = np.random.default_rng(seed).standard_normal(shape)
  return jnp.asarray(draw, jnp.float32)


def init(module, *args, seed=0):
  return jax.jit(module.init)(jax.random.key(seed), *args)


def apply(module, variables, *args, **kw):
  run = lambda variables, *args: module.apply(variables, *args, **kw)
  return jax.jit(run)(variables, *args)


def close(a, b, atol=1e-5):
  """Each leaf to atol of its largest value, or of 1 if that is larger."""

  def check(x, y):
    scale = max(1, np.abs(y).max())
    np.testing.assert_allclose(x, y, 0, atol * scale)

  jax.tree.map(check, a, b)
