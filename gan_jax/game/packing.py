"""Packs: D judges several samples together.

PacGAN: Lin et al. 2018 (https://arxiv.org/abs/1712.04086), section 2: D is
shown m samples of a kind, one after another along the last axis, and says of
all of them at once whether they are real. A G that lacks modes makes packs with
too little variety. Consecutive examples of the global batch are a pack, so it
is the same one on any number of devices.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.types import UserError


def check(size: int, given: Any):
  """Refuses packs of a game in which they have no meaning.

  Args:
    size: samples of a pack.
    given: rules.Given: the batch, the classes.

  Raises:
    UserError: labels, or a batch that is no packs.
  """
  if size > 1 and given.num_classes:
    raise UserError(
      f'pack={size}: with conditional=True the samples of a pack have several'
      ' labels; expected conditional=False.'
    )
  if given.batch_size % size:
    raise UserError(
      f'pack={size}: does not divide batch_size={given.batch_size}.'
    )


def packed(x: jax.Array, size: int) -> jax.Array:
  """[B, ..., C] -> [B / size, ..., size * C]; as it is where size is 1.

  Args:
    x: samples; of a size of 1, also trees of them.
    size: samples of a pack.

  Raises:
    UserError: pairs, of a sample and its code, or a batch that is no packs.
  """
  if size == 1:
    return x
  _check_alone(x, size)
  if len(x) % size:
    raise UserError(
      f'pack={size}: does not divide the {len(x)} samples that D is shown at'
      ' once.'
    )
  parts = x.reshape(-1, size, *x.shape[1:])  # [P, size, ..., C]
  x = jnp.moveaxis(parts, 1, -2)  # [P, ..., size, C]
  return x.reshape(*x.shape[:-2], -1)


def unpacked(x: jax.Array, size: int) -> jax.Array:
  """The inverse of packed: [P, ..., size * C] -> [P * size, ..., C]."""
  if size == 1:
    return x
  x = x.reshape(*x.shape[:-1], size, -1)  # [P, ..., size, C]
  x = jnp.moveaxis(x, -2, 1)  # [P, size, ..., C]
  return x.reshape(-1, *x.shape[2:])


def members(part: slice, size: int, count: int) -> np.ndarray:
  """Which samples are in some of `count` packs."""
  return np.arange(count * size).reshape(count, size)[part].reshape(-1)


def of_one(x: jax.Array, size: int) -> jax.Array:
  """A pack [1, ..., size * C] of the same sample [1, ..., C], for its shape."""
  if size == 1:
    return x
  _check_alone(x, size)
  return jnp.concatenate([x] * size, axis=-1)


def _check_alone(x, size):
  if not hasattr(x, 'ndim'):
    raise UserError(
      f'pack={size}: this model shows D pairs; expected samples alone.'
    )
