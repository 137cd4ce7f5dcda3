"""GRU networks whose latent is one vector for a whole series.

Where the noise of RCGAN is fresh at every moment, this G draws once: what sets
one series apart from another is known from its beginning, and the curve may be
smooth. D reads the series in both directions and gives one logit.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models import rcgan
from gan_jax.models.layers import blocks, parts, recurrent

KINDS = ('series',)  # of samples
ignored = rcgan.ignored


class Generator(nn.Module):
  """Latent vectors to series; z is every GRU's beginning, and its input."""

  shape: tuple[int, ...]  # of a sample, (T, C)
  hidden: tuple[int, ...] = (64,)  # units of each GRU
  output: str = 'tanh'  # or 'linear'
  scale: float = 1.0  # by which the tanh is multiplied
  num_classes: int = 0
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None):
    """Returns series [B, T, C] float32 of z [B, Z] and label [B]."""
    steps, channels = recurrent.check_shape(self.shape, 'gru_gan')
    label = parts.check_label(label, self.num_classes)
    dense = functools.partial(blocks.Dense, dtype=self.dtype)
    z = parts.with_class(blocks.Embed, z, label, self.num_classes)
    x = jnp.broadcast_to(z[:, None], (len(z), steps, z.shape[-1]))
    for i, width in enumerate(self.hidden):
      first = jnp.tanh(dense(width, name=f'first_{i}')(z))
      x = recurrent.GRU(width, self.dtype, name=f'gru_{i}')(x, first)
    x = dense(channels, name='sample')(x).astype(jnp.float32)
    return rcgan.outputs(x, self.output, self.scale)


class Discriminator(nn.Module):
  """Series to logits, by GRUs in both directions; the head sees their means."""

  hidden: tuple[int, ...] = (64,)  # units of each GRU
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None):
    """Returns the heads of series [B, T, C] and label [B]."""
    label = parts.check_label(label, self.num_classes)
    part = parts.make_parts('none', train=False, dtype=self.dtype)
    x = sample
    for i, width in enumerate(self.hidden):
      ahead = recurrent.GRU(width, self.dtype, name=f'ahead_{i}')(x)
      back = recurrent.GRU(width, self.dtype, name=f'back_{i}')(x[:, ::-1])
      x = jnp.concatenate([ahead, back[:, ::-1]], axis=-1)  # [B, T, 2 width]
    return parts.apply_head(self, part, x.mean(1), label)
