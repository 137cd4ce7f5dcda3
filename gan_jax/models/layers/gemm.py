"""Convolutions as matrix multiplications, for CPU.

XLA's own are slow on CPU in three cases: the kernel gradient of a transposed
convolution, any convolution inside a while loop, and any under vmap over its
kernels. Slices, pads and dots are fast in all of them, and autodiff of any
order is made of the same three. Arguments are those of `convolutions`.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

from gan_jax.models.layers import winograd

# Patches hold every pixel once per tap: of a 3 x 3 convolution of 64 channels
# at 128 x 128, for a batch of 64, they would take gigabytes.
MAX_PATCH_BYTES = 2**29
THIN = 32  # channels, of which a product is slow
MANY = 2  # neighbours of a row at once, where the channels are few


def grouped(x, kernel, strides, padding, groups):
  """A convolution for each group of channels, one after another.

  Patches of one group stay in the cache, and are made again for the gradient:
  those of all groups at once take longer to be read than to be multiplied.
  """
  one = functools.partial(conv, strides=strides, padding=padding)
  if groups == 1:
    return one(x, kernel)
  # [G, B, H, W, C / G], [G, h, w, C / G, O / G] -> [G, B, H', W', O / G]
  split = lambda y: jnp.moveaxis(y.reshape(*y.shape[:3], groups, -1), 3, 0)
  again = jax.checkpoint(lambda own: one(*own), prevent_cse=False)
  y = jnp.moveaxis(lax.map(again, (split(x), split(kernel))), 0, 3)
  return y.reshape(*y.shape[:3], -1)


def _in_parts(copies):
  """Makes one part of a batch after another, where too much would be copied.

  XLA's own, which copies nothing, takes 40 times as long inside a loop.

  Args:
    copies: (x, kernel, strides) -> how many bytes.
  """

  def parted(way, x, kernel, strides, padding):
    parts = -(-copies(x, kernel, strides) // MAX_PATCH_BYTES)
    parts = next((n for n in range(parts, len(x)) if len(x) % n == 0), len(x))
    one = lambda x: way(x, kernel, strides, padding)
    if parts == 1:
      return one(x)
    again = jax.checkpoint(one, prevent_cse=False)
    y = lax.map(again, x.reshape(parts, -1, *x.shape[1:]))
    return y.reshape(-1, *y.shape[2:])

  return lambda way: functools.wraps(way)(functools.partial(parted, way))


def _read(x, kernel, strides):
  """Each pixel, once for each tap of a convolution."""
  taps = (math.ceil(k / s) for k, s in zip(kernel.shape, strides, strict=False))
  return x.nbytes * math.prod(taps)


def _added(x, kernel, strides):
  """What each pixel adds to those that a transposed convolution makes."""
  del strides
  return x.nbytes // x.shape[-1] * (kernel.size // kernel.shape[2])


def _along_columns(way):
  """Makes rows alone columns, which are copied faster."""

  @functools.wraps(way)
  def turned(x, kernel, strides, padding):
    if not kernel.shape[0] > kernel.shape[1] == x.shape[2] == 1:
      return way(x, kernel, strides, padding)
    x, kernel = x.swapaxes(1, 2), kernel.swapaxes(0, 1)
    return way(x, kernel, strides[::-1], padding).swapaxes(1, 2)

  return turned


@_in_parts(_read)
@_along_columns
def conv(x, kernel, strides, padding):
  """A convolution by one product, by some for all taps, or by fewer."""
  x = _padded(x, kernel.shape[:2], strides, padding)
  if winograd.saves(x, kernel, strides):
    return winograd.conv(x, kernel, strides)
  if tuple(strides) == (1, 1):
    return _conv_stride_1(x, kernel)
  return _by_patches(x, kernel, strides)


@_in_parts(_added)
@_along_columns
def conv_transpose(x, kernel, strides, padding):
  """A transposed convolution by one product, or by fewer.

  Each pixel makes what it adds to all that it reaches; a sum of these follows,
  which is the transpose of reading them. So no pixel is computed that the
  padding drops.
  """
  (b, *sizes, channels), (*size, _, features) = x.shape, kernel.shape
  outer = [
    n * s + (max(k - s, 0) if padding == 'VALID' else 0)
    for n, s, k in zip(sizes, strides, size, strict=True)
  ]
  padded = lambda y: _padded(y, size, strides, padding)
  flipped = kernel[::-1, ::-1]
  # Zeros that vary over the same devices as both, unlike those of a shape.
  zero = jnp.zeros_like(x.sum() + kernel.sum())
  zeros = jnp.broadcast_to(zero, (b, *outer, features))
  if winograd.saves(jax.eval_shape(padded, zeros), kernel, strides):
    read = lambda y: winograd.conv(padded(y), flipped, strides, turned=True)
    each = x + zero
  else:
    read = lambda y: _patches(padded(y), size, strides)
    flipped = flipped.transpose(2, 0, 1, 3).reshape(channels, -1)
    each = jnp.dot(x.reshape(-1, channels), flipped).reshape(b, *sizes, -1)
  (y,) = jax.linear_transpose(read, zeros)(each)
  # Summed up once: XLA would do it again in each place that reads the result.
  return lax.optimization_barrier(y)


def _padded(x, size, strides, padding):
  """x [B, H, W, C], as far as a kernel [h, w] reads, in whole blocks."""
  pads = [(0, 0)]
  for n, k, s in zip(x.shape[1:3], size, strides, strict=True):
    out = -(-n // s) if padding == 'SAME' else (n - k) // s + 1
    missing = max((out - 1) * s + k - n, 0) if padding == 'SAME' else 0
    tap = -(-k // s)  # taps left when blocks of s pixels are one
    # A negative pad drops the rows that no tap reads.
    before = missing // 2
    pads.append((before, (out - 1 + tap) * s - n - before))
  return lax.pad(x, _zero(x), [(a, b, 0) for a, b in (*pads, (0, 0))])


def _conv_stride_1(x, kernel):
  """Unpadded, stride 1: [B, H, W, C], [h, w, C, O] -> [B, H-h+1, W-w+1, O].

  A sum over taps, each a shift and a product. What is narrower is shifted: the
  result, if it has few channels, else the input. Only where that has few as
  well, so that a tap's product would be a thin one, all are one product.
  """
  _, _, channels, features = kernel.shape
  if channels < THIN:
    return _neighbours_at_once(x, kernel)
  if 4 * features < channels:
    return _shifted_after(x, kernel)
  return _shifted_before(x, kernel)


def _shifted_before(x, kernel):
  """A product for each tap, with the pixels that it reads."""
  channels, features = kernel.shape[2:]
  # Flat dots of two matrices: XLA runs them twice as fast as the same over
  # three leading axes.
  products = [
    jnp.dot(view.reshape(-1, channels), kernel[at]).reshape(
      *view.shape[:3], features
    )
    for at, view in _views(x, kernel)
  ]
  return functools.reduce(jnp.add, products)


def _shifted_after(x, kernel):
  """One product with all taps, each of whose results is then shifted."""
  h, w, channels, features = kernel.shape
  wide = kernel.transpose(2, 0, 1, 3).reshape(channels, -1)
  y = jnp.dot(x.reshape(-1, channels), wide)
  y = y.reshape(*x.shape[:3], h, w, features)
  return functools.reduce(
    jnp.add, [view[..., *at, :] for at, view in _views(y, kernel)]
  )


def _neighbours_at_once(x, kernel):
  """One product, whose rows have the results of n neighbours of a row each.

  They share most of the pixels that they read. So fewer are copied, for which
  the kernel becomes [h, n + w - 1, C, n O], with zeros where they do not.
  """
  (_, w, channels, features), columns = kernel.shape, x.shape[2]
  columns -= w - 1
  pays = channels >= THIN // MANY and columns >= 4 * MANY
  n = MANY if pays and columns % MANY == 0 else 1
  missing = -(w - 1) % n  # to whole blocks of n pixels
  x = jnp.pad(x, ((0, 0), (0, 0), (0, missing), (0, 0)))
  kept = (0, 0)
  each = [jnp.pad(kernel, (kept, (i, n - 1 - i), kept, kept)) for i in range(n)]
  y = _by_patches(x, jnp.concatenate(each, axis=-1), (1, n))
  return y.reshape(*y.shape[:2], columns, features)


def _by_patches(x, kernel, strides):
  """One product of what all taps read: x [B, s H, r W, C] of whole blocks."""
  flat = _patches(x, kernel.shape[:2], strides)
  y = jnp.dot(
    flat.reshape(-1, flat.shape[-1]), kernel.reshape(flat.shape[-1], -1)
  )
  return y.reshape(*flat.shape[:3], -1)


def _patches(x, size, strides):
  """What a kernel reads: [B, s H, r W, C] -> [B, H', W', h w C].

  Side by side in a row lie the r C numbers of a block, so that runs of them
  are copied, and nothing is rearranged. The last run is as long as the kernel
  is wide.
  """
  (k, m), (s, r), (b, rows, columns, c) = size, strides, x.shape
  x = x.reshape(b, rows // s, s, columns // r, r * c)
  h, w = x.shape[1] - (k - 1) // s, x.shape[3] - (m - 1) // r
  runs = []
  for i in range(0, k, s):
    # Rows of whole blocks, blocks, and then their rows, as the transpose adds
    # them up in this order: XLA merges few and large sums best.
    row = x[:, i // s : i // s + h, : k - i]
    blocks = [
      row[..., j // r : j // r + w, : (m - j) * c] for j in range(0, m, r)
    ]
    each = [jnp.split(block, block.shape[2], 2) for block in blocks]
    runs += [run[:, :, 0] for row in zip(*each, strict=True) for run in row]
  if m % r == 0:  # then stacking is faster than joining
    return jnp.stack(runs, 3).reshape(b, h, w, -1)
  return jnp.concatenate(runs, -1)


def _views(x, kernel):
  """The pixels [B, H', W', ...] that each tap of a kernel reads, by the tap."""
  h, w = kernel.shape[:2]
  rows, columns = x.shape[1] - h + 1, x.shape[2] - w + 1
  for i in range(h):
    # Rows, then their columns, as in _patches.
    row = x[:, i : i + rows]
    for j in range(w):
      yield (i, j), row[:, :, j : j + columns]


def _zero(x):
  return jnp.zeros((), x.dtype)
