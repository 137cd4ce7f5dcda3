"""Spectra of sounds, and sounds of them, beside NumPy's and SciPy's."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from gan_jax.models.layers import spectrograms
from tests.components.compiled import close

SIZES = {'window': 32, 'hop': 16}


def noise(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return rng.uniform(-0.5, 0.5, shape).astype(np.float32)


def placed(length, window, hop):
  """(frames, moments before the sound, moments of all frames)."""
  frames = -(-length // hop)
  return frames, (window - hop) // 2, (frames - 1) * hop + window


def spectrum(x, window, hop):
  """Of one sound [T], frame by frame."""
  frames, before, whole = placed(len(x), window, hop)
  padded = np.zeros(whole)
  padded[before : before + len(x)] = x
  hann = scipy.signal.get_window('hann', window)
  each = [
    np.fft.rfft(hann * padded[i * hop : i * hop + window])
    for i in range(frames)
  ]
  return np.array(each)


def sound(x, length, window, hop):
  """The least squares of Griffin and Lim's equation, frame by frame."""
  frames, before, whole = placed(length, window, hop)
  hann = scipy.signal.get_window('hann', window)
  above, below = np.zeros((2, whole))
  for i in range(frames):
    at = slice(i * hop, i * hop + window)
    above[at] += hann * np.fft.irfft(x[i], window)
    below[at] += hann**2
  kept = slice(before, before + length)
  return above[kept] / below[kept]


LAYOUTS = [(256, 256, 128), (100, 32, 16), (75, 32, 7), (33, 32, 5), (4, 4, 1)]


@pytest.mark.parametrize('length, window, hop', LAYOUTS)
def test_spectra_are_numpys_and_lead_back(length, window, hop):
  x = noise(2, length)
  sizes = {'window': window, 'hop': hop}
  made = spectrograms.spectra(jnp.asarray(x), **sizes)
  frames = spectrograms.frames_of(length, **sizes)
  assert made.shape == (2, frames, window // 2 + 1)
  want = np.array([spectrum(one, window, hop) for one in x])
  np.testing.assert_allclose(made, want, rtol=0, atol=1e-4)
  back = spectrograms.sounds(made, length, **sizes)
  np.testing.assert_allclose(back, x, rtol=0, atol=1e-5)


def test_spectra_are_scipys():
  x = noise(1, 128)
  ours = spectrograms.spectra(jnp.asarray(x), **SIZES)[0]
  hann = scipy.signal.get_window('hann', 32)
  stft = scipy.signal.ShortTimeFFT(hann, 16, 1.0, phase_shift=None)
  # SciPy's p-th frame is centred at 16 p, our i-th at 8 + 16 i.
  theirs = stft.stft(np.pad(x[0], (8, 8)), p0=1, p1=9)
  close(np.asarray(ours.T), theirs)


@pytest.mark.parametrize('rounds', [0, 1, 3])
def test_griffin_and_lim_as_numpy(rounds):
  loud = np.abs(noise(2, 7, 17, seed=1)) + 0.1
  ours = spectrograms.griffin_lim(
    jnp.asarray(loud), 75, window=32, hop=11, rounds=rounds
  )
  for k in range(2):
    x = sound(loud[k].astype(complex), 75, 32, 11)
    for _ in range(rounds):
      made = spectrum(x, 32, 11)
      x = sound(loud[k] * np.exp(1j * np.angle(made)), 75, 32, 11)
    np.testing.assert_allclose(ours[k], x, rtol=0, atol=1e-4)


def tones():
  """Three tones of 1024 moments that fade, with two overtones each."""
  t = np.arange(1024)
  pitch = np.array([0.021, 0.033, 0.047])[:, None]
  waves = [np.sin(2 * np.pi * h * pitch * t + h) / h for h in (1, 2, 3)]
  return np.float32(0.4 * np.exp(-t / 800) * sum(waves))


def test_the_spectrum_of_a_tone_comes_back():
  x, sizes = tones(), {'window': 128, 'hop': 64}
  loud = np.abs(spectrograms.spectra(jnp.asarray(x), **sizes))
  left = []
  for rounds in (0, 16):
    made = spectrograms.griffin_lim(loud, 1024, rounds=rounds, **sizes)
    again = np.abs(spectrograms.spectra(made, **sizes))
    off = np.linalg.norm(again - loud, axis=(1, 2))
    left.append(off / np.linalg.norm(loud, axis=(1, 2)))
  assert (left[1] < 0.2).all() and (left[1] < left[0] / 2).all()
