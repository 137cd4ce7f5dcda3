"""What tests of convolutions compare: lax's, its slopes, its products."""

import functools
import math

import jax
import jax.numpy as jnp
from jax.extend import core

from gan_jax.models.layers import gemm, phases

GEMMS = {  # ours on CPU, and lax's
  'conv': (gemm.conv, jax.lax.conv_general_dilated),
  'conv_transpose': (gemm.conv_transpose, jax.lax.conv_transpose),
}


def plain(strides=(1, 1), padding='SAME', groups=1):
  """lax's convolution of x [B, H, W, C] and a kernel [h, w, C, O]."""
  return functools.partial(
    jax.lax.conv_general_dilated,
    window_strides=strides,
    padding=padding,
    dimension_numbers=phases.LAYOUT,
    feature_group_count=groups,
  )


def all_orders(conv, x, kernel):
  """A convolution, the slopes of a critic of it, and those of a penalty."""
  critic = lambda k, x: jnp.tanh(conv(x, k)).sum()
  penalty = lambda k, x: jnp.sum(jax.grad(critic, 1)(k, x) ** 2)
  slopes = [jax.grad(f, (1, 0)) for f in (critic, penalty)]
  run = lambda x, k: (conv(x, k), *(f(k, x) for f in slopes))
  return jax.jit(run)(x, kernel)


def steps(run, *args):
  """All that is traced, with what it is made of."""
  found = []

  def look(jaxpr):
    for step in jaxpr.eqns:
      found.append(step)
      for inner in core.jaxprs_in_params(step.params):
        look(inner)

  look(jax.make_jaxpr(run)(*args).jaxpr)
  return found


def primitives(run, *args):
  """[(name, sizes of its operands)] of all that is traced."""
  sizes = lambda step: [v.aval.size for v in step.invars]
  return [(step.primitive.name, sizes(step)) for step in steps(run, *args)]


def products(run, *args):
  """The sizes of the factors of each product of matrices."""
  made = primitives(run, *args)
  return [sizes for name, sizes in made if name == 'dot_general']


def multiplications(run, *args):
  """Of all products of matrices: n m k for [n, m] and [m, k]."""
  made = [s for s in steps(run, *args) if s.primitive.name == 'dot_general']
  sizes = ([v.aval.size for v in (*s.invars, *s.outvars)] for s in made)
  return sum(math.isqrt(math.prod(each)) for each in sizes)
