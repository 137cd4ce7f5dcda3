"""The latent whose sample is nearest to a given one, found by descent.

Karras et al. 2020, https://arxiv.org/abs/1912.04958, appendix D, with the
schedule of the code of https://arxiv.org/abs/2006.06676: Adam whose rate rises
over the first 5 % of the steps and falls over the last 25 %, and noise on the
latent that fades within three quarters. There the distance is of features of a
VGG network; here whoever calls brings one.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

RATE = 0.1
RISE, FALL = 0.05, 0.25  # shares of the steps
NOISE, NOISY = 0.05, 0.75  # of the latent's deviation; until this share
B1, B2, EPSILON = 0.9, 0.999, 1e-8  # of Adam


def rate_at(share, rate=RATE):
  """The learning rate when this share [] of the steps is done."""
  fall = jnp.minimum(1, (1 - share) / FALL)
  fall = 0.5 - 0.5 * jnp.cos(fall * jnp.pi)
  return rate * fall * jnp.minimum(1, share / RISE)


def noise_at(share):
  """The noise in deviations of the latent, when this share [] is done."""
  return NOISE * jnp.maximum(0, 1 - share / NOISY) ** 2


def invert(
  distance: Callable,
  z,
  keys: jax.Array,
  *,
  deviation,
  steps: int = 1000,
  rate=RATE,
):
  """Moves latents until their samples are near to given ones.

  Args:
    distance: latents [B, ...] -> [B]; an example's is of its own latent.
    z: where the search begins [B, ...].
    keys: of the noise [B].
    deviation: [], of the latents.
    steps: of Adam.
    rate: its highest.

  Returns:
    (latents [B, ...], their distances [B]); the best that were met without
    noise, where that is not the last one.
  """
  slope = jax.grad(lambda z: distance(z).sum())
  whole = lambda x: x.reshape(-1, *[1] * (z.ndim - 1))

  def step(carry, t):
    z, mean, square, best, least = carry
    share = t / steps
    own = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, t)
    draw = jax.vmap(lambda key: jax.random.normal(key, z.shape[1:]))(own)
    g = slope(z + deviation * noise_at(share) * draw)
    mean = B1 * mean + (1 - B1) * g
    square = B2 * square + (1 - B2) * jnp.square(g)
    right = mean / (1 - B1 ** (t + 1.0))
    wide = jnp.sqrt(square / (1 - B2 ** (t + 1.0))) + EPSILON
    z = z - rate_at(share, rate) * right / wide
    now = distance(z)
    better = now < least
    best = jnp.where(whole(better), z, best)
    return (z, mean, square, best, jnp.where(better, now, least)), None

  zeros = jnp.zeros_like(z)
  begin = z, zeros, zeros, z, distance(z)
  *_, best, least = jax.lax.scan(step, begin, jnp.arange(steps))[0]
  return best, least
