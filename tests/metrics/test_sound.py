"""Metrics of sounds against SciPy, and against pitches that are known."""

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from gan_jax.data import kinds, loading
from gan_jax.metrics import compute, measures, views
from gan_jax.metrics.sound import family, log_spectral, pitch
from gan_jax.types import UserError

RATE = 4000


def noise(n, length=300, *, seed=0, height=0.3):
  rng = np.random.default_rng(seed)
  return (height * rng.normal(size=(n, length))).astype(np.float32)


def by_scipy(real, fake, window):
  hann = scipy.signal.get_window('hann', window)
  stft = scipy.signal.ShortTimeFFT(
    hann, window // 4, fs=1, scale_to='magnitude'
  )
  last = 1 + real.shape[1] // (window // 4)

  def levels(x):
    loud = 2 * np.abs(stft.stft(x.astype(np.float64), p0=0, p1=last))
    return (20 * np.log10(np.maximum(loud, 1e-4))).mean(axis=-1)  # [N, K]

  pairs = zip(levels(real).T, levels(fake).T, strict=True)
  return np.mean([scipy.stats.wasserstein_distance(*pair) for pair in pairs])


@pytest.mark.parametrize(('length', 'windows'), [(40, 1), (256, 2), (1100, 3)])
def test_distances_are_scipys(length, windows, monkeypatch):
  heights = np.random.default_rng(2).uniform(0.02, 1, (2, 12, 1))
  # Some of each side are the louder ones.
  real, fake = (
    noise(12, length, seed=k, height=h) for k, h in enumerate(heights)
  )
  sizes = (64, 256, 1024)[:windows]
  expected = np.mean([by_scipy(real, fake, size) for size in sizes])
  assert log_spectral.distance(real, fake) == pytest.approx(expected, rel=1e-4)
  of_nine = log_spectral.distance(real[:9], fake[:9])
  assert log_spectral.distance(real[:9], fake) == of_nine != expected
  assert log_spectral.MOST == 1000
  monkeypatch.setattr(log_spectral, 'MOST', 9)
  assert log_spectral.distance(real, fake) == of_nine


def test_ten_decibels_are_ten():
  real = noise(40)
  quieter = np.float32(10**-0.5) * real
  assert log_spectral.distance(real, quieter) == pytest.approx(10, rel=1e-3)
  assert log_spectral.distance(real, real[::-1].copy()) == 0
  assert log_spectral.distance(real, real + np.float32(0)) == 0


def detuned(cents):
  """A4 and those that are so many cents above it."""
  hz = 440 * 2 ** (np.asarray(cents)[:, None] / 1200)
  t = np.arange(1024) / RATE
  return (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_a_quarter_tone_decides():
  cents = [0, 40, 60, -45, -55, 1200]
  off = pitch.cents_off(detuned(cents), [440.0], rate=RATE)[:, 0]
  np.testing.assert_allclose(off, np.abs(cents), atol=1)
  near = pitch.near_any(detuned(cents), [440.0, 880.0], rate=RATE)
  assert near.tolist() == [True, True, False, True, False, True]
  own = pitch.near_own(detuned([0, 0]), [0, 1], [440.0, 880.0], rate=RATE)
  assert own.tolist() == [True, False]
  faint = detuned([0, 0]) * np.float32([[0.018], [0.022]])  # .009, .011
  assert pitch.near_any(faint, [440.0], rate=RATE).tolist() == [False, True]


def test_a_fundamental_is_looked_for_an_octave_around():
  two_below = detuned([-2400]) + detuned([-1200]) / 2
  assert pitch.cents_off(two_below, [440.0], rate=RATE) < 1250
  assert pitch.cents_off(two_below, [220.0], rate=RATE) > 1150


def stats(x, labels):
  fields = frozenset({'samples', 'labels'})
  return views.look(x, wants=fields, labels=labels)


def test_real_tones_have_every_pitch_and_noise_has_few():
  tones = loading.load('tones', size=60)
  batch = loading.arrays(tones)
  x = np.asarray(kinds.in_model_range(tones, batch['x']))
  known = compute.Known(about=tones.about, num_classes=10)
  real, other = stats(x, batch['label']), stats(x, (batch['label'] + 1) % 10)
  rushing = stats(noise(60, 1024)[..., None], batch['label'])
  share = lambda f, s: next(iter(f(real, s, known)[0].values()))
  assert share(family.pitched, real) == 1
  assert share(family.pitched_by_class, real) == 1
  assert share(family.pitched, other) == 1
  assert share(family.pitched_by_class, other) == 0
  assert share(family.pitched, rushing) < 0.7
  assert share(family.pitched_by_class, rushing) < 0.3
  assert share(family.spectral, rushing) > 10 > share(family.spectral, real)


def test_where_sounds_are_measured():
  tones = loading.load('tones', size=10)
  there = lambda **more: measures.where_possible(
    kind=tones.kind, about=tones.about, **more
  )
  names = measures.available_names(there())
  assert {'pitch_accuracy', 'log_spectral_distance'} <= set(names)
  assert 'class_pitch_accuracy' not in names
  assert 'class_pitch_accuracy' in measures.available_names(there(labels=True))
  with pytest.raises(
    UserError, match="'class_pitch_accuracy' needs a labelled"
  ):
    measures.expand(['class_pitch_accuracy'], there())
  bare = measures.where_possible()
  with pytest.raises(UserError, match="'pitch_accuracy' needs .*known pitches"):
    measures.expand(['pitch_accuracy'], bare)


def test_as_loud_but_at_other_frequencies_is_far():
  time = np.arange(1024)
  low, high = (
    np.stack([np.sin(2 * np.pi * f * time + k) for k in range(4)])
    for f in (0.11, 0.29)
  )
  assert log_spectral.distance(low, high) > 5
  assert log_spectral.distance(low, low[::-1]) == 0
