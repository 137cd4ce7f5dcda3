"""Spoken digits of TFDS, read without TensorFlow; what sounds share."""

import os
import pathlib
import sys

import numpy as np
import pytest

from gan_jax import train
from gan_jax.data import loading, news
from gan_jax.types import UserError
from tests import tiny_data
from tests.bad_input import ROOT, refused

TIMES = np.arange(600)
# Of several lengths, the loudest level among them.
CLIPS = [
  np.rint(a * np.sin(TIMES[:n] / 9)).astype(np.int64)
  for n, a in ((300, 9), (500, 20_000), (400, 32_767), (600, 3000))
]
REAL = pathlib.Path(os.environ.get('GAN_JAX_DATA', '/nowhere'))


@pytest.fixture(autouse=True)
def nothing_said_before():
  news._print.cache_clear()


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
  """Four recordings; not to be changed."""
  return tiny_data.write_spoken_digits(tmp_path_factory.mktemp('tfds'), CLIPS)


def heard(folder, **options):
  """(data set, {digit: its clip [T]})."""
  data = loading.load('spoken_digit', dir=str(folder), **options)
  batch = loading.arrays(data)
  return data, dict(
    zip(batch['label'].tolist(), batch['x'][..., 0], strict=True)
  )


def test_levels_and_labels_are_as_they_were(prepared, capsys, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorflow', None)  # no import of it
  data, clips = heard(prepared, length=400)
  assert data.kind == 'audio' and data.shape == (400, 1) and data.size == 4
  assert data.class_names == tuple('0123456789')
  assert data.about == {'sample_rate': 8000}
  for digit, own in enumerate(CLIPS):
    silence = np.zeros(max(0, 400 - len(own)))
    np.testing.assert_array_equal(clips[digit], [*own[:400], *silence])
    assert clips[digit].dtype == np.int16
  line = 'spoken_digit: 4 sounds; 2 cut to 400 samples; 1 padded to 400 samples'
  assert capsys.readouterr().err == f'data.name={line}.\n'


def test_a_part_at_another_rate(prepared, capsys):
  data, clips = heard(prepared, split='train[:1]', sample_rate=16_000)
  ((digit, x),) = clips.items()
  own = CLIPS[digit]
  assert data.about == {'sample_rate': 16_000} and len(x) == 2 * len(own)
  np.testing.assert_allclose(x[100:-100:2], own[50:-50], atol=0.01 * own.max())
  assert '1 sound; 1 resampled to 16000 Hz.' in capsys.readouterr().err
  prints = {
    heard(prepared, length=400, **options)[0].fingerprint
    for options in ({}, {'sample_rate': 16_000}, {'split': 'train[:1]'})
  }
  assert len(prints) == 3


@pytest.mark.parametrize(
  ('options', 'words'),
  [
    (
      {},
      r'_ann_0.wav: \d00 samples, \d_ann_0.wav has \d00; data.length=N cuts',
    ),
    ({'length': 1}, 'data.length=1: expected 4 to 4194304, or 0'),
    ({'sample_rate': 9}, 'data.sample_rate=9: expected 1000 to'),
    ({'split': 'test'}, "data.split='test': .*splits: train"),
    ({'dir': 'nowhere'}, 'has not been prepared in .*"tensorflow.*" pydub'),
  ],
)
def test_mistakes(prepared, options, words):
  with pytest.raises(UserError, match=words) as e:
    loading.load('spoken_digit', **{'dir': str(prepared)} | options)
  assert '\n' not in str(e.value)


@pytest.mark.parametrize(
  ('clip', 'words'),
  [([0, 2**15], 'levels of 16 bits, there are 0 to 32768'), ([], 'none')],
)
def test_what_is_no_sound_of_16_bits(clip, words, tmp_path):
  tiny_data.write_spoken_digits(tmp_path, [clip])
  with pytest.raises(UserError, match=f'0_ann_0.wav: expected .*{words}'):
    heard(tmp_path, length=400)


def test_the_recipe_takes_it_and_names_the_folder(tmp_path, monkeypatch, capfd):
  monkeypatch.chdir(tmp_path)
  recipe = f'--config={ROOT}/configs/spoken_digit_wavegan.py:tiny'
  argv = [recipe, '--config.data.name=spoken_digit', '--workdir=runs/a']
  argv += [f'--config.data.dir={tmp_path}/none']
  refused(capfd, train.main, argv, 'has not been prepared', root=tmp_path)


def test_real_recordings():
  if not (REAL / 'spoken_digit').is_dir():
    pytest.skip(f'no spoken_digit in GAN_JAX_DATA={REAL}')
  data, _ = heard(REAL, length=4096)
  arrays = loading.arrays(data)
  assert (data.size, data.shape) == (3000, (4096, 1))
  assert np.bincount(arrays['label']).tolist() == [300] * 10
  assert abs(np.abs(arrays['x'].astype(float)).mean() - 807.39) < 0.01
