"""A run's charts: ticks, thinning, gaps."""

import re

import pytest

from gan_jax.report import charts, ticks


@pytest.mark.parametrize(
  'low, high', [(0, 1), (-3.2, 7.9), (1e-5, 2e-5), (0, 12345)]
)
def test_ticks_are_round_few_and_inside(low, high):
  found = ticks.even(low, high)
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


@pytest.mark.parametrize('name', ['precision', 'recall', 'high_quality'])
@pytest.mark.parametrize('values', [[0.2, 1.0], [0.99, 1.0], [1.0]])
def test_the_axis_of_a_share_ends_at_one(name, values):
  rows = [{'step': k, name: v} for k, v in enumerate(values)]
  line = charts.line(name, rows)
  assert charts.plot_of([line], most=charts.most_of(name)).high == 1.0
  assert charts.plot_of([line], most=charts.most_of('density')).high > 1.0


@pytest.mark.parametrize(
  'value, said', [(0.25, '0.2500'), (35, '35'), (0, '0')]
)
def test_a_lone_point_has_its_value_beside_it(value, said):
  line = charts.line('a', [{'step': 7, 'a': value}])
  drawn = charts.chart('A', [line])
  middle = (charts.FRAME.left + charts.FRAME.width - charts.FRAME.right) / 2
  assert f'<circle class="dot s0" cx="{middle}"' in drawn
  assert f'>{said}</text>' in drawn.split('r="3"')[1]
