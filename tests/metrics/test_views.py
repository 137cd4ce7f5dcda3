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
  assert len(samples) <= 10  # the batches, never all
  probabilities = np.abs(samples[:, :2])
  return base.Seen(2 * samples, probabilities, samples[:, :3])


NET = base.Features('own', 'hash', see)


def collected(wants=EVERYTHING, **options):
  return views.look(
    X, wants=wants, features=NET, labels=np.arange(57), batch=10, **options
  )


def test_all_that_is_wanted_is_kept_in_order():
  view = collected()
  assert view.count == 57
  np.testing.assert_array_equal(view.features, 2 * X)
  np.testing.assert_array_equal(view.samples, X)
  np.testing.assert_array_equal(view.labels, np.arange(57))
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
  rows = np.flatnonzero(view.group != g)
  assert left.count == len(rows) in (51, 52)
  np.testing.assert_array_equal(left.labels, rows)
  np.testing.assert_allclose(
    left.statistics[1], np.cov(2 * X[rows].T.astype(float)), rtol=1e-9
  )


def test_groups_mix_sorted_samples_and_classes_in_turn():
  group = collected().group
  assert np.bincount(group).tolist() == [6] * 7 + [5] * 3
  assert len(set(group[:10])) > 4 and len(set(group[::10])) > 2


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


def test_groups_are_dealt_at_random_but_fixed():
  order = np.random.default_rng(0).permutation(57)
  np.testing.assert_array_equal(collected().group, order % 10)
  np.testing.assert_array_equal(collected(groups=4).group, order % 4)
  assert not collected(groups=1).group.any()
