"""The optimal-transport term: what G makes of z is to be near z.

Lin et al. 2025, Adversarial Flow Models (https://arxiv.org/abs/2511.22475): of
all maps from the latents to the data, the one that moves them least,

  weight mean (G(z) - z)^2

over the numbers of a sample. The authors let the weight fall from .2 to .005 by
a half wave of a cosine over a million steps, which a schedule says. A latent
has to be like a sample.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import UserError


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def g_term(
  forward: Any, memo: Any, *, weight: float = 0.2
) -> tuple[jax.Array, Any]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the mean square.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: a latent has not the shape of a sample.
  """
  z, fake = forward.latent, forward.fake
  shapes = lambda tree: jax.tree.map(lambda x: x.shape[1:], tree)
  if shapes(z) != shapes(fake):
    raise UserError(
      'penalties.optimal_transport: expected latents like samples,'
      f' {shapes(fake)}; a latent is {shapes(z)}.'
    )
  gap = jnp.square(fake - z)
  return weight * gap.reshape(len(gap), -1).mean(axis=1), memo
