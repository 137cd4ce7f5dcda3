"""What an encoder makes of a sample: a code, or the normal law of one.

An encoder returns codes [B, Z], or {'mean': [B, Z], 'log_variance': [B, Z]}.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.models.layers import parts
from gan_jax.types import UserError


def mean_of(output: Any) -> jax.Array:
  """The code [B, Z] by which a sample is known: the mean, if it is a law."""
  return output['mean'] if isinstance(output, dict) else output


def law(part: parts.Parts, x: jax.Array, size: int) -> dict:
  """Ends an encoder whose codes are drawn, within its compact method.

  Args:
    part: the layers of the network.
    x: features [B, F].
    size: Z.

  Returns:
    {'mean': [B, Z], 'log_variance': [B, Z]}, float32.
  """
  give = lambda name: part.dense(size, name=name)(x).astype(jnp.float32)
  return {name: give(name) for name in ('mean', 'log_variance')}


def draw(law: dict, key: jax.Array) -> jax.Array:
  """Codes [B, Z] of normal laws, differentiable with respect to these.

  Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114), Section 2.4.

  Args:
    law: {'mean': [B, Z], 'log_variance': [B, Z]}.
    key: one for each example [B].
  """
  mean, spread = law['mean'], jnp.exp(law['log_variance'] / 2)
  noise = jax.vmap(lambda key: jax.random.normal(key, mean.shape[1:]))(key)
  return mean + spread * noise


def check(code: jax.Array, latent: jax.Array):
  """Refuses codes that are no latents.

  Raises:
    UserError: names both sizes.
  """
  if code.shape[1:] != latent.shape[1:]:
    raise UserError(
      f'model.e: codes of shape {list(code.shape[1:])}, but latents of shape'
      f' {list(latent.shape[1:])}; D is shown both, so that these must agree.'
    )
