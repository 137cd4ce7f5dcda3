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
from gan_jax.types import Tree, UserError


def input_gradient(critic: Callable, x: Tree) -> Tree:
  """Returns d critic(x)[i] / d x[i] for every example i: [B, ...] like x."""
  # One backward pass: the sum's gradient at x[i] is that of its own logit.
  return jax.grad(lambda x: critic(x).sum())(x)


def both_gradients(critic: Callable, real: Tree, fake: Tree) -> tuple:
  """input_gradient at the reals and at the fakes, of one backward pass.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...].
    fake: samples [B, ...]; no gradient reaches them.

  Returns:
    (at real, at fake), [B, ...] each.
  """
  # Along an axis of its own, not as one batch of both: a D that compares the
  # samples of a batch compares no real with a fake.
  both = jax.tree.map(
    lambda *x: jnp.stack(x), real, jax.lax.stop_gradient(fake)
  )
  made = jax.vmap(functools.partial(input_gradient, critic))(both)
  return tuple(jax.tree.map(lambda x, i=i: x[i], made) for i in range(2))


def squared_difference(
  critic: Callable,
  x: Tree,
  key: jax.Array,
  *,
  epsilon: float,
  one_in: int = 1,
  flag: str = '',
) -> jax.Array:
  """The squared slope of each example by a difference, [B].

  ((critic(x + epsilon n) - critic(x)) / epsilon)^2 with n ~ N(0, I), whose mean
  over n is the squared norm of the gradient for small epsilon, and for any one
  if the critic is linear. Nothing is differentiated twice.

  Args:
    critic: samples [B, ...] -> logits [B]; with `part`, see Forward.critic.
    x: samples [B, ...].
    key: a typed key [], or one for each example [B].
    epsilon: length of the step, in model range.
    one_in: of so many neighbours in the batch the first stands for all.
    flag: how the config names the penalty, for error messages.

  Raises:
    UserError: one_in does not divide the examples of a device.
  """
  count = len(jax.tree.leaves(x)[0])
  if one_in < 1 or count % one_in:
    raise UserError(
      f'{flag}.one_in={one_in}: expected a divisor of the {count} examples that'
      ' a device has.'
    )
  each = keys.example_keys(key, count)  # [B]
  if one_in > 1:
    part = slice(None, None, one_in)
    x, each = jax.tree.map(lambda v: v[part], (x, each))
    critic = functools.partial(critic, part=part)
  noise = keys.draw_like(each, x, jax.random.normal)
  near = jax.tree.map(lambda x, noise: x + epsilon * noise, x, noise)
  slope = (critic(near) - critic(x)) / epsilon
  return jnp.repeat(jnp.square(slope), one_in)


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
