"""The gradient penalty of DRAGAN: D's slope around the reals.

Kodali et al., 'On Convergence and Stability of GANs', 2017
(https://arxiv.org/abs/1705.07215):

  weight (|grad D(x^)| - target)^2,   x^ near a real x

Paper and code differ in the noise, so it has a name:
  'code'  x^ = x + alpha (x' - x) with x' = x + 0.5 std u: u ~ U[0, 1) for each
          number, alpha ~ U[0, 1) for each sample, std that of all numbers in
          the batch (the authors' notebook, which most programs follow). Never
          negative, hence it moves the mean; nothing is clipped.
  'paper' x^ = x + N(0, c I); the paper's c = 10 is a variance.

The std is of the batch given. Where the batch is spread over devices,
`axis_name` makes it that of the global batch.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game import keys
from gan_jax.game.gradients import input_gradient, interpolate, safe_norm
from gan_jax.types import UserError

PER_EXAMPLE = True
WHOLE_BATCH = True  # by the std of the reals


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def _batch_std(x, axis_name):
  average = lambda x: (
    jax.lax.pmean(x.mean(), axis_name) if axis_name else x.mean()
  )
  return jnp.sqrt(average(jnp.square(x - average(x))))  # []


def _code_points(x, key, *, c, axis_name):
  del c
  split = jax.vmap(jax.random.split)(key)  # [B, 2]
  noise = keys.draw_like(split[:, 0], x, jax.random.uniform)  # [B, ...]
  moved = lambda x, noise: x + 0.5 * _batch_std(x, axis_name) * noise
  y = jax.tree.map(moved, x, noise)
  return interpolate(split[:, 1], x, y)  # [B, ...]


def _paper_points(x, key, *, c, axis_name):
  del axis_name
  noise = keys.draw_like(key, x, jax.random.normal)
  return jax.tree.map(lambda x, noise: x + c**0.5 * noise, x, noise)  # [B, ...]


VARIANTS = {'code': _code_points, 'paper': _paper_points}


def ignored(options: dict) -> str:
  """The option that has no effect beside the others, or ''."""
  is_code = options.get('variant', 'code') == 'code'
  return 'c' if is_code and options.get('c', 10.0) != 10.0 else ''


def penalty(
  critic: Callable,
  real: jax.Array,
  fake: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  weight: float = 10.0,
  target: float = 1.0,
  variant: str = 'code',
  c: float = 10.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Penalises D's slope at noisy reals.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...].
    fake: unused.
    memo: passed through.
    key: a typed key [], or one for each example [B].
    weight: the paper's lambda.
    target: the norm that costs nothing, the paper's k.
    variant: 'code' or 'paper'.
    c: variance of the noise of 'paper', in squared model range.
    axis_name: mesh axis over which the batch is spread, if it is.

  Returns:
    the penalty of each example [B], and memo.

  Raises:
    UserError: a variant that does not exist.
  """
  del fake
  if variant not in VARIANTS:
    exists = ', '.join(VARIANTS)
    raise UserError(f'dragan has no variant {variant!r}; it has: {exists}')
  count = len(jax.tree.leaves(real)[0])
  example_keys = keys.example_keys(key, count)  # [B]
  x = VARIANTS[variant](real, example_keys, c=c, axis_name=axis_name)
  norm = safe_norm(input_gradient(critic, x))  # [B]
  return weight * jnp.square(norm - target), memo
