"""QuantGAN: Wiese et al. 2020, https://arxiv.org/abs/1907.06673.

Temporal convolutions in both networks. Each sees 127 moments: G of noise,
which therefore begins 126 moments before the series and makes all of its
moments alike; D of the series, with a logit at each moment that has so many
behind it, or at the last one of a shorter series.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.game import latents
from gan_jax.models.layers import parts, recurrent, temporal
from gan_jax.types import UserError

KINDS = ('series',)  # of samples
DILATIONS = (1, 2, 4, 8, 16, 32)


def make_prior(
  shape: tuple[int, ...],
  *,
  name: str = 'normal',
  dim: int = 3,
  before: int = temporal.field(DILATIONS) - 1,
) -> Callable:
  """Returns prior(key []) -> z [before + T, dim], float32.

  Args:
    shape: of a sample, (T, C).
    name: the prior of each moment, as latents.maker takes it.
    dim: numbers at each moment.
    before: moments of noise before the series; the usual number is what the
      usual dilations look back.

  Raises:
    UserError: an option out of range, or an unknown name.
  """
  steps, _ = recurrent.check_shape(shape, 'quantgan')
  if before < 0:
    raise UserError(f'latent.before={before}: expected at least 0.')
  own = latents.maker(name)(dim=dim)
  return lambda key: jax.vmap(own)(jax.random.split(key, before + steps))


class Generator(nn.Module):
  """Noise at every moment to series, as they come out of the last layer."""

  shape: tuple[int, ...]  # of a sample, (T, C)
  width: int = 80  # features of every convolution
  dilations: tuple[int, ...] = DILATIONS
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns series [B, T, C] of z [B, before + T, Z] and label [B]."""
    steps, channels = recurrent.check_shape(self.shape, 'quantgan')
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train)
    x = parts.with_class(part.embed, z, label, self.num_classes)
    stack = temporal.Stack(part, self.width, self.dilations, name='stack')
    x = part.dense(channels, name='sample')(stack(x))
    return x[:, -steps:].astype(jnp.float32)


class Discriminator(nn.Module):
  """Series to a logit at each moment whose past is long enough."""

  width: int = 80  # features of every convolution
  dilations: tuple[int, ...] = DILATIONS
  norm: str = 'spectral'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns {'parts': [B, P]} of series [B, T, C] and label [B]."""
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train)
    stack = temporal.Stack(part, self.width, self.dilations, name='stack')
    first = min(temporal.field(self.dilations), sample.shape[1]) - 1
    return recurrent.head_at_each(self, part, stack(sample)[:, first:], label)
