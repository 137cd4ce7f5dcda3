"""BiGAN: Donahue et al. 2017, https://arxiv.org/abs/1605.09782, appendix C.1.

Three perceptrons with two hidden layers of 1024 each: G makes samples of
latents, E latents of samples, and D tells the pairs (x, E(x)) from (G(z), z).
G and E play against D together, see layers/pairs. The paper's latents are
uniform: latent.name=uniform, latent.dim=50.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models import mlp
from gan_jax.models.layers import codes, parts
from gan_jax.models.layers.pairs import both_sides as adversarial  # noqa: F401

KINDS = ('image', 'point')  # of samples
WIDE = 1024, 1024  # hidden layers


class Generator(mlp.Generator):
  """Latents [B, Z] to samples [B, *shape], as that of `mlp`."""

  hidden: tuple[int, ...] = WIDE
  norm: str = 'batch'


class Encoder(nn.Module):
  """Samples to codes; it knows no labels."""

  latent_size: int  # Z
  hidden: tuple[int, ...] = WIDE
  activation: str = 'leaky_relu'
  norm: str = 'batch'
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    """Returns codes [B, Z] float32 of samples x [B, ...]."""
    part = parts.of_network(self, train=train, kernel_init=mlp.INIT)
    act = parts.activation(self.activation)
    x = x.reshape(x.shape[0], -1)
    for i, width in enumerate(self.hidden):
      plain = i == 0  # no norm on what sees the sample
      bias = plain or not part.has_norm
      x = part.dense(width, use_bias=bias, name=f'hidden_{i}')(x)
      x = act(x if plain else part.norm(name=f'norm_{i}')(x))  # [B, width]
    return part.dense(self.latent_size, name='code')(x).astype(jnp.float32)


class Discriminator(mlp.Discriminator):
  """Pairs of a sample [B, ...] and a code [B, Z] to logits."""

  hidden: tuple[int, ...] = WIDE
  norm: str = 'batch'

  def __call__(self, pair, label=None, *, train):
    """Returns the heads of pairs and label [B]."""
    x, code = pair
    both = jnp.concatenate([x.reshape(x.shape[0], -1), code], axis=-1)
    return super().__call__(both, label, train=train)


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown pairs."""
  del net
  code = run('e', batch['x'])
  codes.check(code, latent)
  made = run('g', latent, batch.get('label'))
  return (batch['x'], code), (made, latent), latent
