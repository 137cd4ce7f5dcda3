"""Convolutions, each by what is fastest where it runs."""

import functools

import jax.numpy as jnp
from jax import lax

from gan_jax.models.layers import gemm, phases


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
    dimension_numbers=phases.LAYOUT,
    feature_group_count=groups,
  )
  dots = functools.partial(
    gemm.grouped, strides=strides, padding=padding, groups=groups
  )
  return fastest(dots, native, x, kernel)


def conv_transpose(x, kernel, strides, padding='SAME'):
  """Transposed convolution as lax.conv_transpose; arguments as for conv.

  Along one axis XLA's own is slow everywhere (a GPU: 2,000 times as long as the
  convolution, https://github.com/jax-ml/jax/issues/23783): there it is one
  convolution to as many more channels, and a reshape.
  """
  options = {'strides': strides, 'padding': padding}
  dots = functools.partial(gemm.conv_transpose, **options)
  native = functools.partial(
    lax.conv_transpose, dimension_numbers=phases.LAYOUT, **options
  )
  if x.shape[2] == kernel.shape[1] == 1:
    native = functools.partial(phases.conv_transpose, **options)
  return fastest(dots, native, x, kernel)


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
  dots = functools.partial(gemm.conv_transpose, **how)
  native = functools.partial(phases.conv_transpose, **how)
  return fastest(dots, native, x, pairs)


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


def fastest(dots, native, x, kernel):
  """The one place that chooses; the platform is that of the compilation."""
  return lax.platform_dependent(x, kernel, cpu=dots, default=native)
