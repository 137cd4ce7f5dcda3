"""Files of strips, by the command; what is refused."""

import types

import numpy as np
import pytest
from PIL import Image

from gan_jax import sample
from gan_jax.run import draws
from gan_jax.run.samplers import (
  strip_file,
  works,
)
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.bad_input import refused
from tests.run import sampled


def close(a, b, atol=1e-5):
  np.testing.assert_allclose(a, b, atol=atol)


def test_files_of_strips(tmp_path):
  _, setup, _ = sampled.run('STYLED')
  made = np.random.default_rng(0).uniform(-1, 1, (2, 5, 8, 8, 1))
  made = made.astype(np.float32)
  for name in ('a.png', 'a.webp', 'b.npz', 'picture.webp'):
    film = name != 'picture.webp'
    strip_file.check(setup, tmp_path / name, film=film)
    strip_file.write(tmp_path / name, setup, made, film=film, strength=[1])
  with Image.open(tmp_path / 'a.webp') as opened:
    assert opened.n_frames == 8  # there and back
  with Image.open(tmp_path / 'picture.webp') as opened:
    still = opened.size
  with Image.open(tmp_path / 'a.png') as opened:
    assert opened.size == still and opened.width > 2 * opened.height
  with np.load(tmp_path / 'b.npz') as arrays:
    np.testing.assert_array_equal(arrays['samples'], made)
    assert arrays['strength'] == [1]
  points = types.SimpleNamespace(dataset=sampled.run('POINTS')[1].dataset)
  with pytest.raises(UserError, match='ending in .webp .npz for strips'):
    strip_file.check(points, tmp_path / 'x.png', film=True)
  with pytest.raises(UserError, match='ending in .png .webp .npz for'):
    strip_file.check(setup, tmp_path / 'x.txt', film=True)


@pytest.fixture
def command(monkeypatch, tmp_path):
  """sample of one of the small runs."""

  def call(which, *flags):
    monkeypatch.setattr(contents, 'open_run', sampled.opening(which))
    sample.main(['sample', '--workdir=x', *flags])

  return call


DONE = {
  'STYLED': [
    ('a.png', '--interpolate=3', '3 strips of 3'),
    ('a.npz', '--mix=2', '3 strips of 3'),
    ('a.npz', '--direction=sefa:0', '6 strips of 7'),
  ],
  'CODED': [
    ('b.webp', '--code=c0=0..2,c1=0.5', '6 strips of 3'),
    ('a.npz', '--code=c0=1', '6 samples'),
  ],
  'POINTS': [('a.webp', '--interpolate=3', '3 strips of 3')],
}


@pytest.mark.parametrize('which', DONE)
def test_by_the_command(which, command, tmp_path, capfd):
  for name, flag, words in DONE[which]:
    out = tmp_path / name
    command(which, f'--out={out}', flag, '--num=6')
    assert words in capfd.readouterr().out and out.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == [name]
    out.unlink()


REFUSALS = [
  ('STYLED', ['--interpolate=1'], '--interpolate=1: expected 2'),
  ('STYLED', ['--interpolate='], '--interpolate=: expected a value'),
  ('STYLED', ['--interpolate=8', '--num=1'], '--num=1, expected at least 2'),
  ('STYLED', ['--interpolate=8', '--mix=0'], 'does not go with --mix'),
  ('STYLED', ['--path=lerp'], '--path=lerp: it goes with --interpolate'),
  ('STYLED', ['--strength=1'], '--strength=1: it goes with --direction'),
  ('STYLED', ['--direction=sefa'], 'direction=sefa: expected sefa:K or pca:K'),
  ('STYLED', ['--direction=sefa:99'], 'direction=sefa:99: there are 6, 0 to 5'),
  (
    'STYLED',
    ['--direction=sefa:0', '--strength=a,b'],
    '--strength=a,b: expected numbers',
  ),
  ('STYLED', ['--mix=rough'], 'mix=rough: expected one of coarse'),
  ('STYLED', ['--neighbours=-1'], '--neighbours=-1: expected at least 0'),
  ('STYLED', ['--invert=none'], '--invert=none: there is no such folder'),
  (
    'STYLED',
    ['--invert=none', '--truncation=.5'],
    '--invert: does not go with --truncation=0.5',
  ),
  ('STYLED', ['--interpolate=none'], '--interpolate: model stylegan2 has no'),
  ('STYLED', ['--truncation=a'], 'truncation=a: expected a number'),
  ('STYLED', ['--truncation='], '--truncation=: expected a value'),
  ('POINTS', ['--truncation=.7'], 'truncation=0.7: the generator of model mlp'),
  ('POINTS', ['--classes=0'], '--classes=0: this generator knows no classes'),
  ('POINTS', ['--class=0', '--classes=0'], 'are the same flag'),
  ('CODED', ['--code=c0=0..2', '--interpolate=3'], 'a walk does not go with'),
  ('POINTS', ['--code=c0=1'], 'the latent of this run has no codes'),
  (
    'POINTS',
    ['--interpolate=3', '--rejection=drs'],
    '--interpolate: does not go with --rejection=drs',
  ),
]


@pytest.mark.parametrize('which, flags, words', REFUSALS)
def test_mistakes_are_a_line(which, flags, words, command, tmp_path, capfd):
  main = lambda argv: command(which, *argv[1:])
  refused(
    capfd, main, [f'--out={tmp_path}/x.npz', *flags], words, root=tmp_path
  )


def test_classes_by_their_numbers_and_names():
  names = ('cat', 'dog', 'eel')
  setup = types.SimpleNamespace(
    dataset=types.SimpleNamespace(class_names=names), num_classes=3
  )
  of = lambda words: draws.class_numbers(setup, words, flag='--classes')
  assert of('0,2') == of('cat,eel') == of('cat,2') == [0, 2]
  with pytest.raises(
    UserError, match='--classes=3: no such class; there are 3'
  ):
    of('0,3')
  with pytest.raises(UserError, match='--classes=fox: no such class'):
    of('fox')
  setup.dataset.class_names = ('3', '07')
  assert of('7,3') == [1, 0]
  with pytest.raises(UserError, match='--classes=0: no such class'):
    of('0')


def test_the_flags_of_a_work_are_all_told():
  text = ' '.join(sample.help_lines())
  for name in works.usual():
    assert f'--{name}' in text
