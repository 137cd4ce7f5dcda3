"""Causal convolutions over time, each as one product of its two taps.

Van den Oord et al. 2016, WaveNet (https://arxiv.org/abs/1609.03499), section
2.1; Bai et al. 2018, https://arxiv.org/abs/1803.01271.
"""

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import parts


def taps(x, dilation: int):
  """Every moment beside the one `dilation` before it, or beside zeros.

  A dense layer of this is a causal convolution of kernel 2.

  Args:
    x: [B, T, C].
    dilation: moments, at least 1.

  Returns:
    [B, T, 2 C], the earlier one first.
  """
  earlier = jnp.pad(x, [(0, 0), (dilation, 0), (0, 0)])[:, : x.shape[1]]
  return jnp.concatenate([earlier, x], axis=-1)


def field(dilations: tuple[int, ...]) -> int:
  """Moments that an output of a stack sees, itself among them."""
  return 1 + 2 * sum(dilations)


class PReLU(nn.Module):
  """x, or a learned slope times x below 0; begins at 1/4 as in PyTorch.

  He et al. 2015, https://arxiv.org/abs/1502.01852.
  """

  @nn.compact
  def __call__(self, x):
    slope = self.param('slope', nn.initializers.constant(0.25), (), jnp.float32)
    return jnp.where(x > 0, x, slope.astype(x.dtype) * x)


class Stack(nn.Module):
  """Blocks of two convolutions; the output is a sum over all blocks.

  Of each block a dense layer of its own at every moment goes into the sum.
  """

  part: parts.Parts  # the layers under a norm
  width: int
  dilations: tuple[int, ...]

  @nn.compact
  def __call__(self, x):
    """Series [B, T, C] -> [B, T, width]; a moment sees none after it."""
    bias, total = not self.part.has_norm, 0.0
    for i, dilation in enumerate(self.dilations):
      for j in 'ab':
        name = f'{i}{j}'
        x = taps(x, dilation)
        x = self.part.dense(self.width, use_bias=bias, name=f'conv_{name}')(x)
        x = self.part.norm(name=f'norm_{name}')(x)
        x = PReLU(name=f'act_{name}')(x)
      total += self.part.dense(self.width, name=f'skip_{i}')(x)
    return total
