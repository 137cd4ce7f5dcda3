"""Convolutions of fewer products: Winograd's minimal filtering, for CPU.

Lavin and Gray 2016, 'Fast Algorithms for Convolutional Neural Networks'
(https://arxiv.org/abs/1509.09308), section 4. Two neighbours of a row share
pixels: with a kernel of r taps they take r + 1 products in place of 2 r, and a
square of four 16 in place of 36 with 3 x 3 taps, 9 in place of 16 with 2 x 2.
What is multiplied are sums and differences of pixels, and of taps. In float32
the results differ from plain ones by some 1e-6 of the largest.

All of it is sums and dots, so autodiff of any order is made of the same.
"""

import jax.numpy as jnp
from jax import lax

from gan_jax.models.layers import phases

WIDE = 16  # channels, of which products take longer than sums of pixels
MANY = 256  # pixels, with which they take longer than sums of taps
# Multiplications of a plain convolution. Below, it takes a thousand steps to
# gain what the larger program takes to compile.
LEAST = 2**26


def saves(x, kernel, strides) -> bool:
  """Whether `conv` is for these, is faster, and is exact enough.

  Args:
    x: [B, H, W, C] in shape and dtype, what the kernel reads, padding included.
    kernel: [h, w, C, O], or [h, w, O, C].
    strides: of rows and columns.
  """
  (h, w, *channels), (s, r) = kernel.shape, strides
  fits = (h, w) in ((2 * s, 2 * r), (3 * s, 3 * r))
  exact = jnp.finfo(x.dtype).bits >= 32
  pixels = (
    x.shape[0] * ((x.shape[1] - h) // s + 1) * ((x.shape[2] - w) // r + 1)
  )
  pays = min(channels) >= WIDE and pixels >= MANY
  return fits and exact and pays and pixels * kernel.size >= LEAST


def conv(x, kernel, strides, *, turned=False):
  """A convolution without padding.

  Args:
    x: [B, s (H + t - 1), r (W + t - 1), C].
    kernel: [s t, r t, C, O], with t = 2 or 3.
    strides: (s, r).
    turned: the kernel is [s t, r t, O, C].

  Returns:
    [B, H, W, O].
  """
  taps = len(kernel) // strides[0]
  # [t, t, s, r, C, O] -> [t, t, s r C, O], or [t, t, O, s r C].
  kernel = phases.blocks_of_kernel(kernel, (taps, taps), strides)
  sizes = (kernel.shape[-2], -1) if turned else (-1, kernel.shape[-1])
  kernel = jnp.moveaxis(kernel, -2, 2) if turned else kernel
  kernel = kernel.reshape(taps, taps, *sizes)
  return _conv_stride_1(phases.space_to_depth(x, strides), kernel, turned)


def _conv_stride_1(x, kernel, turned):
  b, *sizes, channels = x.shape
  h, w = (n - len(kernel) + 1 for n in sizes)
  tall, wide = -(-h // 2), -(-w // 2)  # in squares of four
  more = 2 * tall + 2 - sizes[0], 2 * wide + 2 - sizes[1]
  x = jnp.pad(x, [(0, 0), (0, more[0]), (0, more[1]), (0, 0)])

  def product(pixels, weights):
    # By a turned kernel as it is: large ones are slow to be transposed.
    summed, alike = ((1,), (1 if turned else 0,)), ((), ())
    pixels = pixels.reshape(-1, channels)
    y = lax.dot_general(pixels, weights, (summed, alike))
    return y.reshape(b, tall, wide, -1)

  columns = [
    _results([product(*pair) for pair in _factors(pixels, weights, axis=2)])
    for pixels, weights in _factors(x, kernel, axis=1)
  ]
  quarters = zip(*map(_results, zip(*columns, strict=True)), strict=True)
  y = jnp.stack([jnp.stack(row, 3) for row in quarters], 2)
  return y.reshape(b, 2 * tall, 2 * wide, -1)[:, :h, :w]


def _factors(x, kernel, axis):
  """What is to be multiplied along an axis of x, for t taps.

  Args:
    x: 2 (n + 1) pixels along the axis.
    kernel: [t, ...].

  Returns:
    t + 1 pairs: of n pixels along the axis, and of [...].
  """
  pairs = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
  first, second = (lax.index_in_dim(pairs, i, axis + 1, False) for i in (0, 1))
  from_pair = lambda y, i: lax.slice_in_dim(
    y, i, y.shape[axis] - 1 + i, axis=axis
  )
  a, b, c, d = (from_pair(y, i) for i in (0, 1) for y in (first, second))
  if len(kernel) == 2:
    k, m = kernel
    return zip((a - b, b, b - c), (k, k + m, m), strict=True)
  k, m, n = kernel
  pixels = a - c, b + c, c - b, b - d
  weights = k, (k + m + n) / 2, (k - m + n) / 2, n
  return zip(pixels, weights, strict=True)


def _results(products):
  """Of two neighbours, from their t + 1 products."""
  a, b, c, *d = products
  return (a + b + c, b - c - d[0]) if d else (a + b, b - c)
