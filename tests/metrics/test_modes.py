"""Modes captured: known mixtures, borders, counts."""

import numpy as np
import pytest

from gan_jax.metrics import intervals, scores
from gan_jax.metrics import modes as modes_lib


def ring(n=8):
  angle = 2 * np.pi * np.arange(n) / n
  return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_modes_of_seven_of_eight():
  samples = np.concatenate([ring()[:7]] * 10 + [np.zeros((30, 2))])
  got = modes_lib.modes(samples, ring(), 0.01)
  assert got['modes'] == 7
  assert got['high_quality'] == 0.7


def test_modes_reverse_kl():
  # Half on one of eight, half spread evenly over all.
  samples = np.concatenate([ring(), np.repeat(ring()[:1], 8, axis=0)])
  p = np.array([9 / 16] + 7 * [1 / 16])
  want = np.sum(p * np.log(8 * p))
  got = modes_lib.modes(samples, ring(), 0.01)['reverse_kl']
  assert np.isclose(got, want, rtol=1e-12)
  one = modes_lib.modes(ring()[:1], ring(), 0.01)
  assert np.isclose(one['reverse_kl'], np.log(8))
  assert modes_lib.modes(ring(), ring(), 0.01)['reverse_kl'] == 0


@pytest.mark.parametrize('threshold, quality', [(2, 0), (3, 0), (4, 1)])
def test_modes_threshold(threshold, quality):
  samples = ring() * (1 + 0.0301)
  got = modes_lib.modes(samples, ring(), 0.01, threshold=threshold)
  assert (got['modes'], got['high_quality']) == (8 * quality, quality)


@pytest.mark.parametrize('min_count, captured', [(1, 8), (2, 3), (3, 0)])
def test_modes_min_count(min_count, captured):
  samples = np.concatenate([ring(), ring()[:3]])
  got = modes_lib.modes(samples, ring(), 0.01, min_count=min_count)
  assert got['modes'] == captured


def test_counts_of_the_samples_within_reach():
  samples = np.concatenate([ring()[:3], ring()[:1], 1.0299 * ring()[2:3]])
  far = 1.0301 * ring()[5:6]
  counts = modes_lib.mode_counts(np.concatenate([samples, far]), ring(), 0.01)
  assert counts.tolist() == [2, 1, 2, 0, 0, 0, 0, 0]
  wide = modes_lib.mode_counts(far, ring(), 0.01, threshold=4)
  assert wide.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]


def test_one_look_gives_both():
  rng = np.random.default_rng(0)
  given = rng.normal(size=(50, 2)), rng.normal(size=(3, 2)), 0.3
  options = {'threshold': 2.0, 'min_count': 4}
  values, counts = modes_lib.modes_and_counts(*given, **options)
  assert values == modes_lib.modes(*given, **options)
  np.testing.assert_array_equal(
    counts, modes_lib.mode_counts(*given, threshold=2.0)
  )


def test_samples_are_compared_once_for_each_value(monkeypatch):
  """Ten groups are left out in turn; none of these needs an interval."""
  looks, real = [], modes_lib._nearest
  monkeypatch.setattr(
    modes_lib, '_nearest', lambda *a: looks.append(len(a[0])) or real(*a)
  )
  seen, number = [], intervals.number_seen
  monkeypatch.setattr(
    intervals, 'number_seen', lambda *a, **k: seen.append(1) or number(*a, **k)
  )
  x = np.random.default_rng(0).normal(size=(200, 2))
  known = {'centers': np.zeros((1, 2)), 'std': 1.0}
  scores.score(['modes', 'high_quality'], x, x, kind='point', modes=known)
  assert len(looks) == 11 and looks[0] == 200 and sum(looks[1:]) == 1800
  assert len(seen) == 1
