"""Layers of the models with weights: dense, convolutions, embeddings.

Convolutions hold the same parameters and give the same numbers as those of
flax.linen. On CPU they are products of matrices, see `gemm.py`.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models.layers import convolutions, resampling
from gan_jax.types import UserError

DCGAN_INIT = nn.initializers.normal(0.02)
EMBED_INIT = nn.initializers.normal(1.0)


class SpectralNorm(nn.Module):
  """Divides a kernel by its largest singular value.

  Miyato et al. 2018, "Spectral Normalization for GANs", algorithm 1,
  https://arxiv.org/abs/1802.05957. The kernel is the matrix [inputs, outputs],
  so a transposed convolution is treated as a convolution is. One power
  iteration for each call with train=True; train=False uses the vectors as
  they are stored (collection 'spectral').
  """

  train: bool = False
  first_iterations: int = 15  # at initialisation, so that sigma starts right
  epsilon: float = 1e-12

  @nn.compact
  def __call__(self, kernel):
    """Kernel [..., outputs] -> kernel of the same shape with sigma ~ 1."""
    matrix = kernel.astype(jnp.float32).reshape(-1, kernel.shape[-1])  # [I, O]
    fixed = jax.lax.stop_gradient(matrix)
    u = self.variable('spectral', 'u', self._first_u, fixed)  # [O]
    v = self.variable('spectral', 'v', lambda: self._unit(fixed @ u.value))
    new_u, new_v = u.value, v.value
    if self.train and not self.is_initializing():
      new_u, new_v = self._iterate(fixed, new_u)
      if self.is_mutable_collection('spectral'):
        u.value, v.value = new_u, new_v
    # Gradients reach the kernel through sigma, but not through u and v.
    sigma = jax.lax.stop_gradient(new_v) @ (
      matrix @ jax.lax.stop_gradient(new_u)
    )
    return kernel / sigma.astype(kernel.dtype)

  def _unit(self, x):
    return x / jnp.maximum(jnp.linalg.norm(x), self.epsilon)

  def _iterate(self, matrix, u):
    v = self._unit(matrix @ u)  # [I]
    return self._unit(v @ matrix), v

  def _first_u(self, matrix):
    u = jax.random.normal(self.make_rng('params'), matrix.shape[1:])
    step = lambda _, u: self._iterate(matrix, u)[0]
    return jax.lax.fori_loop(0, self.first_iterations, step, self._unit(u))


class _Linear(nn.Module):
  """What dense layers and convolutions share: parameters and their dtypes."""

  features: int
  use_bias: bool = True
  dtype: Any = jnp.float32  # of the computation; parameters are float32
  kernel_init: Callable = nn.initializers.lecun_normal()
  kernel_norm: Callable | None = None  # makes a module kernel -> kernel
  bias_init: Callable = nn.initializers.zeros
  bias_norm: Callable | None = None  # bias -> bias

  def _kernel(self, *shape, change=lambda kernel: kernel):
    if self.features < 1:
      raise UserError(
        f'model: a layer of {self.features} features; expected at least 1.'
      )
    kernel = self.param('kernel', self.kernel_init, shape, jnp.float32)
    if self.kernel_norm is not None:
      kernel = self.kernel_norm(name='norm')(kernel)
    return change(kernel).astype(self.dtype)

  def _add_bias(self, y):
    if not self.use_bias:
      return y
    bias = self.param('bias', self.bias_init, (self.features,), jnp.float32)
    if self.bias_norm is not None:
      bias = self.bias_norm(bias)
    return y + bias.astype(self.dtype).reshape((1,) * (y.ndim - 1) + (-1,))


class Dense(_Linear):
  """A dense layer: [..., inputs] -> [..., features]."""

  @nn.compact
  def __call__(self, x):
    kernel = self._kernel(x.shape[-1], self.features)
    return self._add_bias(jnp.dot(x.astype(self.dtype), kernel))


class Conv(_Linear):
  """A 2-D convolution: [B, H, W, C] -> [B, H', W', features]."""

  kernel_size: tuple[int, int] = (4, 4)
  strides: tuple[int, int] = (2, 2)
  padding: str = 'SAME'  # or 'VALID'
  groups: int = 1  # of channels, each a convolution by itself
  # Of a 3 x 3 that keeps the size: 'doubled' before it, or 'halved' after it,
  # as resampling has them, in less than half of the work.
  resized: str = ''

  @nn.compact
  def __call__(self, x):
    for channels in (x.shape[-1], self.features):
      if channels % self.groups:
        raise UserError(
          f'model: {self.groups} groups of a convolution of {channels}'
          ' channels; expected a divisor of them.'
        )
    inputs = x.shape[-1] // self.groups
    change = {'change': convolutions.in_pairs} if self.resized else {}
    kernel = self._kernel(*self.kernel_size, inputs, self.features, **change)
    return self._add_bias(self._convolved(x.astype(self.dtype), kernel))

  def _convolved(self, x, kernel):
    fields = self.strides, self.padding, self.groups
    if not self.resized:
      return convolutions.conv(x, kernel, *fields)
    if (self.kernel_size, *fields) != ((3, 3), (1, 1), 'SAME', 1):
      raise ValueError(f'{self.resized}: only of a 3 x 3 that keeps the size')
    if self.resized == 'doubled':
      return convolutions.conv_of_doubled(x, kernel)
    resampling.check_halved(x)
    return convolutions.halved_conv(x, kernel)


class ConvTranspose(_Linear):
  """A transposed convolution: [B, H, W, C] -> [B, s H, s W, features]."""

  kernel_size: tuple[int, int] = (4, 4)
  strides: tuple[int, int] = (2, 2)
  padding: str = 'SAME'  # or 'VALID'

  @nn.compact
  def __call__(self, x):
    kernel = self._kernel(*self.kernel_size, x.shape[-1], self.features)
    x = x.astype(self.dtype)
    y = convolutions.conv_transpose(x, kernel, self.strides, self.padding)
    return self._add_bias(y)


def as_vector(label, num_classes: int):
  """A condition [B, C] of label [B] int, or of [B, C] float, which is one."""
  if jnp.issubdtype(jnp.result_type(label), jnp.floating):
    return label
  return jax.nn.one_hot(label, num_classes)


class Embed(nn.Module):
  """A vector for each class: label [B] int -> [B, features].

  A condition that is a vector of each example, [B, num_classes] floats, say
  attributes of 0 and 1, is mapped linearly: the sum of the vectors of what it
  has. That of a single class is the class's own.
  """

  num_classes: int  # or numbers of a condition
  features: int
  dtype: Any = jnp.float32
  init: Callable = EMBED_INIT
  kernel_norm: Callable | None = None

  @nn.compact
  def __call__(self, label):
    shape = self.num_classes, self.features
    table = self.param('embedding', self.init, shape, jnp.float32)
    if self.kernel_norm is not None:
      table = self.kernel_norm(name='norm')(table)
    if jnp.issubdtype(jnp.result_type(label), jnp.floating):
      return jnp.dot(label.astype(self.dtype), table.astype(self.dtype))
    return jnp.take(table, label, axis=0).astype(self.dtype)
