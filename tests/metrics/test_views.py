"""Views: what is kept of a stream, and what leaving out a group leaves."""

import numpy as np
import pytest

from gan_jax.metrics import fid, views
from gan_jax.metrics.features import base
from gan_jax.types import UserError

X = np.random.default_rng(0).normal(size=(57, 4)).astype(np.float32)
EVERYTHING = frozenset(views.FIELDS)


def see(samples):
  samples = np.asarray(samples)
  probabilities = np.abs(samples[:, :2])
  return base.Seen(2 * samples, probabilities, samples[:, :3])


NET = base.Features('own', 'hash', see)


def collected(wants=EVERYTHING, **options):
  return views.look(
    X, wants=wants, features=NET, labels=np.arange(57), batch=10, **options
  )


def test_all_that_is_wanted_is_kept_in_an_order_of_its_own():
  view = collected()
  assert view.count == 57 and sorted(view.position) == list(range(57))
  np.testing.assert_array_equal(view.features, 2 * X[view.position])
  np.testing.assert_array_equal(view.samples, X[view.position])
  np.testing.assert_array_equal(view.labels, view.position)
  mu, sigma = view.statistics
  np.testing.assert_allclose(mu, (2 * X).mean(axis=0), rtol=1e-6)
  np.testing.assert_allclose(sigma, np.cov(2 * X.T.astype(float)), rtol=1e-9)
  sigma = view.spatial_statistics[1]
  np.testing.assert_allclose(sigma, np.cov(X[:, :3].T.astype(float)), rtol=1e-9)


def test_no_more_is_kept_than_is_wanted():
  view = collected(frozenset({'moments'}))
  assert view.features is view.samples is view.labels is None
  assert view.spatial == ()


@pytest.mark.parametrize('g', [0, 6, 9])
def test_leaving_out_a_group(g):
  view = collected()
  left = view.without(g)
  rows = view.position[view.group != g]
  assert left.count == len(rows) < 57
  np.testing.assert_array_equal(left.labels, rows)
  np.testing.assert_array_equal(left.position, rows)
  np.testing.assert_allclose(
    left.statistics[1], np.cov(2 * X[rows].T.astype(float)), rtol=1e-9
  )


def test_groups_are_of_nearly_one_size_whatever_comes():
  many = np.random.default_rng(1).normal(size=(5000, 2))
  see = lambda x: views.look(x, wants=frozenset({'samples'})).group
  for x in (many, np.sort(many, axis=0), np.full((5000, 2), 0.5)):
    assert np.abs(np.bincount(see(x)) - 500).max() < 100  # five deviations
  assert np.bincount(see(np.ones((50, 3)))).tolist() == [5] * 10


def test_distance_is_that_of_the_statistics():
  view = collected(groups=1)
  other = fid.statistics(X)
  want = fid.frechet_distance(2 * X, X)
  assert view.distance(*other) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize('n, told', [(56, '57 expected'), (58, 'more than')])
def test_a_wrong_number_of_samples(n, told):
  collector = views.Collector(57, wants=frozenset({'samples'}))
  with pytest.raises(UserError, match=told):
    collector.add(np.zeros((n, 2)))
    collector.view()


def test_labels_that_do_not_come():
  with pytest.raises(UserError, match='need labels'):
    views.look(X, wants=frozenset({'labels'}))


def test_order_and_groups_follow_from_the_content():
  view, order = collected(), np.random.default_rng(0).permutation(57)
  other = views.look(X[order], wants=EVERYTHING, features=NET, labels=order)
  np.testing.assert_array_equal(other.group, view.group)
  np.testing.assert_array_equal(other.features, view.features)
  np.testing.assert_array_equal(order[other.position], view.position)
  assert collected(groups=4).group.max() == 3
  assert not collected(groups=1).group.any()
