"""SpecGAN: Donahue et al. 2019, https://arxiv.org/abs/1802.04208.

DCGAN on spectrograms of sounds [T, 1]: logarithms of short-time magnitudes, of
each frequency less their mean over the data and by 3 of their standard
deviations, clipped to [-1, 1]. 16384 moments are 128 frames of 128 bins, the
highest being left out. A sound is made of a spectrogram by Griffin and Lim's
algorithm.

The means and deviations are of the real sounds that G's updates have met; G
keeps them (collection `statistics`), so that they go where its weights go.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models import dcgan
from gan_jax.models.layers import parts, spectrograms, stages
from gan_jax.types import G, UserError

KINDS = ('audio',)  # of samples
FIRST, MOST = 64, 5  # channels of the finest stage; stages, by default
TAPS = 5, 5
INIT = nn.initializers.glorot_uniform()
DEVIATIONS = 3.0  # that are 1 in a spectrogram
QUIET = 1e-6  # added to magnitudes; a full sine wave's is window / 4
LEAST = 1e-2  # of a standard deviation: of a bin that is always alike


def grid_of(shape: tuple[int, ...], window: int, hop: int) -> tuple[int, int]:
  """(frames, bins) of a sound; UserError names a shape none can make."""
  if len(shape) != 2 or shape[1] != 1:
    raise UserError(
      f'model specgan: cannot make samples of shape {tuple(shape)}; it makes'
      ' sounds (T, 1)'
    )
  return spectrograms.frames_of(shape[0], window=window, hop=hop), window // 2


def default_widths(frames: int, bins: int) -> tuple[int, ...]:
  """Channels of each stage from fine to coarse: 128, 128 -> (64, ..., 1024)."""
  small, large = sorted((frames, bins))
  count = max(2, (small // 4).bit_length() - 1)
  return tuple(FIRST * 2**i for i in range(min(count, MOST, _most(large))))


def _most(size):
  return size.bit_length() - 1


def _check_widths(widths, frames, bins):
  most = _most(max(frames, bins))
  if len(widths) > most:
    raise UserError(
      f'model specgan: {len(widths)} widths for {frames} frames of {bins} bins;'
      f' give 1 to {most} (each halves the spectrogram)'
    )


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown spectrograms [B, frames, bins]."""
  del net
  real, fake = run(G, latent, batch.get('label'), real=batch['x'])
  return real, fake, latent


class Scale(nn.Module):
  """Mean and standard deviation of each bin over all that it has been shown.

  Every batch counts alike. In training mode what it is shown is among it.
  """

  train: bool
  axis_name: str | None = None

  @nn.compact
  def __call__(self, bins: int, logs=None):
    """Returns mean [bins] and deviation [bins], of logs [B, frames, bins]."""
    make = lambda name, first: self.variable('statistics', name, first)
    updates = make('updates', lambda: jnp.int32(0))
    mean = make('mean', lambda: jnp.zeros(bins))
    square = make('square', lambda: jnp.ones(bins))
    now = mean.value, square.value
    if self.train and logs is not None:
      seen = updates.value + 1
      moved = lambda old, new: old + (self._average(new) - old) / seen
      now = moved(now[0], logs), moved(now[1], jnp.square(logs))
      if self.is_mutable_collection('statistics'):
        updates.value, mean.value, square.value = seen, *now
    spread = now[1] - jnp.square(now[0])
    return now[0], jnp.sqrt(jnp.maximum(spread, LEAST**2))

  def _average(self, x):
    x = x.mean((0, 1))
    return jax.lax.pmean(x, self.axis_name) if self.axis_name else x


class Generator(nn.Module):
  """Latent vectors to sounds in [-1, 1], by way of spectrograms.

  Class-conditional by conditional batch norm; without batch norm, by the
  class's embedding beside the latent vector.
  """

  shape: tuple[int, ...]  # of a sample (T, 1)
  widths: tuple[int, ...] = ()  # coarse to fine; () is sized to the spectrogram
  window: int = 256  # moments of a frame; half as many bins
  hop: int = 128  # moments from one frame to the next
  rounds: int = 16  # of Griffin and Lim's algorithm
  norm: str = 'none'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train, real=None):
    """Returns sounds, or spectrograms beside those of real ones.

    Args:
      z: [B, Z].
      label: [B], or None.
      train: whether statistics are updated.
      real: sounds [B, T, 1], or None.

    Returns:
      sounds [B, T, 1] float32; with `real` (its spectrograms, those made of z),
      both [B, frames, bins] float32 in [-1, 1].
    """
    frames, bins = grid_of(self.shape, self.window, self.hop)
    logs = None if real is None else self._logs(real)
    scale = Scale(train, self.axis_name, name='scale')
    mean, spread = (x[None, None] for x in scale(bins, logs))
    made = self._spectrograms(z, label, frames, bins, train=train)
    if real is None:
      return self._sounds(made * DEVIATIONS * spread + mean)
    there = (logs - mean) / (DEVIATIONS * spread)
    return jnp.clip(there, -1, 1), made

  def _spectrograms(self, z, label, frames, bins, *, train):
    """[B, frames, bins] of z [B, Z]."""
    widths = self.widths or default_widths(frames, bins)[::-1]
    _check_widths(widths, frames, bins)
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, label=label, kernel_init=INIT)
    x = stages.grown(
      part,
      z,
      shape=(frames, bins, 1),
      widths=widths,
      label=label,
      num_classes=self.num_classes,
      taps=TAPS,
    )
    return jnp.tanh(x[..., 0].astype(jnp.float32))

  def _logs(self, x):
    """Logarithms of magnitudes [B, frames, bins] of sounds [B, T, 1]."""
    made = spectrograms.spectra(x[..., 0], window=self.window, hop=self.hop)
    return jnp.log(jnp.abs(made[..., :-1]) + QUIET)

  def _sounds(self, logs):
    """Sounds [B, T, 1] of logarithms of magnitudes [B, frames, bins]."""
    # No sound in [-1, 1] has more than the sum of the window.
    loud = jnp.exp(jnp.minimum(logs, math.log(self.window / 2)))
    x = spectrograms.griffin_lim(
      jnp.pad(loud, ((0, 0), (0, 0), (0, 1))),
      self.shape[0],
      window=self.window,
      hop=self.hop,
      rounds=self.rounds,
    )
    return jnp.clip(x, -1, 1)[..., None]


class Discriminator(dcgan.Discriminator):
  """Spectrograms to logits; the head compares a label with their sum."""

  norm: str = 'none'

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of spectrograms [B, frames, bins] and label [B]."""
    if sample.ndim != 3 or sample.shape[2] < 2:
      raise UserError(
        'model specgan: D judges spectrograms [B, frames, bins] as G gives'
        f' them beside real sounds, not samples {list(sample.shape)}.'
      )
    widths = self.widths or default_widths(*sample.shape[1:])
    _check_widths(widths, *sample.shape[1:])
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=INIT)
    x = stages.shrunk(part, sample[..., None], widths=widths, taps=TAPS)
    flat = x.reshape(x.shape[0], -1)
    return parts.apply_head(self, part, flat, label, x.sum((1, 2)))
