"""Kernel distances of many samples: of subsets, by a protocol of their own."""

import numpy as np
import pytest

from gan_jax.metrics import compute, intervals, kid, metric_options, scores
from gan_jax.metrics.features import base
from gan_jax.types import UserError


def draw(n, d=3, seed=0, shift=0.0):
  return np.random.default_rng(seed).normal(size=(n, d)) + shift


def see(samples):
  return base.Seen(np.asarray(samples, np.float32))


def score(real, fake, **options):
  net = base.Features('own', '', see)
  (record,) = scores.score(
    ['kid'], fake, real, kind='point', features=net, options=options
  )
  return record


@pytest.fixture
def small(monkeypatch):
  """Few samples are many."""
  monkeypatch.setattr(kid, 'MOST', 60)
  monkeypatch.setattr(kid, 'SUBSETS', 7)
  monkeypatch.setattr(kid, 'SUBSET_SIZE', 20)


def test_of_few_samples_it_is_of_all_pairs(small):
  real, fake = draw(60), draw(50, seed=1, shift=0.3)
  record = score(real, fake)
  assert 'subsets' not in record and record['interval_method'] == 'blocks'
  whole = kid.kernel_distance(np.float32(real), np.float32(fake))
  assert record['value'] == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize('n_real, n_fake', [(61, 50), (50, 61)])
def test_of_more_it_is_of_subsets_and_says_so(small, n_real, n_fake):
  real, fake = draw(n_real), draw(n_fake, seed=1, shift=0.3)
  record = score(real, fake)
  assert record['subsets'] == 7 and record['subset_size'] == 20
  assert record['interval_method'] == 'subsets'
  low, high = record['interval']
  assert low < record['value'] < high
  whole = score(real, fake, subsets=0)
  assert 'subsets' not in whole and whole['interval_method'] == 'blocks'


def test_work_grows_with_the_samples_no_more(small, monkeypatch):
  sizes, real = [], kid._unbiased
  spy = lambda x, y, **kw: sizes.append((len(x), len(y))) or real(x, y, **kw)
  monkeypatch.setattr(kid, '_unbiased', spy)
  for n in (100, 400):
    score(draw(n), draw(n, seed=1))
  assert sizes == [(20, 20)] * 14


def test_subsets_may_be_asked_for_of_any_number(small):
  real, fake = draw(30), draw(15, seed=1, shift=0.3)
  record = score(real, fake, subsets=3)
  assert record['subsets'] == 3 and record['subset_size'] == 15
  assert record['interval'] is None  # each of them holds all of the fakes


@pytest.mark.parametrize(
  'subsets, counts, made',
  [
    (None, (60, 60), {}),
    (None, (61, 60), {'subsets': 7, 'subset_size': 20}),
    (0, (10**6, 10**6), {}),
    (5, (40, 10), {'subsets': 5, 'subset_size': 10}),
  ],
)
def test_the_protocol_is_known_before_and_from_the_record(
  small, subsets, counts, made
):
  assert compute.of_kernel({'subsets': subsets}, *counts) == made
  record = {'metric': 'kid', 'n_real': counts[0], 'n_fake': counts[1]}
  given = {} if subsets is None else {'subsets': subsets}
  assert metric_options.of_record(record, given) == made


@pytest.mark.parametrize('value', [-1, 2.5, True, 'many', 10**7])
def test_a_wrong_number_is_refused(value):
  with pytest.raises(UserError, match=r'kid\.subsets=.*expected a whole num'):
    metric_options.chosen({'kid': {'subsets': value}})


@pytest.mark.parametrize('value', [None, 0, 100])
def test_a_right_number(value):
  assert metric_options.chosen({'kid': {'subsets': value}})['subsets'] == value


def test_the_estimate_has_no_bias():
  """Over draws of both sides its mean is that of all pairs."""
  values, wholes = [], []
  for seed in range(150):
    a, b = draw(60, seed=seed), draw(40, seed=1000 + seed, shift=0.2)
    values.append(
      kid.kernel_distance_interval(a, b, subsets=4, subset_size=15)[0]
    )
    wholes.append(kid.kernel_distance(a, b))
  error = np.std(np.subtract(values, wholes)) / np.sqrt(len(values))
  assert abs(np.mean(values) - np.mean(wholes)) < 3 * error


def test_the_interval_is_wider_by_what_subsets_share():
  a, b = draw(200), draw(100, seed=1, shift=0.3)
  options = {'subsets': 8, 'subset_size': 20}
  value, (low, high) = kid.kernel_distance_interval(a, b, **options)
  each = kid.kernel_distance_subsets(a, b, **options)
  # A correlation of 20 / 100: (1 / 8 + .2 / .8) in place of 1 / 8.
  plain = np.subtract(*intervals.of_draws(each)[::-1])
  assert value == pytest.approx(each.mean())
  assert high - low == pytest.approx(plain * np.sqrt(3))
  assert (low + high) / 2 == pytest.approx(value)


def test_the_interval_holds_what_is_true():
  """Of a shift by s in each of 3 dimensions, in closed form for degree 1."""
  shift, held, runs = 0.3, 0, 120
  true = 3 * shift**2 / 3  # |difference of the means|^2 / D
  for seed in range(runs):
    a, b = draw(400, seed=seed), draw(400, seed=5000 + seed, shift=shift)
    _, (low, high) = kid.kernel_distance_interval(
      a, b, subsets=20, subset_size=40, degree=1
    )
    held += low <= true <= high
  assert held >= 0.9 * runs


@pytest.mark.parametrize(
  'subsets, size', [(1, 10), (5, 31)], ids=['one', 'more than half']
)
def test_without_an_interval(subsets, size):
  a, b = draw(60), draw(80, seed=1)
  value, span = kid.kernel_distance_interval(
    a, b, subsets=subsets, subset_size=size
  )
  assert span is None and np.isfinite(value)
  _, span = kid.kernel_distance_interval(a, b, subsets=5, subset_size=30)
  assert span is not None
