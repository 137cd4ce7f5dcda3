"""Sounds: spectrograms, files, players; tones of known pitch."""

import base64
import re
import wave

import numpy as np
import PIL.Image
import pytest
import scipy.signal

from gan_jax.data import kinds, loading
from gan_jax.kinds import audio
from gan_jax.kinds.hearing import spectra, wav
from gan_jax.types import UserError


def sine(hz, rate, length, height=1.0):
  t = np.arange(length) / rate
  return (height * np.sin(2 * np.pi * hz * t)).astype(np.float32)[None]


@pytest.fixture(scope='module')
def tones():
  return loading.load('tones', size=40)


def test_spectra_are_scipys():
  x = np.random.default_rng(0).normal(size=(2, 600)).astype(np.float32)
  ours = spectra.magnitudes(x, 256, 64)
  stft = scipy.signal.ShortTimeFFT(
    scipy.signal.get_window('hann', 256), 64, fs=1, scale_to='magnitude'
  )
  theirs = np.abs(stft.stft(x, p0=0, p1=10))  # middles at 0, 64, ...
  np.testing.assert_allclose(ours, 2 * theirs.transpose(0, 2, 1), atol=1e-5)


@pytest.mark.parametrize('rate', [4000, 8000, 16_000])
def test_a_full_wave_is_one_at_its_band(rate):
  seen = spectra.log_mel(sine(440, rate, rate // 2), rate)[0]
  middle = seen[len(seen) // 2]
  bands = spectra.bands_of(rate)
  corners = np.linspace(0, 2595 * np.log10(1 + rate / 1400), bands + 2)[1:-1]
  nearest = np.abs(corners - 2595 * np.log10(1 + 440 / 700)).argmin()
  assert abs(middle.argmax() - nearest) <= 1
  assert middle.max() == pytest.approx(1, abs=0.15)
  assert spectra.filters(rate, spectra.window_of(rate), bands).max() <= 1
  assert (
    spectra.filters(rate, spectra.window_of(rate), bands).sum(0) > 0
  ).all()
  quieter = spectra.log_mel(sine(440, rate, rate // 2, 0.1), rate)[0]
  # 20 of 80 dB are a quarter of the way from 1 to -1.
  assert middle.max() - quieter[len(seen) // 2].max() == pytest.approx(
    0.5, 1e-3
  )
  assert (spectra.log_mel(np.full((1, 99), np.nan), rate) == -1).all()


def test_fundamentals_whatever_is_above_them():
  rng, rate = np.random.default_rng(0), 8000
  hz = rng.uniform(150, 900, 60)
  t = np.arange(2048) / rate
  x = sum(
    rng.uniform(0.3, 1, (60, 1)) / h
    * np.sin(2 * np.pi * h * hz[:, None] * t + rng.uniform(0, 6, (60, 1)))
    for h in (1, 2, 3)
  )  # fmt: skip
  x += 0.05 * rng.normal(size=x.shape)
  heard = spectra.fundamentals(x, rate, 100, 1500)
  assert np.abs(1200 * np.log2(heard / hz)).max() < 10  # cents


def test_levels_and_back_lose_nothing_and_never_wrap():
  x = np.array([-2, -1, -0.5, 0, 1, 2, np.nan, np.inf], np.float32)
  levels = audio.from_model_range(x)
  assert levels.tolist() == [-32768, -32768, -16384, 0, 32767, 32767, 0, 0]
  np.testing.assert_array_equal(
    np.asarray(audio.from_model_range(np.asarray(x, np.float32))), levels
  )


def test_a_file_has_the_rate_and_the_sound_of_the_data(tones, tmp_path):
  raw = tones.read(np.arange(3))['x']
  x = np.asarray(kinds.in_model_range(tones, raw))
  audio.export(tmp_path / 'one.wav', x[:1], dataset=tones)
  with wave.open(str(tmp_path / 'one.wav')) as file:
    assert file.getframerate() == 4000 and file.getnchannels() == 1
    assert file.readframes(-1) == raw[0].astype('<i2').tobytes()
  back, rate, bits = wav.read(tmp_path / 'one.wav')
  np.testing.assert_array_equal(back, x[0])
  assert (rate, bits) == (4000, 16)
  audio.export(tmp_path / 'all.wav', x, dataset=tones)
  assert len(wav.read(tmp_path / 'all.wav')[0]) == 3 * (1024 + 400)


def test_players_hold_the_sound_itself(tones):
  raw = tones.read(np.arange(2))['x']
  x = np.asarray(kinds.in_model_range(tones, raw))
  html = audio.fragment(x, dataset=tones, real=x, labels=['<b>', 'D4'])
  sounds = re.findall(r'src="data:audio/wav;base64,([^"]+)"', html)
  assert len(sounds) == html.count('<audio controls') == 4
  assert base64.b64decode(sounds[1])[44:] == raw[1].astype('<i2').tobytes()
  assert '&lt;b&gt;' in html and '<b>' not in html
  long = np.zeros((12, 2**17, 1), np.float32)
  assert len(audio.fragment(long, real=long)) < 2**20  # as a page takes it


@pytest.mark.parametrize('n, height', [(1, 170), (3, 170), (4, 340)])
def test_three_panels_are_a_row(n, height):
  made = audio.picture(np.zeros((n, 64, 1), np.float32), labels=['$a_b$'] * n)
  assert isinstance(made, PIL.Image.Image) and made.size == (600, height)


def test_tones_have_the_pitch_of_their_class():
  tones = loading.load('tones', size=200)
  batch = loading.arrays(tones)
  x = np.asarray(kinds.in_model_range(tones, batch['x']))[..., 0]
  pitches = np.array(tones.about['pitches'])[batch['label']]
  heard = spectra.fundamentals(x, 4000, 131, 1760)
  assert np.abs(1200 * np.log2(heard / pitches)).max() < 5
  assert tones.class_names[4] == 'A4' and tones.about['pitches'][4] == 440
  assert 0.1 < np.abs(x).max() < 1 and (np.bincount(batch['label']) == 20).all()


def test_splits_of_tones_differ():
  unseen = loading.load('tones', size=40, split='test')
  assert unseen.size == 8
  seen = loading.load('tones', size=40)
  assert seen.fingerprint != unseen.fingerprint


@pytest.mark.parametrize(
  'wrong, line',
  [
    ({'split': 'val'}, "data.split='val': there are train, test"),
    ({'sample_rate': 10}, 'data.sample_rate=10: expected 2000'),
    ({'length': 2}, 'data.length=2: expected 16'),
    ({'pitch': 3}, 'data.pitch: unknown; tones takes split, size'),
  ],
)
def test_wrong_options(wrong, line):
  with pytest.raises(UserError, match=line):
    loading.load('tones', **wrong)
