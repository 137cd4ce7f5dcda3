"""Horizontal flips of images, of what D is shown, real and fake alike.

One half of all samples is mirrored, in the updates of all players: T of Zhao
et al. 2020 (https://arxiv.org/abs/2006.10738), Section 3.1. Unlike data.flip,
which adds mirrored examples to the data, G does not learn to make them so.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import checks


def apply(
  x: jax.Array, memo: Any, *, key: jax.Array, p: float = 0.5
) -> jax.Array:
  """Mirrors images.

  Args:
    x: images [B, H, W, C].
    memo: unused.
    key: one for each example [B].
    p: probability that an image is mirrored.

  Returns:
    [B, H, W, C].

  Raises:
    UserError: samples that are no images.
  """
  del memo
  checks.check_images('flip', x)
  mirrored = jax.vmap(lambda key: jax.random.uniform(key) < p)(key)  # [B]
  return jnp.where(mirrored[:, None, None, None], x[:, :, ::-1], x)


def check(flag: str, options: dict):
  """Refuses what is no probability; UserError."""
  checks.check_range(flag, options, 1, 'p')
