"""Finite impulse responses: grids resampled without aliases.

Zhang 2019, https://arxiv.org/abs/1904.11486; Karras et al. 2020 and 2021,
https://arxiv.org/abs/1912.04958 and https://arxiv.org/abs/2106.12423. Filters
are constants in float32 (NumPy); a grid is zero beyond its edge.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_jax.models.layers import convolutions

SMOOTH = np.array([1, 3, 3, 1], np.float32) / 8  # of sum 1


def upfirdn(x, taps, *, up: int = 1, down: int = 1, pads=((0, 0), (0, 0))):
  """Inserts zeros, pads, convolves, keeps every n-th place.

  Args:
    x: [B, H, W, C].
    taps: [N], along rows and columns alike, or [N, M].
    up: how many times as fine the grid becomes: up - 1 zeros follow each place.
    down: of how many places one is kept, the first among them.
    pads: of the finer grid's rows and columns, (before, after); what is
      negative is cut away.

  Returns:
    [B, H', W', C], H' = ceil((up H + before + after - N + 1) / down).
  """
  if taps.ndim == 2:
    return _convolved(x, taps, (up, up), (down, down), pads)
  rows, columns = (pads[0], (0, 0)), ((0, 0), pads[1])
  x = _along(1, x, taps[:, None], (up, 1), (down, 1), rows)
  return _along(2, x, taps[None], (1, up), (1, down), columns)


def _along(axis, x, taps, up, down, pads):
  """Of one axis. XLA's depthwise convolutions are slow on CPU, sums are not."""
  how = {'taps': taps, 'up': up, 'down': down, 'pads': pads}
  return lax.platform_dependent(
    x,
    cpu=functools.partial(_summed, axis, **how),
    default=functools.partial(_convolved, **how),
  )


def _summed(axis, x, taps, up, down, pads):
  """The grid times each tap, shifted, added up in float32."""
  (before, after), n = pads[axis - 1], up[axis - 1]
  edges = [(0, 0, 0)] * 4
  edges[axis] = (before, after + n - 1, n - 1)
  wide = lax.pad(x.astype(jnp.float32), jnp.float32(0), edges)
  stride, taps = down[axis - 1], taps.ravel()[::-1]
  last = (wide.shape[axis] - len(taps)) // stride * stride
  parts = (
    float(tap) * lax.slice_in_dim(wide, i, i + last + 1, stride, axis)
    for i, tap in enumerate(taps)
  )
  return sum(parts).astype(x.dtype)


def _convolved(x, taps, up, down, pads):
  """By a plane of taps: one depthwise convolution."""
  channels = x.shape[-1]
  kernel = jnp.asarray(taps[::-1, ::-1, None, None], x.dtype)
  return lax.conv_general_dilated(
    x,
    jnp.tile(kernel, (1, 1, 1, channels)),
    window_strides=down,
    # The dilation inserts no zeros after the last place.
    padding=[(a, b + n - 1) for (a, b), n in zip(pads, up, strict=True)],
    lhs_dilation=up,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    feature_group_count=channels,
  )


def doubled(x):
  """[B, H, W, C] -> [B, 2 H, 2 W, C], smooth."""
  return upfirdn(x, 2 * SMOOTH, up=2, pads=((2, 1), (2, 1)))


def halved(x):
  """[B, H, W, C] -> [B, H // 2, W // 2, C], smooth."""
  return upfirdn(x, SMOOTH, down=2, pads=((1, 1), (1, 1)))


def padded(x):
  """Smooth, and larger by what a 3 x 3 convolution of stride 2 needs.

  [B, H, W, C] -> [B, H + 1, W + 1, C].
  """
  return upfirdn(x, SMOOTH, pads=((2, 2), (2, 2)))


def conv_doubled(x, kernel):
  """A convolution of 3 x 3 on a grid of zeros between the places, smoothed.

  Args:
    x: [B, H, W, C].
    kernel: [3, 3, C, O].

  Returns:
    [B, 2 H, 2 W, O].
  """
  # [B, 2 H + 1, 2 W + 1, O]
  x = convolutions.conv_transpose(x, kernel, (2, 2), 'VALID')
  return upfirdn(x, 2 * SMOOTH, pads=((1, 1), (1, 1)))


def low_pass(
  taps: int, *, cutoff: float, width: float, rate: float, radial: bool = False
):
  """A Kaiser-windowed low-pass filter of sum 1.

  Karras et al. 2021, https://arxiv.org/abs/2106.12423, section 3.1 and
  appendix C.

  Args:
    taps: how many, along each axis.
    cutoff: the frequency that is halved.
    width: of the transition band about it.
    rate: places per unit of length.
    radial: whether the frequencies kept fill a disc, not a square.

  Returns:
    [taps], or [taps, taps] if radial; float32.
  """
  from scipy import signal, special

  if not radial:
    band = {'cutoff': cutoff, 'width': width, 'fs': rate}
    return signal.firwin(taps, **band).astype(np.float32)
  x = (np.arange(taps) - (taps - 1) / 2) / rate
  radius = np.pi * np.hypot(x[:, None], x)
  jinc = special.j1(2 * cutoff * radius) / radius
  beta = signal.kaiser_beta(signal.kaiser_atten(taps, 2 * width / rate))
  window = np.kaiser(taps, beta)
  plane = jinc * np.outer(window, window)
  return (plane / plane.sum()).astype(np.float32)
