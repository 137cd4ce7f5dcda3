"""Images moved by affine maps: Karras et al. 2020, appendix B.1.

https://arxiv.org/abs/2006.06676. All transforms of a sample are one matrix, by
which the image is resampled once, without aliases: reflected beyond its edges,
made twice as fine by the wavelet sym6, read between its pixels (bilinear), and
made half as fine again by the same filter.

The authors reflect as far as the batch needs, at most to the whole image. Here
it is the whole image on all sides for every batch, which gives the same pixels
by arrays of a fixed size.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.augment.shared import affine
from gan_jax.augment.shared.draws import (
  power_of_two,
  two_normal,
  two_uniform,
  uniform,
  whole,
)
from gan_jax.augment.shared.wavelets import SYM6

TAPS = SYM6 / SYM6.sum()
EDGE = len(TAPS) // 4  # pixels around the image that the filter asks for


def blit(draw: Callable, height: int, width: int) -> jax.Array:
  """Pixels that change places: flip, quarter turns, whole steps.

  Args:
    draw: see draws.Draws.
    height: of the image in pixels.
    width: likewise.

  Returns:
    [3, 3]: from a place in the new image to one in the old, in pixels from the
    centre.
  """
  mirrored = draw('xflip', whole(2), 0)
  quarters = draw('rotate90', whole(4), 0)
  size = jnp.array([width, height], jnp.float32)
  by = draw('xint', two_uniform(-0.125, 0.125), 0)
  steps = jnp.round(by * size)
  return affine.product(
    affine.scale(1 - 2 * mirrored, 1),
    affine.rotate(jnp.pi / 2 * quarters),
    affine.translate(-steps[0], -steps[1]),
  )


def geom(draw: Callable, height: int, width: int) -> jax.Array:
  """Scale, turn, stretch along a random axis, steps of any length; see blit."""
  size = draw('scale', power_of_two(0.2), 1)
  before, after = (draw(name, _angle, 0) for name in ROTATIONS)
  stretch = draw('aniso', power_of_two(0.2), 1)
  by = draw('xfrac', two_normal(0.125), 0)
  return affine.product(
    affine.scale(1 / size, 1 / size),
    affine.rotate(before),
    affine.scale(1 / stretch, stretch),
    affine.rotate(after),
    affine.translate(-by[0] * width, -by[1] * height),
  )


ROTATIONS = ('rotate_before', 'rotate_after')
_angle = uniform(-np.pi, np.pi)


def warp(x: jax.Array, inverse: jax.Array) -> jax.Array:
  """The image seen through an affine map.

  Args:
    x: image [H, W, C].
    inverse: [3, 3], see blit.
  """
  height, width = x.shape[:2]
  fine = _along(x, _finer(height), _finer(width))
  rows, columns = (
    (jnp.arange(2 * (n + 2 * EDGE)) + 1) / 2 - (n + 2 * EDGE) / 2
    for n in (height, width)
  )
  at_x, at_y = (
    row[0] * columns[None, :] + row[1] * rows[:, None] + row[2]
    for row in inverse[:2]
  )
  place = lambda w, size: 2 * w + (size / 2 - 1)  # from the centre, and half
  seen = _between(fine, place(at_y, fine.shape[0]), place(at_x, fine.shape[1]))
  return _along(seen, _coarser(height), _coarser(width))


def _along(x, rows, columns):
  """[N, H] and [M, W] applied to the rows and columns of x [H, W, C]."""
  # One plain product after another: CPUs are slow at any other order.
  x = affine.product(jnp.transpose(x, (2, 1, 0)), rows.T)  # [C, W, N]
  x = affine.product(x.swapaxes(1, 2), columns.T)  # [C, N, M]
  return jnp.transpose(x, (1, 2, 0))


def _between(x, rows, columns):
  """x [H, W, C] at places [N, M], bilinear; 0 beyond its edges."""
  top, left = jnp.floor(rows), jnp.floor(columns)

  def corner(down, right):
    row, column = top + down, left + right
    weight = (1 - jnp.abs(rows - row)) * (1 - jnp.abs(columns - column))
    inside = (row >= 0) & (row < x.shape[0])
    inside &= (column >= 0) & (column < x.shape[1])
    place = lambda i, n: jnp.clip(i, 0, n - 1).astype(jnp.int32)
    taken = x[place(row, x.shape[0]), place(column, x.shape[1])]
    return jnp.where(inside, weight, 0)[..., None] * taken

  return sum(corner(down, right) for down in (0, 1) for right in (0, 1))


@functools.cache
def _finer(n):
  """[2 N, n]: reflects n pixels to N = 3 n - 2, twice as fine.

  y[j] = 2 sum_k taps[k] z[j + 5 - k], z being the pixels with zeros between.
  """
  reflected = np.pad(np.arange(n), n - 1, mode='reflect' if n > 1 else 'edge')
  made = np.zeros((2 * len(reflected), n))
  for j in range(len(made)):
    for k, tap in enumerate(TAPS):
      pixel, between = divmod(j + len(TAPS) // 2 - 1 - k, 2)
      if not between and 0 <= pixel < len(reflected):
        made[j, reflected[pixel]] += 2 * tap
  return made.astype(np.float32)


@functools.cache
def _coarser(n):
  """[n, 2 (n + 2 EDGE)]: half as fine, without the pixels around."""
  made = np.zeros((n, 2 * (n + 2 * EDGE)))
  for q in range(n):
    made[q, 2 * q + 1 : 2 * q + 1 + len(TAPS)] = TAPS
  return made.astype(np.float32)
