"""Strips, inversions and neighbours from Python: what the command makes."""

import numpy as np
import pytest

import gan_jax
from gan_jax.run import shown
from gan_jax.run.samplers import asked, inverting, spaces, strips
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.run import sampled


@pytest.fixture
def trained(monkeypatch, tmp_path):
  """One of the small runs, open."""

  def call(which):
    monkeypatch.setattr(contents, 'open_run', sampled.opening(which))
    return gan_jax.load(tmp_path)

  return call


def close(a, b, atol=1e-5):
  np.testing.assert_allclose(a, b, atol=atol)


def test_strips_between_samples(trained):
  gan = trained('POINTS')
  made = gan.strips(5, seed=2, interpolate=3)
  assert made.shape == (2, 3, *gan.shape) and made.dtype == np.float32
  plain = gan.sample(4, seed=2)
  close(made[:, 0], plain[::2])
  close(made[:, -1], plain[1::2])
  straight = gan.strips(5, seed=2, interpolate=3, path='lerp')
  assert np.abs(straight[:, 1] - made[:, 1]).max() > 1e-3


def test_strips_along_a_direction_and_of_codes(trained):
  gan = trained('CODED')
  own = sampled.space('CODED', 2)
  along = gan.strips(2, direction='sefa:1', strength=(-1, 2.5))
  close(along, strips.along(own, spaces.direction(own, 'sefa:1'), [-1, 2.5]))
  walked = gan.strips(2, code='c0=0..2,c1=0.5')
  for i in range(3):
    close(walked[:, i], gan.sample(2, code=f'c0={i},c1=0.5'))


def test_a_table_of_mixes_of_truncated_styles(trained):
  gan = trained('STYLED')
  table = gan.strips(5, mix='0-1', truncation=0.5)
  assert table.shape[:2] == (3, 3)
  plain = gan.sample(4, truncation=0.5)
  close(table[0, 1:], plain[:2])
  close(table[1:, 0], plain[2:])


def test_both_ends_of_a_strip_are_of_one_class(monkeypatch):
  _, setup, state = sampled.run('POINTS')
  own = sampled.space('POINTS', 4)
  take = lambda *args, labels, **how: own._replace(labels=labels)
  monkeypatch.setattr(spaces, 'space', take)
  monkeypatch.setattr(asked, '_made', lambda own, asked: (own.labels, {}))
  how = {'seed': 0, 'labels': np.array([3, 1, 2, 0, 5]), 'run_seed': 0}
  made = asked.make(setup, state, None, 5, asked.Asked(interpolate=2), **how)
  assert [*made.samples] == [3, 3, 1, 1]
  assert [*made.labels] == [3, 1]  # one of each strip


def test_samples_are_found_again(trained, monkeypatch):
  monkeypatch.setattr(inverting, 'CANDIDATES', 16)
  gan = trained('CODED')
  goal = gan.sample(10)[[3, 9]]
  near, points = gan.invert(goal, steps=2)
  assert near.shape == goal.shape
  far = gan.sample(2, seed=5)
  apart = lambda x: np.square(x - goal).mean()
  assert apart(near) < 0.2 * apart(far)  # it begins with the best candidate
  close(gan.generate(points), near, 1e-4)


def test_examples_nearest_to_samples(trained):
  gan = trained('POINTS')
  near = gan.neighbours(gan.sample(3), k=2)
  assert near.shape == (3, 2, *gan.shape)
  close(gan.neighbours(near[:, 0])[:, 0], near[:, 0])
  dataset = sampled.run('POINTS')[1].dataset
  real = shown.in_model_range(dataset, np.arange(dataset.size))
  apart = lambda x: np.square(x[:, None] - real[None]).sum(-1)
  assert (apart(near.reshape(6, -1)).min(1) == 0).all()  # examples they are
  best = np.sort(apart(gan.sample(3)), 1)[:, :2]
  own = np.square(near - gan.sample(3)[:, None]).sum(-1)
  assert (own < 1.5 * best + 1e-3).all()


REFUSED = [
  ('POINTS', {}, 'strips: expected one of interpolate, direction, mix, or a'),
  ('POINTS', {'interpolate': 3, 'mix': '0'}, 'got interpolate and mix'),
  ('POINTS', {'interpolate': 1}, 'interpolate=1: expected 2 samples'),
  ('POINTS', {'interpolate': 2.5}, 'interpolate=2.5: expected'),
  ('POINTS', {'interpolate': 3, 'strength': 1}, 'strength: it goes with dir'),
  ('POINTS', {'direction': 'sefa:0', 'path': 'lerp'}, 'path: it goes with'),
  (
    'POINTS',
    {'direction': 'sefa:0', 'strength': 'a'},
    'strength: expec',
  ),
  ('POINTS', {'direction': 3}, 'direction=3: expected'),
  ('POINTS', {'mix': 'coarse'}, 'mix=coarse: the generator of model mlp'),
  (
    'POINTS',
    {'interpolate': 3, 'rejection': 'drs'},
    'rejection=drs: it',
  ),
  ('POINTS', {'interpolate': 3, 'truncate': 1.0}, "did you mean 'truncation'"),
  ('POINTS', {'interpolate': 3, 'ema': 0.1}, 'ema: a run is opened with it'),
  ('CODED', {'code': 'c0=1'}, 'or a code with a walk; got none'),
]


@pytest.mark.parametrize('which, how, words', REFUSED)
def test_what_is_refused(which, how, words, trained):
  with pytest.raises(UserError) as error:
    trained(which).strips(4, **how)
  assert words in str(error.value)
