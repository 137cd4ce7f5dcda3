"""The games of mere parameters, and their data."""

import numpy as np
import pytest

from gan_jax.datasets import dirac as data
from gan_jax.kinds import point
from gan_jax.models import bilinear, quadratic
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests.game import toys

POINT = np.float32([[0.5, -1.0, 2.0]])
OTHER = np.float32([1.5, 0.25, -0.5])


def test_the_data_are_the_origin():
  made = data.load(dim=3, size=5)
  assert made.shape == (3,) and made.size == 5
  assert not made.read(np.arange(5))['x'].any()


@pytest.mark.parametrize('wrong', [{'dim': 0}, {'size': 0}, {'size': 2**27}])
def test_numbers_that_are_none(wrong):
  with pytest.raises(UserError, match='data.dim=.*expected at least 1'):
    data.load(**wrong)


def test_g_is_a_point_whatever_the_latent():
  setup = setup_lib.build(command.load_config('bilinear:tiny'))
  state = setup.init()
  params = state.players['g'].params['point'][0]
  made = setup.sample(
    {'g': {'params': {'point': params}, 'vars': {}}},
    setup.keys[0],
    np.arange(3),
  )
  np.testing.assert_array_equal(made, np.stack([params] * 3))
  assert params.shape == (2,) and np.abs(params).min() > 0


def logit(net, **variables):
  return float(net.apply({'params': variables}, POINT, train=True)[0])


def test_the_value_of_the_bilinear_game():
  x = POINT[0]
  identity = bilinear.Discriminator()
  assert logit(identity, point=OTHER) == pytest.approx(-(x @ OTHER))
  drawn = bilinear.Discriminator(matrix='normal', matrix_seed=2, size=2)
  a = np.random.default_rng(2).normal(size=(3, 2)) / np.sqrt(3)
  assert logit(drawn, point=OTHER[:2]) == pytest.approx(
    -(x @ a @ OTHER[:2]), rel=1e-5
  )
  assert bilinear.matrix('identity', 2, 3, 0).tolist() == [[1, 0, 0], [0, 1, 0]]
  with pytest.raises(UserError, match="model.d.matrix='ones': there are iden"):
    logit(bilinear.Discriminator(matrix='ones'), point=OTHER)


def test_the_value_of_a_quadratic_game():
  options = {'g_curvature': 0.3, 'd_curvature': 0.7, 'coupling': -2.0}
  net = quadratic.Discriminator(matrix_seed=1, **options)
  first = np.random.default_rng(1).normal(size=(3, 3, 3)) / np.sqrt(3)
  p, q, a = first[0] @ first[0].T, first[1] @ first[1].T, first[2]
  x, y = POINT[0], OTHER
  value = 0.15 * x @ p @ x - 2.0 * x @ a @ y - 0.35 * y @ q @ y
  assert logit(net, point=OTHER) == pytest.approx(-value, rel=1e-5)


def test_first_points_are_as_far_as_one_says():
  one = toys.Toy('dirac', dim=50, **{'data.dim': 50})
  far = {'model.g.start': 10.0, 'model.d.start': 10.0}
  other = toys.Toy('dirac', dim=50, **{'data.dim': 50}, **far)
  points = [
    np.concatenate(
      [*t.start().players['g'].params.values()]
      + [*t.start().players['d'].params.values()]
    )
    for t in (one, other)
  ]
  np.testing.assert_allclose(points[1], 10 * points[0], rtol=1e-5)
  assert 0.8 < points[0].std() < 1.2


def test_a_seed_of_no_matrix_would_be_ignored():
  assert bilinear.ignored({'d': {'matrix_seed': 3}}) == 'd.matrix_seed'
  drawn = {'matrix': 'normal', 'matrix_seed': 3}
  for own in ({}, {'d': {}}, {'d': {'matrix_seed': 0}}, {'d': drawn}):
    assert bilinear.ignored(own) == ''


@pytest.mark.parametrize('recipe', ['bilinear', 'dirac', 'quadratic'])
def test_labels_are_refused(recipe):
  config = command.load_config(f'{recipe}:tiny', {'conditional': True})
  with pytest.raises(UserError, match='dirac has no labels'):
    setup_lib.build(config)


@pytest.mark.parametrize('dim', [1, 2, 5])
def test_points_of_any_dimension_are_shown_in_a_plane(dim):
  points = np.arange(3.0 * dim).reshape(3, dim)
  plane = point.in_plane(points)
  assert plane.shape == (3, 2)
  np.testing.assert_array_equal(plane[:, :dim], points[:, :2])
  assert dim > 1 or not plane[:, 1].any()
  assert point.picture(points, real=points).size == (600, 600)
  assert point.lines(points)
