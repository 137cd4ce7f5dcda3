"""Latents and styles kept near their mean: less variety for better samples."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

AGAIN = 2**31 - 1  # of a latent's key, the stream of what is drawn anew


def towards(styles, centre, psi, *, layers: int = 0):
  """Styles nearer to their average, w' = c + psi (w - c).

  Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B.

  Args:
    styles: [B, L, W], one for each of L layers.
    centre: the average style [W].
    psi: []; 1 changes nothing, 0 gives the average, a negative one what lies
      beyond it.
    layers: the first ones, coarse to fine, that are moved; 0: all of them.

  Returns:
    [B, L, W].
  """
  centre = centre[None, None]
  moved = centre + psi * (styles - centre)
  count = layers or styles.shape[1]
  which = (jnp.arange(styles.shape[1]) < count)[None, :, None]
  return jnp.where(which, moved, styles)


def resampled(z, key: jax.Array, threshold):
  """A latent whose numbers beyond a threshold are drawn anew until none is.

  The numbers follow the normal law truncated to [-threshold, threshold]; those
  that lie within it stay as they are. Brock et al. 2019,
  https://arxiv.org/abs/1809.11096, section 3.1.

  Args:
    z: [Z], of the standard normal law.
    key: of this latent.
    threshold: [], above 0.
  """
  again = jax.random.fold_in(key, AGAIN)
  own = jax.random.truncated_normal(again, -threshold, threshold, z.shape)
  return jnp.where(jnp.abs(z) > threshold, own, z)


def scaled(z, key: jax.Array, factor):
  """A latent nearer to 0: factor times z [Z]; see `resampled`."""
  del key
  return factor * z


def truncated(
  prior: Callable, change: Callable, amount, *, size: int = 0
) -> Callable:
  """The prior of truncated latents.

  Args:
    prior: key -> latent [Z], or a dict with a latent 'z' [Z] among others,
      which stay as they are.
    change: resampled or scaled.
    amount: of it.
    size: numbers of a latent that it changes, the first ones; what follows are
      codes, which are no noise. 0: all of them.
  """

  def draw(key):
    latent = prior(key)
    is_tree = isinstance(latent, dict)
    z = latent['z'] if is_tree else latent
    count = size or len(z)
    z = jnp.concatenate([change(z[:count], key, amount), z[count:]])
    return {**latent, 'z': z} if is_tree else z

  return draw
