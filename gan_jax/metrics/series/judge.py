"""A small recurrent network that judges series, and its training.

What it learns follows from the content of the samples, their order and a fixed
seed; views have an order of their own, whatever that of the samples.
"""

import functools
import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax.metrics import checks
from gan_jax.types import UserError

BATCH = 128  # series of an update, or that are judged at a time
CHUNK = 50  # updates of one compiled call, whatever the number of series


class Recipe(NamedTuple):
  """How a judge learns; hashable, because it is compiled in."""

  hidden: int  # units of the GRU
  outputs: int = 1  # numbers that it gives
  sees: str = 'mean'  # of the states: mean | last | each moment's
  loss: str = 'binary'  # binary | classes | absolute
  squashed: bool = False  # outputs in (0, 1)
  steps: int = 500
  learning_rate: float = 1e-2
  decays: bool = True  # along a cosine, after a tenth of the steps of warm-up


class Judge(nn.Module):
  """A GRU and a dense layer: [B, T, C] -> [B, outputs] or [B, T, outputs]."""

  recipe: Recipe

  @nn.compact
  def __call__(self, x):
    states = nn.RNN(nn.GRUCell(self.recipe.hidden))(x)  # [B, T, hidden]
    if self.recipe.sees == 'each':
      seen = states
    elif self.recipe.sees == 'last':
      seen = states[:, -1]
    else:
      seen = states.mean(axis=1)
    y = nn.Dense(self.recipe.outputs)(seen)
    return nn.sigmoid(y) if self.recipe.squashed else y


def train(x, y, recipe: Recipe, *, seed: int = 0):
  """Parameters of a judge that learned what belongs to series.

  Args:
    x: [N, T, C] float32.
    y: of the loss: binary [N], 0 or 1; classes [N], numbers; absolute [N, T].
    recipe: how.
    seed: of the weights and of the batches.
  """
  rows = _batches(len(x), recipe.steps, seed)  # [steps, B]
  params = _init(jax.random.key(seed), x.shape[1:], recipe)
  opt = _optimizer(recipe).init(params)
  for start in range(0, len(rows), CHUNK):
    own = rows[start : start + CHUNK]
    params, opt = _learn(params, opt, x[own], y[own], recipe)
  return params


def judge(params, x, recipe: Recipe) -> np.ndarray:
  """What it makes of series [N, T, C]: [N, outputs] or [N, T, outputs]."""
  parts = []
  for start in range(0, len(x), BATCH):
    part = x[start : start + BATCH]
    full = np.resize(part, (BATCH, *x.shape[1:]))  # of one compiled shape
    parts.append(np.asarray(_apply(params, full, recipe))[: len(part)])
  return np.concatenate(parts)


def checked(x, name: str, *, least: int = 1, like=None) -> np.ndarray:
  """Series [N, T, C] as float32.

  Raises:
    UserError: another shape, too few, NaN or infinity; a shape unlike another.
  """
  x = np.asarray(x)
  if x.ndim != 3:
    raise UserError(f'{name}: expected series [N, T, C], got {list(x.shape)}')
  flat = x.reshape(len(x), -1)
  checks.features(flat, name, least=least)
  if like is not None and x.shape[1:] != like.shape[1:]:
    raise UserError(
      f'{name}: series of shape {list(x.shape[1:])} are compared with others'
      f' of {list(like.shape[1:])}'
    )
  return x.astype(np.float32)


def _batches(size, steps, seed):
  """Rows [steps, BATCH], epoch after epoch in a new order."""
  rng = np.random.default_rng(seed)
  epochs = -(-steps * BATCH // size)
  rows = np.concatenate([rng.permutation(size) for _ in range(epochs)])
  return rows[: steps * BATCH].reshape(steps, BATCH)


def _optimizer(recipe):
  steps, rate = recipe.steps, recipe.learning_rate
  if recipe.decays:
    warm = max(1, math.ceil(steps / 10))
    rate = optax.warmup_cosine_decay_schedule(0.0, rate, warm, steps)
  return optax.adam(rate)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _init(key, shape, recipe):
  return Judge(recipe).init(key, jnp.zeros((1, *shape)))


@functools.partial(jax.jit, static_argnums=4)
def _learn(params, opt, x, y, recipe):
  """Updates by batches x [K, B, T, C] with their y [K, B, ...]."""

  def update(carry, batch):
    params, opt = carry
    grads = jax.grad(_loss)(params, *batch, recipe)
    updates, opt = _optimizer(recipe).update(grads, opt)
    return (optax.apply_updates(params, updates), opt), None

  with jax.default_matmul_precision('highest'):
    return jax.lax.scan(update, (params, opt), (x, y))[0]


def _loss(params, x, y, recipe):
  made = Judge(recipe).apply(params, x)
  if recipe.loss == 'classes':
    return optax.softmax_cross_entropy_with_integer_labels(made, y).mean()
  if recipe.loss == 'binary':
    return optax.sigmoid_binary_cross_entropy(made[..., 0], y).mean()
  return jnp.abs(made[..., 0] - y).mean()


@functools.partial(jax.jit, static_argnums=2)
def _apply(params, x, recipe):
  with jax.default_matmul_precision('highest'):
    return Judge(recipe).apply(params, x)
