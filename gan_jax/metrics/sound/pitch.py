"""Whether sounds have the pitch that they should, where pitches are known."""

import numpy as np

from gan_jax.kinds.hearing import spectra

CENTS = 50  # a quarter tone
AROUND = 2.0  # fundamentals are looked for an octave beyond the known pitches
FAINT = 0.01  # of a full wave: what never is louder has no pitch


def cents_off(x: np.ndarray, pitches, *, rate: int) -> np.ndarray:
  """How far the fundamental of each sound is from each known pitch.

  Args:
    x: [N, T] in [-1, 1].
    pitches: [P] in Hz.
    rate: samples a second.

  Returns:
    [N, P] hundredths of a semitone; infinite where a sound is silent.
  """
  pitches = np.asarray(pitches, np.float64)
  low, high = pitches.min() / AROUND, pitches.max() * AROUND
  heard = spectra.fundamentals(x, rate, low, high)  # [N]
  off = np.abs(1200 * np.log2(heard[:, None] / pitches))
  return np.where(np.abs(x).max(axis=1)[:, None] < FAINT, np.inf, off)


def near_any(x: np.ndarray, pitches, *, rate: int) -> np.ndarray:
  """[N] bool: within a quarter tone of one of the pitches [P]."""
  return cents_off(x, pitches, rate=rate).min(axis=1) <= CENTS


def near_own(x: np.ndarray, labels, pitches, *, rate: int) -> np.ndarray:
  """[N] bool: within a quarter tone of pitches[label], of labels [N]."""
  off = cents_off(x, pitches, rate=rate)
  return off[np.arange(len(x)), np.asarray(labels)] <= CENTS
