"""How far what a model rebuilds of a sample is from the sample.

Half of the squared distance, the negative log-likelihood of a normal law with
variance 1 up to a constant: of the samples themselves, or of D's features of
them (Larsen et al. 2016, https://arxiv.org/abs/1512.09300, equation 7). It adds
to the encoder's loss; as all players but D move along the sum of their losses,
it moves the decoder too.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import UserError

SPACES = 'samples', 'features'
OVER = {'sum': jnp.sum, 'mean': jnp.mean}


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def e_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 1.0,
  space: str = 'samples',
  over: str = 'sum',
) -> tuple[jax.Array, Any]:
  """Adds to E's loss, and so to the gradients of all that rebuilds.

  Args:
    forward: game.terms.Forward, of a model whose play gives also['rebuilt'].
    memo: passed through.
    weight: of half of the squared distance.
    space: 'samples', or 'features': those of D in evaluation mode.
    over: 'sum' or 'mean' of the numbers of a sample.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: an option that there is not, a model that rebuilds nothing, or
      whose D gives no features.
  """
  for name, value, there in (('space', space, SPACES), ('over', over, OVER)):
    if value not in there:
      raise UserError(
        f'penalties.reconstruction.{name}={value!r}: expected one of'
        f' {", ".join(there)}.'
      )
  if 'rebuilt' not in forward.also:
    raise UserError(
      'penalties.reconstruction: this model rebuilds no samples; vae_gan and'
      ' aae do.'
    )
  x, rebuilt = forward.batch['x'], forward.also['rebuilt']
  if space == 'features':
    x, rebuilt = (_features(forward, one) for one in (x, rebuilt))
  each = jnp.square(x - rebuilt).reshape(len(x), -1)
  return weight / 2 * OVER[over](each, axis=-1), memo


def _features(forward, x):
  heads = forward.critic(x)
  if 'features' not in heads:
    raise UserError(
      "penalties.reconstruction.space='features': this model's D gives none;"
      ' that of vae_gan does.'
    )
  return heads['features']
