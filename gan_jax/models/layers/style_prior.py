"""The latent of StyleGAN2: a code, noise for each convolution, another code.

The other one is for the mixing of styles, Karras et al. 2019
(https://arxiv.org/abs/1812.04948), section 3.1: in training the layers from
some place on take another style, so that neighbouring ones do not learn to rely
on each other.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.components import options
from gan_jax.game import latents
from gan_jax.models.layers import resnets
from gan_jax.types import UserError

FIRST = 4  # pixels of the first grid's shorter side, at most


def grids_of(shape: tuple[int, ...]) -> list[resnets.Grid]:
  """G's grids, coarse to fine; UserError names a shape that none can make."""
  if len(shape) != 3 or min(shape[:2]) < FIRST or shape[2] < 1:
    raise UserError(
      f'model stylegan2: cannot make samples of shape {tuple(shape)}; it makes'
      f' images (H, W, C) of {FIRST} pixels or more'
    )
  doublings = math.ceil(math.log2(min(shape[:2]) / FIRST))
  return resnets.doubled_grids(shape, doublings)


def make_prior(
  shape: tuple[int, ...],
  *,
  name: str = 'normal',
  dim: int = 512,
  mixing: float | None = None,
) -> Callable:
  """Returns prior(key) -> {'z': [dim], 'noise': ([h, w], ...)}, float32.

  There is a picture of noise for each convolution of G: one of the first grid,
  two of each of the others. If styles are mixed there is also 'mixed',
  {'z': [dim], 'at': []}: the place between the second layer, 0, and the last
  from which on the layers take the style of that z; at 1 none does. Unlike in
  the authors' code, each example has a place of its own.

  Args:
    shape: of a sample, (H, W, C).
    name: of the prior of z, see game/latents.
    dim: length of z.
    mixing: probability that an example mixes two styles; None is never, and
      then no second z is drawn.

  Raises:
    UserError: see latents.make_prior and grids_of; a probability that is none.
  """
  _check_mixing(mixing)
  first, *finer = grids_of(shape)
  grids = [first, *(grid for grid in finer for _ in range(2))]
  of_code = latents.maker(name)(dim=dim)

  def prior(key):
    own, *each = jax.random.split(key, 1 + len(grids))
    pictures = [
      jax.random.normal(key, grid)
      for key, grid in zip(each, grids, strict=True)
    ]
    latent = {'z': of_code(own), 'noise': tuple(pictures)}
    if mixing is None:
      return latent
    whether, where, other = jax.random.split(jax.random.fold_in(key, 1), 3)
    mixes = jax.random.uniform(whether) < mixing
    at = jnp.where(mixes, jax.random.uniform(where), 1.0)
    return {**latent, 'mixed': {'z': of_code(other), 'at': at}}

  return prior


def _check_mixing(mixing):
  if mixing is None or not options.are_known(mixing):
    return
  if not options.is_of(mixing, float) or not 0 <= mixing <= 1:
    raise UserError(
      f'latent.mixing={mixing!r}: expected a probability, 0 to 1, or None.'
    )
