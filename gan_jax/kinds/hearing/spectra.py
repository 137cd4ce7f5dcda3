"""Sound as an ear has it: spectrograms on the mel scale, fundamentals.

Mel: f -> 2595 log10(1 + f / 700), O'Shaughnessy, Speech Communication (1987).
"""

import functools
import math

import numpy as np

RATE = 8000  # Hz, of data that do not say
SECONDS = 0.064  # of a window, brought to a power of two of samples
QUIET = 1e-4  # -80 dB of a full wave: silence
CHUNK = 256  # sounds at a time
HARMONICS = 4  # that a fundamental is recognised by
FINER = 8  # points of the spectrum for each that a sound has of its own


def rate_of(about) -> int:
  """The sample rate in Hz that a data set's `about` tells; RATE if none."""
  return int((about or {}).get('sample_rate', RATE))


def window_of(rate: int) -> int:
  """Samples of a window of about SECONDS: 256 at 4 kHz, 1024 at 16 kHz."""
  return max(32, 2 ** round(math.log2(SECONDS * rate)))


def bands_of(rate: int) -> int:
  """Mel bands: 64, from 12 kHz on 128, as the judge of WaveGAN has."""
  return 128 if rate >= 12_000 else 64


def magnitudes(x: np.ndarray, window: int, hop: int) -> np.ndarray:
  """Short-time spectra: 1 is a full sine wave's at its frequency.

  Args:
    x: [N, T]; half a window of silence is added at both ends.
    window: samples under a Hann window.
    hop: samples from one to the next.

  Returns:
    [N, 1 + T // hop, 1 + window // 2] float32.
  """
  x = np.pad(x.astype(np.float32), ((0, 0), (window // 2, window // 2)))
  frames = np.lib.stride_tricks.sliding_window_view(x, window, axis=1)
  weights = _hann(window).astype(np.float32)
  spectra = _fft(frames[:, ::hop] * weights)
  return np.abs(spectra) * np.float32(2 / weights.sum())


def _fft(x, count=None):
  """Along the last axis, in the precision of x."""
  import scipy.fft

  return scipy.fft.rfft(x, count, axis=-1)


def _hann(n):
  """As scipy.signal.get_window('hann', n), whose import takes long."""
  return np.hanning(n + 1)[:-1]


@functools.cache
def filters(rate: int, window: int, bands: int) -> np.ndarray:
  """Triangles of height 1, evenly spaced in mel from 0 to rate / 2.

  Returns:
    [1 + window // 2, bands] float32.
  """
  corners = np.linspace(0, mel(rate / 2), bands + 2)
  left, middle, right = corners[:-2], corners[1:-1], corners[2:]
  at = mel(np.fft.rfftfreq(window, 1 / rate))[:, None]
  up, down = (at - left) / (middle - left), (right - at) / (right - middle)
  return np.clip(np.minimum(up, down), 0, None).astype(np.float32)


def mel(f):
  """Hz -> mel."""
  return 2595 * np.log10(1 + np.asarray(f) / 700)


def log_mel(x: np.ndarray, rate: int) -> np.ndarray:
  """Loudness by time and mel band: -1 at -80 dB and below, 1 of a full wave.

  Args:
    x: [N, T] in [-1, 1]; what is not a number is silent.
    rate: samples a second.

  Returns:
    [N, frames, bands] float32, low bands first; a frame is a quarter of a
    window after the last.
  """
  window = window_of(rate)
  bank = filters(rate, window, bands_of(rate))
  x = np.nan_to_num(x, posinf=0, neginf=0)
  parts = [
    magnitudes(x[start : start + CHUNK], window, window // 4) @ bank
    for start in range(0, len(x), CHUNK)
  ]
  loud = np.log10(np.maximum(np.concatenate(parts), QUIET))
  return 1 + 2 * loud / -math.log10(QUIET)


def fundamentals(x: np.ndarray, rate: int, low: float, high: float):
  """The pitch of each sound, whether it has one or not.

  The frequency whose first harmonics are the loudest together, the h-th with
  weight 1 / h; a parabola through the neighbours on a grid of an eighth of the
  spectrum's own refines it.

  Args:
    x: [N, T].
    rate: samples a second.
    low, high: Hz between which it is looked for; above rate / 2 there is none.

  Returns:
    Hz [N] float64.
  """
  parts = [
    _fundamentals(x[start : start + CHUNK], rate, low, high)
    for start in range(0, len(x), CHUNK)
  ]
  return np.concatenate(parts)


def _fundamentals(x, rate, low, high):
  count = FINER * 2 ** math.ceil(math.log2(x.shape[1]))
  loud = np.abs(_fft(x * _hann(x.shape[1]), count))  # [N, K]
  first = max(1, math.ceil(low * count / rate))
  last = min(loud.shape[1] - 2, math.floor(high * count / rate))
  at = np.arange(first - 1, last + 2)  # with a neighbour on either side
  together = sum(
    _at(loud, h * at) / h for h in range(1, HARMONICS + 1)
  )  # [N, K']
  best = 1 + together[:, 1:-1].argmax(axis=1)
  rows = np.arange(len(x))
  a, b, c = (together[rows, best + k] for k in (-1, 0, 1))
  bend = a - 2 * b + c
  shift = np.where(bend < 0, 0.5 * (a - c) / np.where(bend < 0, bend, 1), 0)
  return (at[best] + shift) * rate / count


def _at(loud, places):
  """Columns of `loud`; 0 beyond the last."""
  inside = places < loud.shape[1]
  return np.where(inside, loud[:, np.minimum(places, loud.shape[1] - 1)], 0)
