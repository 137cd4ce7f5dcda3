"""LSTM and GRU over time: one scan, after one product of all inputs.

The gates, their order and the two biases of GRU's candidate are PyTorch's, so
that weights can be carried over: a kernel here is its weight transposed, a
bias the sum of its two where one is enough.

On 2 cores a loop that is not unrolled is the fastest (64 series of 30 moments,
100 units, forward and backward: unrolled by 5 it took 1.2 times as long, as a
whole 1.6 times, and 30 times as long to compile). Whether the inputs are turned
to time first or after their product made no difference above the noise.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models.layers import parts
from gan_jax.types import UserError


def _blocks(init: Callable, blocks: int) -> Callable:
  """An initialiser of [inputs, blocks * features], each block by itself."""

  def made(key, shape, dtype=jnp.float32):
    own = shape[0], shape[1] // blocks
    keys = jax.random.split(key, blocks)
    return jnp.concatenate([init(k, own, dtype) for k in keys], axis=1)

  return made


class _Recurrent(nn.Module):
  """What the two share: kernels, and the scan."""

  features: int
  dtype: Any = jnp.float32  # of the computation; parameters are float32

  gates = 0  # blocks of the kernels

  def _scan(self, step, x, carry, *, bias_init=nn.initializers.zeros):
    """Scans (carry, projected input [B, gates * H]) -> (carry, [B, H])."""
    width = self.gates * self.features
    inputs = _blocks(nn.initializers.glorot_uniform(), self.gates)
    own = _blocks(nn.initializers.orthogonal(), self.gates)
    w = self.param('input', inputs, (x.shape[-1], width), jnp.float32)
    u = self.param('hidden', own, (self.features, width), jnp.float32)
    b = self.param('bias', bias_init, (width,), jnp.float32)
    x = x.astype(self.dtype).swapaxes(0, 1)  # [T, B, I]
    x = jnp.dot(x, w.astype(self.dtype)) + b.astype(self.dtype)[None, None]
    step = functools.partial(step, u.astype(self.dtype))
    # Of the inputs' own: under shard_map a constant would be of another type.
    zero = 0 * x[0, :, :1]
    carry = jax.tree.map(lambda start: start + zero, carry)
    _, made = jax.lax.scan(step, carry, x)
    return made.swapaxes(0, 1)

  def _zeros(self, x):
    return jnp.zeros((x.shape[0], self.features), self.dtype)


def lstm_step(u, carry, x):
  """One moment of an LSTM: Hochreiter and Schmidhuber 1997, with forget gates.

  Args:
    u: [H, 4 H], of the input, forget, candidate and output gates.
    carry: (h, c), each [B, H].
    x: [B, 4 H], what the input brings, with the bias.

  Returns:
    the new carry, and h [B, H].
  """
  h, c = carry
  i, f, g, o = jnp.split(x + jnp.dot(h, u), 4, axis=-1)
  c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
  h = jax.nn.sigmoid(o) * jnp.tanh(c)
  return (h, c), h


def gru_step(u, h, x, *, bias):
  """One moment of a GRU: Cho et al. 2014, reset after the product.

  Args:
    u: [H, 3 H], of the reset and update gates and the candidate.
    h: [B, H].
    x: [B, 3 H], what the input brings, with the bias.
    bias: [1, H], of the candidate, which the reset gate sees.

  Returns:
    the new h [B, H], twice.
  """
  n = h.shape[-1]
  own = jnp.dot(h, u)
  r, z = jnp.split(jax.nn.sigmoid(x[:, : 2 * n] + own[:, : 2 * n]), 2, axis=-1)
  new = jnp.tanh(x[:, 2 * n :] + r * (own[:, 2 * n :] + bias))
  h = (1 - z) * new + z * h
  return h, h


class LSTM(_Recurrent):
  """[B, T, inputs] -> [B, T, features]; its forget gate's bias begins at 1.

  Without it long memories hardly begin: Jozefowicz et al. 2015, An Empirical
  Exploration of Recurrent Network Architectures.
  """

  gates = 4

  @nn.compact
  def __call__(self, x, first=None):
    """Begins at h = `first` [B, features], or at 0; its memory at 0."""

    def bias_init(key, shape, dtype):
      del key
      of = jnp.arange(shape[0]) // self.features
      return (of == 1).astype(dtype)

    zeros = self._zeros(x)
    h = zeros if first is None else first.astype(self.dtype)
    return self._scan(lstm_step, x, (h, zeros), bias_init=bias_init)


class GRU(_Recurrent):
  """[B, T, inputs] -> [B, T, features]."""

  gates = 3

  @nn.compact
  def __call__(self, x, first=None):
    """Begins at h = `first` [B, features], or at 0."""
    zeros = nn.initializers.zeros
    bias = self.param('hidden_bias', zeros, (self.features,), jnp.float32)
    step = functools.partial(gru_step, bias=bias.astype(self.dtype)[None])
    h = self._zeros(x) if first is None else first.astype(self.dtype)
    return self._scan(step, x, h)


def check_shape(shape: tuple[int, ...], model: str) -> tuple[int, int]:
  """The shape of a series (T, C); UserError names another one."""
  if len(shape) != 2:
    raise UserError(
      f'model {model}: cannot make samples of shape {tuple(shape)}; it makes'
      ' series (T, C)'
    )
  return tuple(shape)


def head_at_each(net: nn.Module, part: parts.Parts, x, label) -> dict:
  """Ends a discriminator by its head, at every moment of a series.

  Args:
    net: as in parts.apply_head.
    part: likewise.
    x: features [B, T, F].
    label: [B], or None.

  Returns:
    {'parts': logits [B, T]}, and of the other heads their means over time.
  """
  batch, steps, width = x.shape
  label = None if label is None else jnp.repeat(label, steps, axis=0)
  heads = parts.apply_head(net, part, x.reshape(-1, width), label)
  heads = heads if isinstance(heads, dict) else {'logits': heads}
  apart = {k: v.reshape(batch, steps, *v.shape[1:]) for k, v in heads.items()}
  return {'parts': apart.pop('logits')} | {
    k: v.mean(1) for k, v in apart.items()
  }
