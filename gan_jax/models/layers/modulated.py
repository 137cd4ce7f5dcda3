"""Convolutions whose kernels depend on a style of each example.

Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 2.2, equations 1
and 3. A kernel scaled along its inputs is the kernel of a scaled input, and one
scaled along its outputs has a scaled output: so no example needs a kernel of
its own, and the convolution is the usual one of the whole batch.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.models.layers import convolutions


def conv(
  x,
  kernel,
  style,
  *,
  convolve: Callable = convolutions.conv,
  demodulate: bool = True,
):
  """A convolution by the kernel times the style, of unit length or not.

  Args:
    x: [B, H, W, C].
    kernel: [h, w, C, O] float32.
    style: [B, C] float32.
    convolve: (x, kernel) -> [B, H', W', O], linear in both.
    demodulate: whether the kernels [h, w, C] of each output have length 1.

  Returns:
    [B, H', W', O] in the dtype of x.
  """
  y = convolve(x * _over(style, x.dtype), kernel.astype(x.dtype))
  if not demodulate:
    return y
  return y * _over(demodulation(kernel, style), x.dtype)


def demodulation(kernel, style):
  """1 / length of each output's modulated kernel: [B, O]."""
  power = jnp.square(kernel).sum((0, 1))  # [C, O]
  return jax.lax.rsqrt(jnp.dot(jnp.square(style), power) + 1e-8)


def _over(scale, dtype):
  """[B, C] -> [B, 1, 1, C]."""
  return scale[:, None, None].astype(dtype)
