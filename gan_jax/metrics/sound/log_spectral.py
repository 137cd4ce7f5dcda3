"""Log-spectral distance of two sets of sounds, at several resolutions."""

import numpy as np

from gan_jax.kinds.hearing import spectra

WINDOWS = (64, 256, 1024)  # samples; those longer than a sound are left out
MOST = 1000  # sounds of each side
QUIET = -80.0  # dB of a full wave, and below


def distance(real: np.ndarray, fake: np.ndarray) -> float:
  """How far the spectra of two sets of sounds are apart, in dB.

  A sound has one level for each frequency: the mean over time of its short-time
  levels in dB, under a Hann window that moves by a quarter. For each frequency
  the levels of both sets are compared as distributions over the sounds
  (1-Wasserstein distance); the result is the mean over frequencies, then over
  windows.

  Args:
    real: [N, T] in [-1, 1].
    fake: [M, T].
  """
  count = min(len(real), len(fake), MOST)
  windows = [w for w in WINDOWS if w <= real.shape[1]] or WINDOWS[:1]
  each = [
    np.abs(_levels(real[:count], w) - _levels(fake[:count], w)).mean()
    for w in windows
  ]
  return float(np.mean(each))


def _levels(x, window):
  """Levels of each frequency in dB, sorted over the sounds: [N, K]."""
  loud = np.concatenate(
    [
      _in_time(x[start : start + spectra.CHUNK], window)
      for start in range(0, len(x), spectra.CHUNK)
    ]
  )
  return np.sort(loud, axis=0)


def _in_time(x, window):
  loud = spectra.magnitudes(x, window, window // 4)
  level = 20 * np.log10(np.maximum(loud, 10 ** (QUIET / 20)))
  return level.mean(axis=1, dtype=np.float64)
