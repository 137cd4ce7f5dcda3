"""Images filtered, with noise, cut: Karras et al. 2020, appendix B.3.

https://arxiv.org/abs/2006.06676.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.augment.shared import affine
from gan_jax.augment.shared.draws import normal, power_of_two, two_uniform
from gan_jax.augment.shared.wavelets import bands

BANDS = bands()  # [4, 43]
# Of natural images: spectra fall as 1 / f.
POWER = np.array([10, 1, 1, 1], np.float32) / 13
FILTERS = tuple(f'imgfilter_{i}' for i in range(len(BANDS)))


def taps(draw: Callable) -> jax.Array:
  """A filter [43] that makes octaves stronger or weaker, each by its own draw.

  Of each octave's gain, the power of a natural image stays what it was.

  Args:
    draw: see draws.Draws.
  """
  gains = jnp.ones(len(BANDS))
  for i, name in enumerate(FILTERS):
    own = draw(name, power_of_two(1.0), 1)
    gain = jnp.ones(len(BANDS)).at[i].set(own)
    gains *= gain / jnp.sqrt((POWER * jnp.square(gain)).sum())
  how = {'precision': affine.HIGHEST}
  return jnp.matmul(gains, BANDS.astype(np.float32), **how)


def filtered(x: jax.Array, taps: jax.Array) -> jax.Array:
  """An image [H, W, C], reflected beyond its edges, filtered along both axes.

  Args:
    x: image.
    taps: [N], N odd, the same from both ends.
  """
  for axis in (0, 1):
    x = _along(x, taps, axis)
  return x


def _along(x, taps, axis):
  """By a matrix [n, n] that holds the taps, what is reflected added up."""
  n, half = x.shape[axis], len(taps) // 2
  period = max(2 * (n - 1), 1)
  place = (np.arange(n)[:, None] + np.arange(-half, half + 1)) % period
  place = np.minimum(place, period - place)  # [n, N], within 0 ... n - 1
  rows = np.broadcast_to(np.arange(n)[:, None], place.shape)
  shape = n, n
  values = jnp.broadcast_to(taps, place.shape)
  matrix = jnp.zeros(shape, taps.dtype).at[rows, place % n].add(values)
  how = {'precision': affine.HIGHEST}
  moved = jnp.tensordot(matrix, jnp.moveaxis(x, axis, 0), 1, **how)
  return jnp.moveaxis(moved, 0, axis)


def noisy(x: jax.Array, draw: Callable, key: jax.Array) -> jax.Array:
  """With noise of a strength |N(0, .1)|, the same for the whole image.

  Args:
    x: image [H, W, C].
    draw: see draws.Draws.
    key: of the noise itself.
  """
  sigma = jnp.abs(draw('noise', normal(0.1), 0))
  return x + sigma * jax.random.normal(key, x.shape, x.dtype)


def cut(x: jax.Array, draw: Callable) -> jax.Array:
  """Without a box of half the image's sides, whose centre is anywhere in it."""
  # A size is drawn with the centre: 0, and nothing is cut.
  hole = lambda numbers: jnp.append(two_uniform()(numbers), 0.5)
  box = draw('cutout', hole, jnp.zeros(3))
  near = [
    jnp.abs((jnp.arange(n) + 0.5) / n - box[1 - axis]) < box[2] / 2
    for axis, n in enumerate(x.shape[:2])
  ]
  inside = near[0][:, None] & near[1][None, :]
  return jnp.where(inside[..., None], 0, x)
