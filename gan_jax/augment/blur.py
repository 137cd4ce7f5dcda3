"""Blurred images, of what D is shown, real and fake alike.

The code of Karras et al. 2021 (https://arxiv.org/abs/2106.12423) has it in the
beginning of the training of StyleGAN3-R, so that D does not judge fine detail
before there is any: sigma falls from 10 to 0 by a line. Rows and columns are
filtered by

  f_i = 2^(-(i / sigma)^2),   |i| <= floor(3 sigma),

divided by its sum; beyond the image all is 0, the middle of model range.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import UserError


def kernel(sigma: jax.Array, reach: int) -> jax.Array:
  """The filter [1 + reach] from its middle on; without a blur 1, 0, 0, ...

  Args:
    sigma: pixels [], 0 or more.
    reach: taps on each side; the filter is cut there.
  """
  at = jnp.arange(1 + reach, dtype=jnp.float32)
  f = jnp.exp2(-jnp.square(at / jnp.maximum(sigma, 1e-6)))
  f = jnp.where(at <= jnp.floor(3 * sigma), f, 0.0)
  return f / (2 * f.sum() - f[0])


def _matrix(f, size):
  """[size, size]: each place's weight in the blurred others."""
  place = jnp.arange(size)
  apart = jnp.abs(place[:, None] - place[None])
  return jnp.where(apart < len(f), f[jnp.minimum(apart, len(f) - 1)], 0.0)


def apply(
  x: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  sigma: float = 10.0,
  reach: int = 30,
) -> jax.Array:
  """Blurs images.

  Args:
    x: images [B, H, W, C].
    memo: unused.
    key: unused, nothing is random.
    sigma: pixels; a schedule lets it fall. Below 1/3 there is no blur.
    reach: pixels at which the filter is cut; 3 sigma is as far as it goes.

  Returns:
    [B, H, W, C].

  Raises:
    UserError: samples that are no images, or a reach below 0.
  """
  del memo, key
  if x.ndim != 4:
    raise UserError(
      f'augment.name=blur: expected images [B, H, W, C], not {x.shape}.'
    )
  if reach < 0:
    raise UserError(f'augment.reach={reach}: expected at least 0.')
  f = kernel(sigma, reach)

  def blurred(x):
    rows, columns = (_matrix(f, size).astype(x.dtype) for size in x.shape[1:3])
    # Exact, whatever the device thinks of products: most weights are small.
    own = {'precision': jax.lax.Precision.HIGHEST}
    x = jnp.einsum('ij,bjwc->biwc', rows, x, **own)
    return jnp.einsum('ij,bhjc->bhic', columns, x, **own)

  return jax.lax.cond(3 * jnp.asarray(sigma) >= 1, blurred, lambda x: x, x)
