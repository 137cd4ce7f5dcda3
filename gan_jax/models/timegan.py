"""TimeGAN: Yoon et al. 2019, Time-series Generative Adversarial Networks.

NeurIPS 2019, sections 3 and 4. Five networks of GRUs, three players: E embeds
series; G draws embeddings, lets its supervisor say what follows, and recovers
series; D judges embeddings, moment by moment, both as drawn and as supervised.
It shows its use with the penalties `reconstruction`, `supervised` and `moments`
and the dynamics `timegan`.

D's loss is the mean over the two kinds of fakes; the authors' code adds them,
so that there fakes count twice. As players move whole, `moments` teaches the
recovery too; there it belongs to the generator and the supervisor alone.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models import rcgan
from gan_jax.models.layers import blocks, parts, recurrent

KINDS = ('series',)  # of samples
make_prior = rcgan.make_prior  # z [T, dim], fresh at every moment


class Steps(nn.Module):
  """GRUs, a dense layer at every moment, and a sigmoid if asked for."""

  hidden: int
  layers: int
  features: int
  squashed: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x):
    """[B, T, inputs] -> [B, T, features] float32."""
    for i in range(self.layers):
      x = recurrent.GRU(self.hidden, self.dtype, name=f'gru_{i}')(x)
    x = blocks.Dense(self.features, dtype=self.dtype, name='dense')(x)
    x = x.astype(jnp.float32)
    return nn.sigmoid(x) if self.squashed else x


class Generator(nn.Module):
  """Generator, supervisor and recovery."""

  shape: tuple[int, ...]  # of a sample, (T, C)
  hidden: int = 24  # units of every GRU, numbers of an embedding
  layers: int = 3  # of GRUs; the supervisor has one less
  num_classes: int = 0
  dtype: Any = jnp.float32

  def setup(self):
    _, channels = recurrent.check_shape(self.shape, 'timegan')
    make = functools.partial(Steps, self.hidden, dtype=self.dtype)
    self.generator = make(self.layers, self.hidden)
    self.supervisor = make(max(1, self.layers - 1), self.hidden)
    self.recovery = make(self.layers, channels, squashed=False)

  def __call__(self, z, label=None, *, part='samples'):
    """Returns what a part of it makes.

    Args:
      z: latents [B, T, Z]; of 'next' and 'recovered' embeddings [B, T, H].
      label: [B], or None.
      part: 'samples', series [B, T, C]; 'all', a dict of these, and of the
        embeddings 'drawn' and 'supervised'; 'next', at each moment the
        supervisor's embedding of the one after it; 'recovered', series.
    """
    if part == 'next':
      return self.supervisor(z)
    if part == 'recovered':
      return self.recovery(z)
    label = parts.check_label(label, self.num_classes)
    drawn = self.generator(rcgan.with_class(z, label, self.num_classes))
    supervised = self.supervisor(drawn)
    samples = self.recovery(supervised)
    made = {'samples': samples, 'drawn': drawn, 'supervised': supervised}
    return made if part == 'all' else samples


class Encoder(nn.Module):
  """Series [B, T, C] to embeddings [B, T, H], in (0, 1)."""

  hidden: int = 24
  layers: int = 3
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x):
    net = Steps(self.hidden, self.layers, self.hidden, dtype=self.dtype)
    nn.share_scope(self, net)
    return net(x)


class Discriminator(nn.Module):
  """Pairs of embeddings to a logit of each, at every moment."""

  hidden: int = 24
  layers: int = 3
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, pair, label=None):
    """Returns {'parts': [B, 2 T]} of two embeddings [B, T, H]."""
    label = parts.check_label(label, self.num_classes)
    part = parts.make_parts('none', train=False, dtype=self.dtype)
    x = jnp.concatenate(pair)  # [2 B, T, H]
    for i in range(self.layers):
      x = recurrent.GRU(self.hidden, self.dtype, name=f'gru_{i}')(x)
    both = jnp.concatenate(jnp.split(x, 2), axis=1)  # [B, 2 T, hidden]
    return recurrent.head_at_each(self, part, both, label)


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown embeddings; the terms see what E and G make of series."""
  del net
  code = run('e', batch['x'])
  made = run('g', latent, batch.get('label'), part='all')
  fixed = jax.lax.stop_gradient(code)
  also = {
    'code': code,
    'next': run('g', code, part='next'),
    'next_of_fixed': run('g', fixed, part='next'),
    'rebuilt': run('g', code, part='recovered'),
    'samples': made['samples'],
  }
  fake = made['supervised'], made['drawn']
  return (code, code), fake, latent, also
