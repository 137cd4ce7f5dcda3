"""A run's charts: ticks, thinning, gaps."""

import re

import pytest

from gan_jax.report import charts


@pytest.mark.parametrize(
  'low, high', [(0, 1), (-3.2, 7.9), (1e-5, 2e-5), (0, 12345)]
)
def test_ticks_are_round_few_and_inside(low, high):
  found = charts.ticks(low, high)
  assert 2 <= len(found) <= 7
  assert low - 1e-9 <= found[0] and found[-1] <= high * (1 + 1e-9)
  mantissas = {
    f'{b - a:.2e}'[0] for a, b in zip(found, found[1:], strict=False)
  }
  assert mantissas <= {'1', '2', '5'}


def test_thinning_keeps_extremes():
  rows = [{'step': k, 'a': 1.0} for k in range(5000)]
  rows[2345]['a'] = 50.0
  thin = charts.line('a', rows).points
  assert len(thin) <= charts.POINTS
  assert max(point.high for point in thin) == 50.0


def test_a_value_that_is_no_number_is_a_gap():
  rows = [{'step': k, 'a': None if k == 2 else 1.0 * k} for k in range(5)]
  drawn = charts.chart('A', [charts.line('a', rows)])
  (path,) = re.findall(r'class="line s0" d="([^"]+)"', drawn)
  assert path.count('M') == 2
