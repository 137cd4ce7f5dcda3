"""Attention between the places of a grid, and between tokens."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp


class SelfAttention(nn.Module):
  """Every place looks at every second row and column: SAGAN's block.

  Zhang et al. 2019, https://arxiv.org/abs/1805.08318, equations 1 to 3, as in
  the authors' code: keys and values are the maxima of squares of four, the
  products are not divided by the root of their length.
  """

  conv: Callable  # blocks.Conv or a partial of it

  @nn.compact
  def __call__(self, x):
    """x [B, H, W, C] and what it attends to, times a scale that starts at 0."""
    channels = x.shape[-1]
    project = lambda features, name: self.conv(
      features,
      kernel_size=(1, 1),
      strides=(1, 1),
      use_bias=False,
      name=name,
    )
    flat = lambda y: y.reshape(y.shape[0], -1, y.shape[-1])
    narrow, wide = max(channels // 8, 1), max(channels // 2, 1)
    query = flat(project(narrow, 'query')(x))  # [B, H W, C / 8]
    key = flat(_coarse(project(narrow, 'key')(x)))  # [B, H W / 4, C / 8]
    value = flat(_coarse(project(wide, 'value')(x)))  # [B, H W / 4, C / 2]
    weights = jnp.einsum('bqc,bkc->bqk', query, key).astype(jnp.float32)
    weights = nn.softmax(weights).astype(value.dtype)
    y = jnp.einsum('bqk,bkc->bqc', weights, value)
    y = project(channels, 'output')(y.reshape(*x.shape[:3], wide))
    scale = self.param('scale', nn.initializers.zeros, (), jnp.float32)
    return x + jax.lax.convert_element_type(scale, y.dtype) * y


def _coarse(x):
  """Maxima of squares of four, of a single row or column as it is."""
  window = tuple(min(2, size) for size in x.shape[1:3])
  return nn.max_pool(x, window, strides=window)


class MultiHead(nn.Module):
  """Every token looks at all of them, several times over.

  Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), section 3.2; queries
  and keys are normalised before they are compared, as in Dehghani et al. 2023
  (https://arxiv.org/abs/2302.05442), section 2, there by layer norm.
  """

  dense: Callable  # blocks.Dense or a partial of it
  heads: int
  turn: Callable = lambda x: x  # of queries and keys [B, T, heads, F]

  @nn.compact
  def __call__(self, x):
    """[B, T, C] -> the same shape."""
    size = x.shape[-1] // self.heads
    three = self.dense(3 * x.shape[-1], name='qkv')(x)
    three = three.reshape(*x.shape[:2], 3, self.heads, size)
    query, key, value = (three[:, :, i] for i in range(3))
    query, key = (
      self.turn(nn.RMSNorm(epsilon=1e-7, dtype=three.dtype, name=name)(y))
      for name, y in (('query_norm', query), ('key_norm', key))
    )
    weights = jnp.einsum('bqhf,bkhf->bhqk', query, key).astype(jnp.float32)
    weights = nn.softmax(weights / size**0.5).astype(value.dtype)
    y = jnp.einsum('bhqk,bkhf->bqhf', weights, value)
    return self.dense(x.shape[-1], name='output')(y.reshape(x.shape))
