"""DiffAugment: differentiable colours, shifts and holes, always.

Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training
(https://arxiv.org/abs/2006.10738), with the constants and the order of the
authors' code; each operation is drawn once for a sample:

  color        brightness + U(-.5, .5); saturation: times U(0, 2) about the
               mean of a pixel's channels; contrast: times U(.5, 1.5) about the
               mean of the image
  translation  by whole pixels, up to 1/8 of each side, zeros moving in
  cutout       a hole of half the sides, whose centre is anywhere

The saturation of a single channel is 0, and stays so.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import checks

POLICY = ('color', 'translation', 'cutout')


def apply(
  x: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  policy: tuple | str = POLICY,
  translation: float = 0.125,
  cutout: float = 0.5,
) -> jax.Array:
  """Shows images through the operations.

  Args:
    x: images [B, H, W, C] in model range.
    memo: unused.
    key: one for each example [B].
    policy: the operations, in the order in which they are done.
    translation: the longest shift, as a part of the sides.
    cutout: the hole's sides, as a part of the image's.

  Returns:
    [B, H, W, C].

  Raises:
    UserError: samples that are no images, an operation that there is not.
  """
  del memo
  checks.check_images('diffaugment', x)
  policy = checks.names_of('augment.policy', policy, POLICY)
  steps = {
    'color': _color,
    'translation': lambda x, key: _translation(x, key, translation),
    'cutout': lambda x, key: _cutout(x, key, cutout),
  }

  def one(x, key):
    for name in policy:
      x = steps[name](x, jax.random.fold_in(key, POLICY.index(name)))
    return x

  return jax.vmap(one)(x, key)


def _color(x, key):
  brightness, saturation, contrast = jax.random.uniform(key, (3,), x.dtype)
  return colored(x, brightness - 0.5, 2 * saturation, contrast + 0.5)


def colored(x: jax.Array, brightness, saturation, contrast) -> jax.Array:
  """An image [H, W, C] in other colours.

  Args:
    x: image.
    brightness: is added.
    saturation: factor about the mean of each pixel's channels.
    contrast: factor about the mean of the image.
  """
  x = x + brightness
  gray = x.mean(axis=-1, keepdims=True)
  x = (x - gray) * saturation + gray
  return (x - x.mean()) * contrast + x.mean()


def _translation(x, key, part):
  by = []
  for n, own in zip(x.shape[:2], jax.random.split(key), strict=True):
    most = jnp.floor(n * part + 0.5).astype(jnp.int32)
    by.append(jax.random.randint(own, (), -most, most + 1))
  return moved(x, *by)


def moved(x: jax.Array, down, right) -> jax.Array:
  """An image [H, W, C] whose pixel (i, j) was (i + down, j + right), or 0."""
  for axis, by in enumerate((down, right)):
    n = x.shape[axis]
    place = jnp.arange(n) + by
    taken = jnp.take(x, jnp.clip(place, 0, n - 1), axis=axis)
    inside = jnp.expand_dims((place >= 0) & (place < n), (1 - axis, 2))
    x = jnp.where(inside, taken, 0)
  return x


def _cutout(x, key, part):
  centre, sizes = [], []
  for n, own in zip(x.shape[:2], jax.random.split(key), strict=True):
    sizes.append(jnp.floor(n * part + 0.5).astype(jnp.int32))
    centre.append(jax.random.randint(own, (), 0, n + 1 - sizes[-1] % 2))
  return cut(x, centre, sizes)


def cut(x: jax.Array, centre, sizes) -> jax.Array:
  """An image [H, W, C] with a hole of zeros, which may leave it.

  Args:
    x: image.
    centre: (row, column); of an even number of rows, the one after the middle.
    sizes: (rows, columns) of the hole.
  """
  rows, columns = (
    (jnp.arange(n) >= at - size // 2) & (jnp.arange(n) < at + (size + 1) // 2)
    for n, at, size in zip(x.shape[:2], centre, sizes, strict=True)
  )
  hole = rows[:, None] & columns[None, :]
  return jnp.where(hole[..., None], 0, x)


def check(flag: str, options: dict):
  """Refuses parts of an image's sides that there are not; UserError."""
  checks.check_range(flag, options, 1, 'translation', 'cutout')
