"""Gradients of a critic with respect to its input, example by example.

What the gradient penalties share. A critic maps samples [B, ...] of any rank,
or trees of them, to logits [B], each a function of its own sample only: with
batch statistics in it, none of this has a meaning.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys
from gan_jax.types import Tree


def input_gradient(critic: Callable, x: Tree) -> Tree:
  """Returns d critic(x)[i] / d x[i] for every example i: [B, ...] like x."""
  # One backward pass: the sum's gradient at x[i] is that of its own logit.
  return jax.grad(lambda x: critic(x).sum())(x)


def squared_norm(x: Tree) -> jax.Array:
  """Sums the squares of each example over all its axes: [B, ...] -> [B]."""

  def of(x):
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return jnp.square(wide).reshape(x.shape[0], -1).sum(axis=1)  # [B]

  return functools.reduce(jnp.add, map(of, jax.tree.leaves(x)))


def safe_norm(x: Tree) -> jax.Array:
  """Euclidean norm of each example, [B, ...] -> [B], smooth at zero."""
  # The small number stands inside the root: sqrt has no gradient at 0.
  return jnp.sqrt(squared_norm(x) + 1e-12)  # [B]


def interpolate(key: jax.Array, x: Tree, y: Tree) -> Tree:
  """Draws a point on the segment from x[i] to y[i], for every example i.

  Args:
    key: a typed key [], or one for each example [B].
    x: samples [B, ...].
    y: samples [B, ...].

  Returns:
    x + alpha (y - x), [B, ...], with a single alpha ~ U[0, 1) per example.
  """
  first = jax.tree.leaves(x)[0]
  draw = lambda key: jax.random.uniform(key, dtype=first.dtype)
  alpha = jax.vmap(draw)(keys.example_keys(key, len(first)))  # [B]

  def between(x, y):
    shape = (-1,) + (1,) * (x.ndim - 1)
    return x + alpha.reshape(shape) * (y - x)  # [B, ...]

  return jax.tree.map(between, x, y)
