"""VAE/GAN: Larsen et al. 2016, https://arxiv.org/abs/1512.09300, table 1.

A variational autoencoder whose decoder is G, and whose error of reconstruction
is one of D's features. D tells real images from what G makes of the prior's
latents, so that no gradient of the game reaches the encoder. The other two
parts of its loss are terms:

  penalties={'kl': {}, 'reconstruction': {'space': 'features'}}

The paper's decoder takes gamma times the reconstruction, its encoder the whole
of it. E and G move here along the sum of their losses; under Adam and RMSProp,
to which the scale of E's loss is nothing, the same weight gamma on both terms
is the paper's. Equation 8 and Algorithm 1; the code's gamma is 1e-6.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models import dcgan
from gan_jax.models.layers import blocks, codes, parts

KINDS = ('image',)  # of samples
FIVE = 5, 5  # all kernels
INIT = blocks.DCGAN_INIT


def _down(part, x, widths):
  """Halves images once for each width: norm and ReLU after each."""
  for i, width in enumerate(widths):
    conv = part.conv(
      width, kernel_size=FIVE, use_bias=not part.has_norm, name=f'down_{i}'
    )
    x = nn.relu(part.norm(name=f'norm_{i}')(conv(x)))
  return x  # [B, H / 2^n, H / 2^n, widths[-1]]


class Encoder(nn.Module):
  """Images to normal laws of codes; it knows no labels."""

  latent_size: int  # Z
  widths: tuple[int, ...] = (64, 128, 256)
  hidden: int = 1024
  norm: str = 'batch'
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    """Returns {'mean', 'log_variance'}, each [B, Z] float32."""
    dcgan.base_size(x.shape[1:], len(self.widths))
    part = parts.of_network(self, train=train, kernel_init=INIT)
    x = _down(part, x, self.widths)
    x = x.reshape(x.shape[0], -1)
    dense = part.dense(self.hidden, use_bias=not part.has_norm, name='hidden')
    x = nn.relu(part.norm(name='norm_hidden')(dense(x)))
    return codes.law(part, x, self.latent_size)


class Generator(nn.Module):
  """Latents to images in [-1, 1]; by class through conditional batch norm."""

  shape: tuple[int, ...]  # of a sample (H, H, C)
  start: int = 256  # channels of the smallest picture
  widths: tuple[int, ...] = (256, 128, 32)  # each doubles it
  norm: str = 'batch'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns images [B, H, H, C] float32 of z [B, Z] and label [B]."""
    base = dcgan.base_size(self.shape, len(self.widths))
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, label=label, kernel_init=INIT)
    if not part.has_norm:
      z = parts.with_class(part.embed, z, label, self.num_classes)
    bias = not part.has_norm
    x = part.dense(base**2 * self.start, use_bias=bias, name='start')(z)
    x = nn.relu(part.norm(name='norm_start')(x))
    x = x.reshape(-1, base, base, self.start)
    for i, width in enumerate(self.widths):
      up = part.conv_transpose(
        width, kernel_size=FIVE, use_bias=bias, name=f'up_{i}'
      )
      x = nn.relu(part.norm(name=f'norm_{i}')(up(x)))
    begin = (x.shape[1] - self.shape[0]) // 2
    keep = slice(begin, begin + self.shape[0])
    x = part.conv(
      self.shape[-1], kernel_size=FIVE, strides=(1, 1), name='image'
    )(x[:, keep, keep])
    return jnp.tanh(x.astype(jnp.float32))  # [B, H, H, C]


class Discriminator(nn.Module):
  """Images to logits, and to the features [B, F] in which they are rebuilt."""

  first: int = 32  # channels of the first convolution, of full size
  widths: tuple[int, ...] = (128, 256, 256)
  hidden: int = 512
  norm: str = 'batch'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, H, C] and label [B]."""
    dcgan.base_size(sample.shape[1:], len(self.widths))
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=INIT)
    conv = part.conv(self.first, kernel_size=FIVE, strides=(1, 1), name='first')
    x = _down(part, nn.relu(conv(sample)), self.widths)
    features = x.reshape(x.shape[0], -1)
    dense = part.dense(self.hidden, use_bias=not part.has_norm, name='hidden')
    x = nn.relu(part.norm(name='norm_hidden')(dense(features)))
    heads = parts.apply_head(self, part, x, label)
    heads = heads if isinstance(heads, dict) else {'logits': heads}
    return {**heads, 'features': features.astype(jnp.float32)}


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown real images and samples; the rebuilt ones are for the terms."""
  del net
  x, label = batch['x'], batch.get('label')
  law = run('e', x)
  codes.check(law['mean'], latent)
  made = run('g', latent, label)
  rebuilt = run('g', codes.draw(law, batch['key']), label)
  return x, made, latent, {'code': law, 'rebuilt': rebuilt}
