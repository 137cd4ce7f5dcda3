"""Strips, films, mixes, directions and inversions of small generators."""

import jax
import numpy as np
import pytest

from gan_jax.game.sampling import directions, mixing, paths
from gan_jax.run import draws
from gan_jax.run.samplers import (
  features,
  inverting,
  spaces,
  strips,
)
from gan_jax.types import UserError
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
