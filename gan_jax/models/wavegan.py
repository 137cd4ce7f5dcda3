"""WaveGAN: Donahue et al. 2019, https://arxiv.org/abs/1802.04208, tables 3, 4.

Sounds [T, C], or any series: G makes T / 4^n moments of noise four times as
many, n times, by transposed convolutions of 25 taps; D goes the same way back.
Its phase shuffle hides the pattern that such layers leave: what it sees is
moved in time between its layers, by the shift of each example as in the paper,
or of the whole batch as in the authors' code.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models.layers import parts, stages, waves
from gan_jax.types import G, UserError

KINDS = ('audio',)  # of samples
STRIDE = 4
FIRST = 64  # channels of the finest stage, by default
BASE = 16  # moments of the shortest stage by default, at least
INIT = nn.initializers.glorot_uniform()


def default_widths(length: int) -> tuple[int, ...]:
  """Channels of each stage from fine to coarse: 16384 -> (64, ..., 1024)."""
  stages = 1
  while length // STRIDE ** (stages + 1) >= BASE:
    stages += 1
  return tuple(FIRST * 2**i for i in range(min(stages, 5)))


def check_shape(shape: tuple[int, ...], widths: tuple[int, ...]):
  """UserError names a shape of a sample that such stages cannot make."""
  if len(shape) != 2 or shape[0] < STRIDE:
    raise UserError(
      f'model wavegan: cannot make samples of shape {tuple(shape)}; it makes'
      f' sounds (T, C) of {STRIDE} moments or more'
    )
  if not 1 <= len(widths) < waves.MOST or STRIDE ** len(widths) > shape[0]:
    raise UserError(
      f'model wavegan: {len(widths)} widths for {shape[0]} moments; each makes'
      f' them {STRIDE} times as few'
    )


def play(run, net, batch, latent):
  """The usual game; beside each sample D is given the draws of its shifts.

  A real one and a fake share them, and so does what lies between the two.
  """
  del net
  drawn = waves.draws(batch)
  fake = run(G, latent, batch.get('label'))
  return (batch['x'], drawn), (fake, drawn), latent


class Generator(nn.Module):
  """Latent vectors to sounds in [-1, 1].

  Class-conditional by conditional batch norm; without batch norm, by the
  class's embedding beside the latent vector.
  """

  shape: tuple[int, ...]  # of a sample (T, C)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the sound
  taps: int = 25
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns sounds [B, T, C] float32 of z [B, Z] and label [B]."""
    widths = self.widths or default_widths(self.shape[0])[::-1]
    check_shape(self.shape, widths)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, label=label, kernel_init=INIT)
    x = stages.grown(
      part,
      z,
      shape=(self.shape[0], 1, self.shape[1]),
      widths=widths,
      label=label,
      num_classes=self.num_classes,
      taps=(self.taps, 1),
      strides=(STRIDE, 1),
    )[:, :, 0]
    return jnp.tanh(x.astype(jnp.float32))  # [B, T, C]


class Discriminator(nn.Module):
  """Sounds to logits; the head compares a label with the sum over time."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the sound
  taps: int = 25
  phase_shuffle: int = 2  # moments, at most; 0: none
  shuffle_by: str = 'example'  # or batch: one shift for all of it
  norm: str = 'none'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of sounds [B, T, C] and label [B].

    Args:
      sample: sounds, which are not shuffled then, or a pair (sounds, draws
        [B, 2, MOST] of layers.waves).
      label: [B] int.
      train: whether statistics are updated.
    """
    x, drawn = sample if isinstance(sample, tuple) else (sample, None)
    widths = self.widths or default_widths(x.shape[1])
    check_shape(x.shape[1:], widths)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=INIT)
    x = x[:, :, None]  # [B, T, 1, C]
    for i, width in enumerate(widths):
      plain = i == 0  # no norm on what sees the sound
      bias = plain or not part.has_norm
      x = part.conv(
        width,
        kernel_size=(self.taps, 1),
        strides=(STRIDE, 1),
        use_bias=bias,
        name=f'down_{i}',
      )(x)
      x = x if plain else part.norm(name=f'norm_{i}')(x)
      x = parts.activation('leaky_relu')(x)  # [B, T / 4^(i+1), 1, width]
      if i < len(widths) - 1:
        x = self._shuffled(x, drawn, i)
    flat = x.reshape(x.shape[0], -1)
    return parts.apply_head(self, part, flat, label, x.sum((1, 2)))

  def _shuffled(self, x, drawn, layer):
    radius = self.phase_shuffle
    if radius < 0 or radius >= x.shape[1]:
      raise UserError(
        f'model.d.phase_shuffle={radius}: expected 0 to {x.shape[1] - 1}.'
      )
    if drawn is None or not radius:
      return x
    by = waves.shifts(drawn, layer, radius=radius, by=self.shuffle_by)
    return waves.shuffle(x[:, :, 0], by, radius=radius)[:, :, None]
