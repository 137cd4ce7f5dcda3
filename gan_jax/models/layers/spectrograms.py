"""Short-time spectra of sounds, and sounds of their magnitudes. All float32.

A sound of T moments has ceil(T / hop) frames. It lies in the middle of them, so
that each of its moments is under a window at half its height or above. The
window is Hann's; a frame has window / 2 + 1 bins.
"""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.types import UserError

TINY = 1e-8  # the least magnitude that is divided by


def frames_of(length: int, *, window: int, hop: int) -> int:
  """Frames of a sound.

  Raises:
    UserError: a window or a hop that cannot be, a sound shorter than a window.
  """
  if window < 4 or window % 2:
    raise UserError(
      f'model.g.window={window}: expected an even number, 4 or more.'
    )
  if not 1 <= hop <= window // 2:
    raise UserError(
      f'model.g.hop={hop}: expected 1 to {window // 2}, half of a window.'
    )
  if length < window:
    raise UserError(
      f'model.g.window={window}: expected {length} at most, the moments of a'
      ' sound.'
    )
  return -(-length // hop)


def spectra(x, *, window: int, hop: int):
  """Short-time Fourier transforms: [B, T] -> [B, frames, window / 2 + 1]."""
  count, before, pieces = _places(x.shape[1], window, hop)
  whole = (count + pieces - 1) * hop
  after = whole - before - x.shape[1]
  x = jnp.pad(x.astype(jnp.float32), ((0, 0), (before, after)))
  x = x.reshape(-1, count + pieces - 1, hop)
  # Neighbouring pieces side by side: slices are fast where gathers are not.
  x = jnp.concatenate([x[:, i : i + count] for i in range(pieces)], axis=-1)
  return jnp.fft.rfft(x[..., :window] * _hann(window)[None, None])


def sounds(spectra, length: int, *, window: int, hop: int):
  """The sounds whose spectra come closest to these, as sums of squares.

  Griffin and Lim 1984, Signal estimation from modified short-time Fourier
  transform, section II.

  Args:
    spectra: [B, frames, window / 2 + 1] complex.
    length: T.
    window, hop: moments.

  Returns:
    [B, T]; of the spectra of a sound that sound.
  """
  count, before, _ = _places(length, window, hop)
  weights = _hann(window)[None, None]
  frames = jnp.fft.irfft(spectra, window) * weights
  of_weights = jnp.broadcast_to(jnp.square(weights), (1, count, window))
  kept = slice(before, before + length)
  return _added(frames, hop)[:, kept] / _added(of_weights, hop)[:, kept]


def griffin_lim(magnitudes, length: int, *, window: int, hop: int, rounds: int):
  """Sounds of magnitudes, by an algorithm that begins with phases of zero.

  Griffin and Lim 1984, section III: the phases are time and again replaced by
  those of the sound that they make.

  Args:
    magnitudes: [B, frames, window / 2 + 1].
    length: T.
    window, hop: moments.
    rounds: how often.

  Returns:
    [B, T] float32.

  Raises:
    UserError: a negative number of rounds.
  """
  if rounds < 0:
    raise UserError(f'model.g.rounds={rounds}: expected 0 or more.')
  sizes = {'window': window, 'hop': hop}
  magnitudes = magnitudes.astype(jnp.float32)

  def better(_, x):
    made = spectra(x, **sizes)
    phases = made / jnp.maximum(jnp.abs(made), TINY)
    return sounds(magnitudes * phases, length, **sizes)

  first = sounds(magnitudes.astype(jnp.complex64), length, **sizes)
  return jax.lax.fori_loop(0, rounds, better, first)


def _places(length, window, hop):
  """(frames, moments before the sound, hops that a window touches)."""
  count = frames_of(length, window=window, hop=hop)
  return count, (window - hop) // 2, -(-window // hop)


def _added(frames, hop):
  """Frames [B, F, window], each a hop later, as their sum [B, T']."""
  pieces = -(-frames.shape[-1] // hop)
  spare = pieces * hop - frames.shape[-1]
  x = jnp.pad(frames, ((0, 0), (0, 0), (0, spare)))
  x = x.reshape(*x.shape[:2], pieces, hop)
  later = lambda i: jnp.pad(x[:, :, i], ((0, 0), (i, pieces - 1 - i), (0, 0)))
  return sum(map(later, range(pieces))).reshape(x.shape[0], -1)


def _hann(n):
  """As scipy.signal.get_window('hann', n)."""
  return jnp.asarray(np.hanning(n + 1)[:-1], jnp.float32)
