"""What heads have in common: the logit, and who needs classes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.types import UserError


def logit(dense: Callable, features: jax.Array) -> jax.Array:
  """Whether samples are real: features [B, F] -> [B] float32."""
  return wide(dense(1, name='logits')(features)).squeeze(1)


def wide(x: jax.Array) -> jax.Array:
  """In float32, in which all losses are computed."""
  return x.astype(jnp.float32)


def check_classes(label: jax.Array | None, num_classes: int):
  """Refuses a head that has nothing to learn without classes.

  Args:
    label: [B], or None.
    num_classes: of the labels.

  Raises:
    UserError: there are none, or a label is a vector.
  """
  if label is None or num_classes < 1:
    raise UserError(
      'conditioning.name: this head needs classes: expected conditional=True'
      f' and labelled data, there are {num_classes} classes.'
    )
  if label.ndim > 1:
    raise UserError(
      'conditioning.name: this head needs classes, one for each example; a'
      f' vector of {label.shape[-1]} numbers suits projection, concat and'
      ' unconditional_d.'
    )
