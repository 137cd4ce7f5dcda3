"""Moving average of the generator, with its half-life in images.

Karras et al. 2018 (https://arxiv.org/abs/1710.10196), Section 4, average the
weights; the half-life in images and its warm-up follow Karras et al. 2020
(https://arxiv.org/abs/2006.06676), whose training code names them so.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.components import options
from gan_jax.types import Tree, UserError


def make_decay(
  *,
  halflife_kimg: float = 0.0,
  rampup: float = 0.05,
  burn_in_kimg: float = 0.0,
  batch_size: int,
) -> Callable:
  """Returns decay(step []) -> [] in [0, 1): the weight of the old average.

  Args:
    halflife_kimg: thousands of images after which a weight counts half; 0
      means no averaging (the decay is 0).
    rampup: limits the half-life to this share of the images seen so far, so
      that the average forgets the initial weights; 0 means no warm-up.
    burn_in_kimg: thousands of images in which the half-life rises from 0 to its
      value, by half a wave of a cosine, as in the code of Huang et al. 2024
      (https://arxiv.org/abs/2501.05441); 0 means it has that at once.
    batch_size: images in one step of G.

  Raises:
    UserError: a negative half-life, warm-up or burn-in.
  """
  given = halflife_kimg, rampup, burn_in_kimg
  if options.are_known(given) and min(given) < 0:
    raise UserError(
      f'ema: halflife_kimg={halflife_kimg}, rampup={rampup} and'
      f' burn_in_kimg={burn_in_kimg} must be >= 0.'
    )

  def risen(step):
    share = step * (batch_size / jnp.maximum(burn_in_kimg * 1000, 1e-8))
    return (1 - jnp.cos(jnp.pi * jnp.minimum(share, 1))) / 2

  def decay(step):
    halflife = jnp.float32(halflife_kimg * 1000) * risen(step)
    # Not a Python branch: rampup and step may be traced.
    most = jnp.where(rampup > 0, rampup * batch_size * step, jnp.inf)
    halflife = jnp.minimum(halflife, most)
    return 0.5 ** (batch_size / jnp.maximum(halflife, 1e-8))

  return decay


def update(average: Tree, params: Tree, variables: Tree, decay) -> Tree:
  """Moves the average towards G; copies variables that make no sense averaged.

  Args:
    average: {'params': ..., 'vars': ...}, shapes as in G.
    params: G's parameters.
    variables: G's other collections; batch statistics are averaged, the rest
      (spectral-norm vectors, for example) is copied from the newest.
    decay: [], weight of the old average.
  """

  def lerp(old, new):
    return jax.tree.map(lambda a, b: b + decay * (a - b), old, new)

  averaged = {
    name: lerp(average['vars'][name], new) if name == 'batch_stats' else new
    for name, new in variables.items()
  }
  return {'params': lerp(average['params'], params), 'vars': averaged}
