"""CutMix: a box of each image is that of another one, of the same kind.

Zhao et al. 2020, Image Augmentations for GAN Training
(https://arxiv.org/abs/2006.02595), try it on reals and fakes alike; the box is
that of Yun et al. 2019 (https://arxiv.org/abs/1905.04899), equation 2: its
sides are sqrt(1 - l) of the image's, l ~ U(0, 1), its centre is anywhere, and
what leaves the image is cut off. Reals are mixed with reals and fakes with
fakes, each with the next one of the global batch (with microbatches, of its
part), which is in random order. A label stays that of the image around.

A penalty's critic sees whole images: no example may see another one there.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import checks

WHOLE_BATCH = True


def apply(
  x: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  p: float = 0.5,
  axis_name: str | None = None,
) -> jax.Array:
  """Mixes images.

  Args:
    x: images [B, H, W, C].
    memo: unused.
    key: one for each example [B].
    p: probability that an image is mixed.
    axis_name: mesh axis over which the batch is spread, if it is.

  Returns:
    [B, H, W, C].

  Raises:
    UserError: samples that are no images.
  """
  del memo
  checks.check_images('cutmix', x)
  boxes = jax.vmap(lambda key: _box(key, p, x.shape[1:3]))(key)  # [B, H, W]
  return jnp.where(boxes[..., None], _next(x, axis_name), x)


def _box(key, p, size):
  """Whether each pixel [H, W] is within the box of a sample."""
  gate, area, *centre = jax.random.split(key, 4)
  side = jnp.sqrt(jax.random.uniform(area))  # l and 1 - l are alike
  side = jnp.where(jax.random.uniform(gate) < p, side, 0)
  rows, columns = (
    _within(n, side, jax.random.uniform(own))
    for n, own in zip(size, centre, strict=True)
  )
  return rows[:, None] & columns[None, :]


def _within(n, side, centre):
  """Which of n pixels are nearer to the centre than half of a side."""
  return jnp.abs((jnp.arange(n) + 0.5) / n - centre) < side / 2


def _next(x, axis_name):
  """The next example for each one, and the first for the last."""
  first = x[:1]
  if axis_name is not None:
    count = jax.lax.axis_size(axis_name)
    # Each device has examples that follow those of the one before.
    pairs = [(i, (i - 1) % count) for i in range(count)]
    first = jax.lax.ppermute(first, axis_name, pairs)
  return jnp.concatenate([x[1:], first])


def check(flag: str, options: dict):
  """Refuses what is no probability; UserError."""
  checks.check_range(flag, options, 1, 'p')
