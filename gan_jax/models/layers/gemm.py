"""Convolutions as matrix multiplications, for CPU; elsewhere XLA's own.

XLA's own are slow on CPU in three cases: the kernel gradient of a transposed
convolution, any convolution inside a while loop, and any under vmap over its
kernels. Slices, pads and dots are fast in all of them, and autodiff of any
order is made of the same three.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
from jax import lax

# Patches hold every pixel once per tap; beyond this XLA's own is the lesser
# evil (a 3x3 convolution of 64 channels at 128x128 would take gigabytes).
MAX_PATCH_BYTES = 2**29
THIN = 32  # channels, of which a product is slow
MANY = 4  # neighbours of a row at once, where the channels are few
_LAYOUT = ('NHWC', 'HWIO', 'NHWC')


def conv(x, kernel, strides=(1, 1), padding='SAME', groups=1):
  """Convolution as lax.conv_general_dilated.

  Args:
    x: [B, H, W, C].
    kernel: [h, w, C / groups, O].
    strides: of rows and columns.
    padding: 'SAME' or 'VALID'.
    groups: of channels, each seen by as many of the outputs and no others.

  Returns:
    [B, H', W', O].
  """
  native = functools.partial(
    lax.conv_general_dilated,
    window_strides=strides,
    padding=padding,
    dimension_numbers=_LAYOUT,
    feature_group_count=groups,
  )
  gemm = functools.partial(
    gemm_grouped, strides=strides, padding=padding, groups=groups
  )
  return _fastest(gemm, native, x, kernel, strides)


def conv_transpose(x, kernel, strides, padding='SAME'):
  """Transposed convolution as lax.conv_transpose; arguments as for conv.

  Along one axis XLA's own is slow everywhere (a GPU: 2,000 times as long as the
  convolution, https://github.com/jax-ml/jax/issues/23783): there it is one
  convolution to as many more channels, and a reshape.
  """
  options = {'strides': strides, 'padding': padding}
  gemm = functools.partial(gemm_conv_transpose, **options)
  native = functools.partial(
    lax.conv_transpose, dimension_numbers=_LAYOUT, **options
  )
  if x.shape[2] == kernel.shape[1] == 1:
    native = functools.partial(gemm, dot=_xla_stride_1)
  return _fastest(gemm, native, x, kernel, strides)


def conv_of_doubled(x, pairs):
  """A 3 x 3 that keeps the size, of `resampling.doubled(x)`: 4/9 of its work.

  Each pixel of a square of four sees but 2 x 2 pixels of the coarse grid, by
  sums of the kernel's rows and columns. All four at once are a transposed
  convolution, which is one convolution to four times as many channels.

  Args:
    x: [B, H, W, C].
    pairs: [4, 4, C, O], the kernel by `in_pairs`.

  Returns:
    [B, 2 H, 2 W, O].
  """
  how = {'strides': (2, 2), 'padding': 'SAME'}
  gemm = functools.partial(gemm_conv_transpose, **how)
  native = functools.partial(gemm, dot=_xla_stride_1)
  return _fastest(gemm, native, x, pairs, (2, 2))


def halved_conv(x, pairs):
  """A 3 x 3 that keeps the size, `resampling.halved`: 4/9 of the work.

  The mean of four neighbours sees 4 x 4 pixels: a convolution of stride 2.

  Args:
    x: [B, H, W, C].
    pairs: [4, 4, C, O], the kernel by `in_pairs`.

  Returns:
    [B, H // 2, W // 2, O].
  """
  y = conv(x, pairs / 4, strides=(2, 2))
  return y[:, : x.shape[1] // 2, : x.shape[2] // 2]  # without an odd last one


def in_pairs(kernel):
  """Sums over squares of four: [h, w, C, O] -> [h + 1, w + 1, C, O]."""
  edges, kept = ((0, 1), (1, 0)), (0, 0)
  kernel = sum(jnp.pad(kernel, (edge, kept, kept, kept)) for edge in edges)
  return sum(jnp.pad(kernel, (kept, edge, kept, kept)) for edge in edges)


def _fastest(gemm, native, x, kernel, strides):
  """The one place that chooses; the platform is that of the compilation."""
  taps = [-(-k // s) for k, s in zip(kernel.shape, strides, strict=False)]
  if x.nbytes * taps[0] * taps[1] > MAX_PATCH_BYTES:
    return native(x, kernel)
  return lax.platform_dependent(x, kernel, cpu=gemm, default=native)


def gemm_grouped(x, kernel, strides, padding, groups):
  """A convolution for each group of channels; see conv."""
  one = functools.partial(gemm_conv, strides=strides, padding=padding)
  if groups == 1:
    return one(x, kernel)
  # [B, H, W, G, C / G], [h, w, C / G, G, O / G] -> [B, H', W', G, O / G]
  split = lambda y: y.reshape(*y.shape[:3], groups, -1)
  y = jax.vmap(one, (3, 3), 3)(split(x), split(kernel))
  return y.reshape(*y.shape[:3], -1)


def gemm_conv(x, kernel, strides, padding):
  """Convolution by dots; see conv."""
  if kernel.shape[0] > kernel.shape[1] == x.shape[2] == 1:
    # Along rows alone: made columns, which are copied faster.
    x, kernel = jnp.swapaxes(x, 1, 2), jnp.swapaxes(kernel, 0, 1)
    y = gemm_conv(x, kernel, strides[::-1], padding)
    return jnp.swapaxes(y, 1, 2)
  pads = [(0, 0)]
  for size, k, s in zip(x.shape[1:3], kernel.shape, strides, strict=False):
    out = -(-size // s) if padding == 'SAME' else (size - k) // s + 1
    missing = max((out - 1) * s + k - size, 0) if padding == 'SAME' else 0
    tap = -(-k // s)  # taps left when blocks of s pixels are one
    # A negative pad drops the rows that no tap reads.
    before = missing // 2
    pads.append((before, (out - 1 + tap) * s - size - before))
  x = lax.pad(x, _zero(x), [(a, b, 0) for a, b in (*pads, (0, 0))])
  if tuple(strides) == (1, 1):
    return _conv_stride_1(x, kernel)
  return _by_patches(x, kernel, strides)


def gemm_conv_transpose(x, kernel, strides, padding, dot=None):
  """Transposed convolution: one dot, then depth-to-space; see conv."""
  taps = [-(-k // s) for k, s in zip(kernel.shape, strides, strict=False)]
  # y[s q + r] = sum_t x[q - t] flipped_kernel[s t + r]
  flipped = _blocks_of_kernel(kernel[::-1, ::-1], taps, strides)
  phases = flipped[::-1, ::-1].transpose(0, 1, 4, 2, 3, 5)  # [t, u, C, s, r, O]
  phases = phases.reshape(*taps, x.shape[-1], -1)
  edge = [(0, 0), *((t - 1, t - 1) for t in taps), (0, 0)]
  y = (dot or _conv_stride_1)(jnp.pad(x, edge), phases)
  y = _depth_to_space(y, strides)
  rows, columns = (
    _kept(size, k, s, padding)
    for size, k, s in zip(x.shape[1:3], kernel.shape, strides, strict=False)
  )
  return y[:, rows, columns]


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
  """One product of what all taps read: x [B, s H, r W, C] of whole blocks.

  Side by side in a row lie the r C numbers of a block, so that each tap of a
  row copies runs of them, and nothing is rearranged. The last run is as long as
  the kernel is wide.
  """
  (s, r), (b, rows, columns, c) = strides, x.shape
  k, m = kernel.shape[:2]
  taps = k, -(-m // r)
  x = x.reshape(b, rows // s, s, columns // r, r * c)
  h, w = rows // s - (k - 1) // s, columns // r - taps[1] + 1
  views = [
    x[:, i // s : i // s + h, i % s, j : j + w, : (m - j * r) * c]
    for i, j in itertools.product(*map(range, taps))
  ]
  alike = m % r == 0  # then stacking is faster than joining
  flat = jnp.stack(views, 3) if alike else jnp.concatenate(views, -1)
  flat = flat.reshape(b * h * w, -1)
  return jnp.dot(flat, kernel.reshape(flat.shape[1], -1)).reshape(b, h, w, -1)


def _views(x, kernel):
  """The pixels [B, H', W', ...] that each tap of a kernel reads, by the tap."""
  h, w = kernel.shape[:2]
  rows, columns = x.shape[1] - h + 1, x.shape[2] - w + 1
  for i, j in itertools.product(range(h), range(w)):
    yield (i, j), x[:, i : i + rows, j : j + columns]


def _xla_stride_1(x, kernel):
  """The same by XLA."""
  return lax.conv_general_dilated(
    x, kernel, (1, 1), 'VALID', dimension_numbers=_LAYOUT
  )


def _blocks_of_kernel(kernel, taps, strides):
  """[h, w, C, O] -> [t, u, s, r, C, O], padded by zeros to whole blocks."""
  (t, u), (s, r) = taps, strides
  (h, w), channels = kernel.shape[:2], kernel.shape[2:]
  pads = ((0, t * s - h), (0, u * r - w), (0, 0), (0, 0))
  kernel = jnp.pad(kernel, pads).reshape(t, s, u, r, *channels)
  return kernel.transpose(0, 2, 1, 3, 4, 5)


def _depth_to_space(x, strides):
  """[B, H, W, s r C] -> [B, s H, r W, C]."""
  (s, r), (b, h, w, _) = strides, x.shape
  x = x.reshape(b, h, w, s, r, -1).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(b, s * h, r * w, -1)


def _kept(size, k, s, padding):
  """The part of the full transposed convolution that the padding keeps."""
  if padding == 'VALID':
    return slice(0, size * s + max(k - s, 0))
  before = k - 1 if s > k - 1 else -(-(k + s - 2) // 2)
  return slice(k - 1 - before, k - 1 - before + size * s)


def _zero(x):
  return jnp.zeros((), x.dtype)
