"""Strips, films, mixes, directions and inversions of small generators."""

import types

import jax
import numpy as np
import pytest
from PIL import Image

from gan_jax import sample
from gan_jax.game.sampling import directions, mixing, paths
from gan_jax.run import draws
from gan_jax.run.samplers import (
  features,
  inverting,
  spaces,
  strip_file,
  strips,
  works,
)
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.bad_input import refused
from tests.run import sampled


def close(a, b, atol=1e-5):
  np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize('which', ['STYLED', 'CODED', 'POINTS'])
def test_points_of_a_space_are_the_samples(which):
  _, setup, state = sampled.run(which)
  own = sampled.space(which, 5)
  want = draws.draw(setup, state, 5)
  close(own.render(own.points, np.arange(5)), want)
  close(own.render(own.points[[3, 1]], [3, 1]), want[[3, 1]])


@pytest.mark.parametrize(
  'which, path', [('STYLED', 'lerp'), ('POINTS', 'slerp')]
)
def test_strips_lead_from_one_sample_to_the_next(which, path):
  own = sampled.space(which, 4)
  assert strips.path_of(own, '') == path
  made = strips.between(own, 5, path)
  close(made[:, 0], own.render(own.points[::2], [0, 2]))
  close(made[:, -1], own.render(own.points[1::2], [0, 2]))
  middle = paths.walk(own.points[::2], own.points[1::2], 5, path=path)[:, 2]
  close(made[:, 2], own.render(middle, [0, 2]))


def test_paths_that_there_are():
  styled, coded = sampled.space('STYLED', 2), sampled.space('CODED', 2)
  assert strips.path_of(coded, '') == 'lerp'
  assert strips.path_of(sampled.space('POINTS', 2), 'lerp') == 'lerp'
  with pytest.raises(UserError, match='path=slerp: it is for latents'):
    strips.path_of(styled, 'slerp')
  with pytest.raises(UserError, match='path=round: there are slerp, lerp'):
    strips.path_of(styled, 'round')


def test_directions_of_styles_are_those_of_all_affine_maps():
  own = sampled.space('STYLED', 2)
  params = own.variables['g']['params']['synthesis']
  kernels = [
    params[name]['affine']['kernel']
    for name in sorted(params)
    if isinstance(params[name], dict) and 'affine' in params[name]
  ]
  assert len(kernels) > 3
  a = np.float64(np.concatenate(kernels, 1))
  u, _, _ = np.linalg.svd(a / np.linalg.norm(a, axis=0))
  for k in range(3):
    found = spaces.direction(own, f'sefa:{k}')
    assert abs(abs(found @ u[:, k]) - 1) < 1e-4
  ws = own.points
  made = strips.along(own, found, [-2, 0, 1])
  close(made[:, 1], own.render(ws, [0, 1]))
  moved = ws + found[None, None]
  close(made[:, 2], own.render(moved, [0, 1]))


def test_directions_of_latents_are_those_of_the_first_layer():
  for which, name in (('CODED', 'dense_0'), ('POINTS', 'hidden_0')):
    own = sampled.space(which, 2)
    params = own.variables['g']['params']
    kernel = np.asarray(params[name]['kernel'])
    slopes = features.first_weights(own)
    close(slopes, kernel)
    want, _ = directions.sefa(kernel)
    close(spaces.direction(own, 'sefa:1'), want[1])
    moved = strips.along(own, want[1], [0.5])[:, 0]
    close(moved, own.render(own.points + 0.5 * want[1], [0, 1]), 1e-4)


def test_a_layer_may_see_a_part_of_a_latent_or_z_beside_a_class():
  from gan_jax.run import setup as setup_lib
  from gan_jax.run.samplers import settling
  from gan_jax.run.samplers.way import Way

  config, *_ = sampled.run('CODED')
  small = {'unit': 2, 'norm': 'batch', 'widths': (2, 2)}
  for g, rows in (
    (small | {'hierarchical': True}, slice(0, 4)),
    (small | {'norm': 'none'}, slice(0, 8)),
  ):
    own = config | {
      'model': {
        'name': 'biggan', 'g': g, 'd': {'unit': 2, 'widths': (2, 2)},
      },
      'conditioning': {'name': 'projection'},
      'latent': {'dim': 8}, 'conditional': True,
    }  # fmt: skip
    setup = setup_lib.build(own)
    space = spaces.space(
      setup, setup.init(), settling.settled(Way(), setup), 2, seed=0,
      labels=np.array([1, 2]), run_seed=0, flag='',
    )  # fmt: skip
    slopes = features.first_weights(space)
    assert slopes.shape[0] == 8
    there = np.abs(slopes).sum(1) > 0
    assert there[rows].all() and there.sum() == len(range(8)[rows])


def test_components_are_those_of_many_styles(monkeypatch):
  monkeypatch.setattr(spaces, 'MANY', 300)
  own = sampled.space('STYLED', 2)
  many = sampled.space('STYLED', 300).points[:, 0]
  want = directions.pca(many)[0]
  close(spaces.direction(own, 'pca:0'), want[0], 1e-3)
  points = sampled.space('POINTS', 2)
  found = spaces.direction(points, 'pca:0')
  assert found.shape == points.points.shape[1:]
  assert abs(np.linalg.norm(found) - 1) < 1e-5


def test_a_table_of_mixes():
  own = sampled.space('STYLED', 4)
  table = strips.mixed(own, '0-1')
  assert table.shape[:2] == (3, 3)
  assert (table[0, 0] == -1).all()
  plain = own.render(own.points, np.arange(4))
  close(table[0, 1:], plain[:2])
  close(table[1:, 0], plain[2:])
  ws = mixing.mixed(own.points[[2, 3]], own.points[[1, 1]], range(0, 2))
  close(table[1:, 2], own.render(ws, [2, 3]))
  with pytest.raises(UserError, match='mix=5-9: no such layers; .* has 4'):
    strips.mixed(own, '5-9')
  with pytest.raises(UserError, match='mix=coarse: .* model mlp has no styles'):
    strips.mixed(sampled.space('POINTS', 4), 'coarse')


def test_a_code_that_is_walked():
  own = sampled.space('CODED', 3)
  made = strips.coded(own, 4, np.eye(3, dtype=np.float32))
  assert made.shape[:2] == (3, 3)
  z = own.points.copy()
  z[:, 4:7] = [0, 1, 0]
  close(made[:, 1], own.render(z, np.arange(3)))


@pytest.mark.parametrize('which', ['STYLED', 'CODED'])
def test_a_sample_of_the_generator_is_found_again(which):
  own = sampled.space(which, 64)
  if which == 'STYLED':
    # Without noise, of which an inversion has another one.
    quiet = jax.tree.map(np.zeros_like, own.latents['noise'])
    own = own._replace(latents={**own.latents, 'noise': quiet})
  goal = own.render(own.points[[3, 9]], [3, 9])
  own = own._replace(
    points=own.points[10:], latents=jax.tree.map(lambda x: x[10:], own.latents)
  )
  first, _, _ = inverting.invert(own, goal, None, steps=1)
  made, points, by = inverting.invert(own, goal, None, steps=150)
  assert by == "pixels and D's features"
  apart = lambda x: np.square(x - goal).mean()
  assert apart(made) < 0.1 * apart(first)
  shape = own.points.shape[2:] if which == 'STYLED' else own.points.shape[1:]
  assert points.shape == (2, *shape)


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
    config, setup, state = sampled.run(which)
    opened = lambda *args, **kwargs: (config, setup, state, 7)
    monkeypatch.setattr(contents, 'open_run', opened)
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
