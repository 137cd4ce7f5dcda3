"""Blocks of transformers, and images as tokens: patches of them."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import attention, parts

# A tenth of Glorot's: what a block begins with adds little.
SMALL_INIT = nn.initializers.variance_scaling(0.01, 'fan_avg', 'uniform')


class SwiGLU(nn.Module):
  """A feed-forward network whose units are gated by others.

  Shazeer 2020, https://arxiv.org/abs/2002.05202, equation 6: 8/3 times as many
  units as features, so that it has as many weights as the usual with 4 times.
  """

  dense: Callable  # blocks.Dense or a partial of it

  @nn.compact
  def __call__(self, x):
    """[B, T, C] -> the same shape."""
    both = self.dense(2 * (8 * x.shape[-1] // 3), name='wide')(x)
    gate, units = jnp.split(both, 2, axis=-1)
    return self.dense(x.shape[-1], name='narrow')(nn.silu(gate) * units)


class Block(nn.Module):
  """Norm and attention, then norm and SwiGLU, each added to what came in.

  With a vector of each example the norms are scaled, and what is added is, by
  linear maps of it; nothing is shifted. Peebles and Xie 2023
  (https://arxiv.org/abs/2212.09748), section 3.2, call it adaLN. Without, what
  is added is scaled by weights that start at a tenth (LayerScale, Touvron et
  al. 2021, https://arxiv.org/abs/2103.17239, section 2).
  """

  part: parts.Parts
  heads: int
  turn: Callable  # of queries and keys, see attention.MultiHead

  @nn.compact
  def __call__(self, x, vector=None):
    """x [B, T, C], vector [B, V] or None -> [B, T, C]."""
    part, (batch, _, width) = self.part, x.shape
    if vector is None:
      tenth = nn.initializers.constant(0.1)
      scales = [0.0, 0.0]
      gates = [
        self.param(name, tenth, (width,), jnp.float32)[None, None]
        for name in ('attention_scale', 'units_scale')
      ]
    else:
      four = modulation(part, vector, 4 * width).reshape(batch, 4, 1, width)
      scales, gates = [four[:, 0], four[:, 2]], [four[:, 1], four[:, 3]]
    attend = attention.MultiHead(
      part.dense, self.heads, self.turn, name='attention'
    )
    for i, layer in enumerate((attend, SwiGLU(part.dense, name='units'))):
      norm = part.norm(affine=vector is None, name=f'norm_{i}')
      x = x + layer(norm(x) * (1 + scales[i])) * gates[i].astype(x.dtype)
    return x


def modulation(part: parts.Parts, vector, features: int):
  """Scales of a vector of each example, small at first: [B, features]."""
  dense = part.dense(features, kernel_init=SMALL_INIT, name='modulation')
  return dense(nn.silu(vector))


def grid_of(shape: tuple[int, ...], patch: int) -> tuple[int, int]:
  """Rows and columns of the patches that an image (H, W, C) fits in."""
  return -(-shape[0] // patch), -(-shape[1] // patch)


def patches(x, patch: int):
  """Images to tokens, row by row; zeros around what is no multiple of it.

  Args:
    x: [B, H, W, C].
    patch: rows and columns of a patch.

  Returns:
    [B, ceil(H / patch) * ceil(W / patch), patch * patch * C].
  """
  rows, columns = grid_of(x.shape[1:], patch)
  missing = rows * patch - x.shape[1], columns * patch - x.shape[2]
  pads = [(n // 2, n - n // 2) for n in missing]
  x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
  x = x.reshape(len(x), rows, patch, columns, patch, -1)
  return x.transpose(0, 1, 3, 2, 4, 5).reshape(
    len(x), rows * columns, patch * patch * x.shape[-1]
  )


def unpatched(x, grid: tuple[int, int], patch: int):
  """Tokens [B, T, patch * patch * C] to images: the other way."""
  x = x.reshape(len(x), *grid, patch, patch, -1).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(len(x), grid[0] * patch, grid[1] * patch, x.shape[-1])
