"""A folder of .wav files: what is read, and what is refused in one line."""

import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile

from gan_jax import train
from gan_jax.data import kinds, loading, news
from gan_jax.types import UserError
from tests.bad_input import ROOT, refused

RATE = 8000


@pytest.fixture(autouse=True)
def nothing_said_before():
  news._print.cache_clear()


def sound(n=400, hz=440, rate=RATE):
  return 0.5 * np.sin(2 * np.pi * hz * np.arange(n) / rate)


def write(path, x, *, bits=16, rate=RATE):
  """Any number of bits and channels, by the standard library."""
  path.parent.mkdir(parents=True, exist_ok=True)
  x = np.asarray(x, np.float64).reshape(len(x), -1)
  whole = np.rint(x * (2 ** (bits - 1) - 1)).astype(np.int64)
  whole += 128 if bits == 8 else 0
  raw = whole.astype('<i4').tobytes()
  raw = b''.join(raw[k : k + bits // 8] for k in range(0, len(raw), 4))
  with wave.open(str(path), 'wb') as file:
    file.setparams((x.shape[1], bits // 8, rate, 0, 'NONE', ''))
    file.writeframes(raw)


def heard(folder, **options):
  data = loading.load('sounds', dir=str(folder), **options)
  batch = loading.arrays(data)
  return data, np.asarray(kinds.in_model_range(data, batch['x']))[..., 0], batch


@pytest.mark.parametrize('bits', [8, 16, 24, 32])
def test_any_number_of_bits(bits, tmp_path, capsys):
  write(tmp_path / 'a.wav', sound(), bits=bits)
  data, x, batch = heard(tmp_path)
  assert batch['x'].dtype == np.int16 and data.shape == (400, 1)
  assert data.about == {'sample_rate': RATE}
  np.testing.assert_allclose(
    x[0], sound(), atol=1.5 * 2.0 ** -min(bits - 1, 14)
  )
  said = capsys.readouterr().err
  assert ('1 of more than 16 bits' in said) == (bits > 16)


def test_floats_and_loud_ones(tmp_path):
  loud = np.float32(3) * sound().astype(np.float32)
  scipy.io.wavfile.write(tmp_path / 'a.wav', RATE, loud)
  _, x, _ = heard(tmp_path)
  np.testing.assert_allclose(x[0], np.clip(loud, -1, 1), atol=1e-4)


def test_stereo_is_mixed_and_said(tmp_path, capsys):
  write(tmp_path / 'a.wav', np.stack([sound(), np.zeros(400)], 1))
  _, x, _ = heard(tmp_path)
  np.testing.assert_allclose(x[0], sound() / 2, atol=1e-4)
  assert '1 sound; 1 mixed to mono.' in capsys.readouterr().err


def test_classes_cuts_and_silence(tmp_path, capsys):
  write(tmp_path / '10' / 'a.wav', sound(300))
  write(tmp_path / '2' / 'b.wav', sound(500))
  (tmp_path / '2' / 'notes.txt').write_text('spoken by Ann')
  data, x, batch = heard(tmp_path, length=400)
  assert data.class_names == ('2', '10') and batch['label'].tolist() == [1, 0]
  np.testing.assert_allclose(x[0, :300], sound(300), atol=1e-4)
  assert (x[0, 300:] == 0).all()
  np.testing.assert_allclose(x[1], sound(400), atol=1e-4)
  said = capsys.readouterr().err
  for words in ('2 sounds of 2 classes', '1 cut to 400', '1 padded', '1 .txt'):
    assert words in said
  same, *_ = heard(tmp_path, length=400)
  other, *_ = heard(tmp_path, length=399)
  assert data.fingerprint == same.fingerprint != other.fingerprint


def test_rates_are_made_one(tmp_path, capsys):
  write(tmp_path / 'a.wav', sound(800))
  write(tmp_path / 'b.wav', sound(1600, rate=16_000), rate=16_000)
  data, x, _ = heard(tmp_path, sample_rate=8000)
  assert data.shape == (800, 1)
  np.testing.assert_allclose(x[1, 50:-50], sound(800)[50:-50], atol=0.01)
  assert '1 resampled to 8000 Hz' in capsys.readouterr().err


HEADER = b'RIFF' + struct.pack('<I', 36) + b'WAVEfmt ' + struct.pack(
  '<IHHIIHH', 16, 1, 1, RATE, 2 * RATE, 2, 16
) + b'data' + struct.pack('<I', 0)  # fmt: skip
ODD = {
  'empty': b'',
  '44 bytes': HEADER,
  'a picture': b'\x89PNG\r\n\x1a\n' + bytes(range(256)),
  'no channels': HEADER[:22] + b'\0\0' + HEADER[24:] + b'1234',
  'compressed': HEADER[:20] + struct.pack('<H', 85) + HEADER[22:] + b'1234',
  'no data': HEADER[:36],
}


@pytest.mark.parametrize('what', ODD)
def test_what_is_no_sound_is_refused_or_skipped(what, tmp_path, capsys):
  assert len(HEADER) == 44
  write(tmp_path / 'b.wav', sound())
  (tmp_path / 'a.wav').write_bytes(ODD[what])
  with pytest.raises(UserError, match='a.wav: cannot be read as a .wav file'):
    heard(tmp_path)
  _, x, _ = heard(tmp_path, skip_corrupt=True)
  assert len(x) == 1 and 'skipped 1 unreadable' in capsys.readouterr().err
  (tmp_path / 'b.wav').unlink()
  with pytest.raises(UserError, match='none of its 1 .wav files can be read'):
    heard(tmp_path, skip_corrupt=True)


def test_mixed_rates_and_lengths(tmp_path):
  write(tmp_path / 'a.wav', sound())
  write(tmp_path / 'b.wav', sound(), rate=16_000)
  with pytest.raises(UserError, match='16000 samples a second.*has 8000; .*ra'):
    heard(tmp_path)
  write(tmp_path / 'b.wav', sound(399))
  with pytest.raises(
    UserError, match='399 samples, a.wav has 400; data.length'
  ):
    heard(tmp_path)


@pytest.mark.parametrize(
  'options, words',
  [
    ({}, 'data.dir: expected a folder'),
    ({'dir': 'nowhere'}, 'no such folder'),
    ({'dir': 'texts'}, 'no .wav file in this folder; there are: 1 .txt'),
    ({'dir': 'texts', 'length': 1}, 'data.length=1: expected 4'),
    ({'dir': 'texts', 'sample_rate': 9}, 'data.sample_rate=9: expected 1000'),
  ],
)
def test_a_command_says_one_line_and_writes_nothing(
  options, words, tmp_path, monkeypatch, capfd
):
  (tmp_path / 'texts').mkdir()
  (tmp_path / 'texts' / 'a.txt').write_text('no sound')
  monkeypatch.chdir(tmp_path)
  given = [f'--config.data.{k}={v}' for k, v in options.items()]
  recipe = f'--config={ROOT}/configs/spoken_digit_wavegan.py:tiny'
  argv = [recipe, *given, '--workdir=runs/a']
  refused(capfd, train.main, argv, words, root=tmp_path)
