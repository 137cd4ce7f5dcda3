"""Transposed convolutions without zeros between the pixels, for accelerators.

The pixels of an output that lie a stride apart see the same taps: each such
phase is a convolution, and all of them together are one, to as many times more
channels, whose results are then set side by side.
"""

import jax.numpy as jnp
from jax import lax

LAYOUT = 'NHWC', 'HWIO', 'NHWC'


def conv_transpose(x, kernel, strides, padding):
  """Transposed convolution as lax.conv_transpose.

  Args:
    x: [B, H, W, C].
    kernel: [h, w, C, O].
    strides: of rows and columns.
    padding: 'SAME' or 'VALID'.

  Returns:
    [B, H', W', O].
  """
  taps = [-(-k // s) for k, s in zip(kernel.shape, strides, strict=False)]
  # y[s q + r] = sum_t x[q - t] flipped_kernel[s t + r]
  flipped = blocks_of_kernel(kernel[::-1, ::-1], taps, strides)
  phases = flipped[::-1, ::-1].transpose(0, 1, 4, 2, 3, 5)  # [t, u, C, s, r, O]
  phases = phases.reshape(*taps, x.shape[-1], -1)
  edge = [(0, 0), *((t - 1, t - 1) for t in taps), (0, 0)]
  y = lax.conv_general_dilated(
    jnp.pad(x, edge), phases, (1, 1), 'VALID', dimension_numbers=LAYOUT
  )
  y = _depth_to_space(y, strides)
  rows, columns = (
    _kept(size, k, s, padding)
    for size, k, s in zip(x.shape[1:3], kernel.shape, strides, strict=False)
  )
  return y[:, rows, columns]


def blocks_of_kernel(kernel, taps, strides):
  """[h, w, C, O] -> [t, u, s, r, C, O], padded by zeros to whole blocks."""
  (t, u), (s, r) = taps, strides
  (h, w), channels = kernel.shape[:2], kernel.shape[2:]
  pads = ((0, t * s - h), (0, u * r - w), (0, 0), (0, 0))
  kernel = jnp.pad(kernel, pads).reshape(t, s, u, r, *channels)
  return kernel.transpose(0, 2, 1, 3, 4, 5)


def space_to_depth(x, strides):
  """[B, s H, r W, C] -> [B, H, W, s r C]."""
  (s, r), (b, h, w, _) = strides, x.shape
  x = x.reshape(b, h // s, s, w // r, r, -1).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(b, h // s, w // r, -1)


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
