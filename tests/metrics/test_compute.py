"""Intervals that a metric has of its own: what is drawn, and from how many."""

import numpy as np
import pytest

from gan_jax.metrics import content, general, intervals, kid, measures, scores
from gan_jax.metrics.features import base
from gan_jax.types import UserError


def of_four(samples):
  """A classifier whose probabilities are the samples."""
  x = np.asarray(samples, np.float32)
  return base.Seen(x, x)


FOUR = base.Features('own', 'hash', of_four, knows=('probabilities', 'classes'))


@pytest.mark.parametrize(
  'min_share, least',
  # None: a tenth of an even share, .025 of 110 samples; 2.2 of them are 3.
  [(None, 3), (0.02, 3), (0.04, 5), (0.0, 1)],
)
def test_a_class_needs_its_share_of_samples_in_the_interval_too(
  min_share, least
):
  counts = np.array([100, 6, 3, 1])
  labels = np.repeat(np.arange(4), counts)
  options = {} if min_share is None else {'min_share': min_share}
  (record,) = scores.score(
    ['class_coverage'],
    np.eye(4)[labels],
    np.eye(4)[np.arange(8) % 4],
    kind='image',
    features=FOUR,
    options=options,
  )
  assert record['value'] == (counts >= least).mean()
  low, high = intervals.number_seen(counts, 110, least=least)
  assert record['interval'] == [low / 4, high / 4]


@pytest.mark.parametrize('shares', [(95, 5, 0, 0), (90, 9, 1, 0), (1, 0, 0, 0)])
def test_as_many_as_in_the_data_cover_all_classes(shares):
  """Whatever their shares; classes that the data lack do not count."""
  labels = np.repeat(np.arange(4), shares)
  real, fake = np.eye(4)[labels], np.eye(4)[np.repeat(labels, 2)]
  of = lambda x: scores.score(
    ['class_coverage'], x, real, kind='image', features=FOUR
  )[0]  # fmt: skip
  assert of(fake)['value'] == 1 and of(fake)['n_real'] == sum(shares)
  assert (of(fake)['interval'] or [1, 1])[1] == 1
  one = np.eye(4)[np.zeros(200, int)]
  assert of(one)['value'] == 1 / np.count_nonzero(shares)


@pytest.mark.parametrize('n_real, n_fake', [(111, 85), (60, 123)])
def test_a_kernel_distance_has_the_interval_of_ten_blocks(n_real, n_fake):
  rng = np.random.default_rng(3)
  real, fake = rng.normal(size=(n_real, 5)), rng.normal(size=(n_fake, 5)) + 0.2
  real, fake = real.astype(np.float32), fake.astype(np.float32)
  (record,) = scores.score(
    ['kid'], fake, real, kind='point', features=base.Features('own', '', see)
  )
  order = np.random.default_rng(0)
  real, fake = (x[np.argsort(content.keys(x))] for x in (real, fake))
  size = {111: 12, 123: 13}[max(n_real, n_fake)]
  blocks = kid.kernel_distance_blocks(
    order.permutation(real), order.permutation(fake), block_size=size
  )
  low, high = intervals.of_draws(blocks)
  half = (high - low) / 2
  value = kid.kernel_distance(real, fake)
  assert record['value'] == pytest.approx(value, rel=1e-6)
  want = [value - half, value + half]
  assert record['interval'] == pytest.approx(want, rel=1e-6)


def see(samples):
  return base.Seen(np.asarray(samples, np.float32))


def test_only_a_few_of_the_metrics_shrink_as_samples_improve():
  names = [n for m in general.FAMILY.metrics for n in m.outputs]
  lower = set(filter(measures.is_lower_better, names))
  assert lower == {
    'fid', 'fd_infinity', 'sfid', 'intra_fid', 'kid', 'swd', 'reverse_kl',
    'stacked_kl',
  }  # fmt: skip
  assert not measures.is_lower_better('of nobody')


def test_a_rare_class_costs_the_interval_not_the_score():
  """Two of a class: with one of them left out there is no distance."""
  rng = np.random.default_rng(0)
  x, labels = rng.normal(size=(200, 2)), np.repeat([0, 1], [198, 2])
  (found,) = scores.score(
    ['intra_fid'],
    x,
    x + 1,
    kind='point',
    labels=(labels, labels),
    num_classes=2,
  )
  assert found['value'] == pytest.approx(2, rel=0.2)
  assert found['interval'] is None


def test_an_inception_score_of_fewer_samples_than_splits_is_refused():
  """A split of a single sample scores 1, whatever it shows."""
  x = np.eye(4)[np.arange(12) % 4]
  of = lambda n, **options: scores.score(
    ['is'], x[:n], x, kind='image', features=FOUR, options=options
  )[0]  # fmt: skip
  with pytest.raises(UserError, match='at least 10 examples needed, got 9'):
    of(9)
  assert of(8, splits=1)['value'] == pytest.approx(4)
