"""A run's goal is about the mean of its seeds."""

import pytest

from gan_jax.run import goals


def record(value, metric='fid'):
  return {'metric': metric, 'value': value}


@pytest.mark.parametrize(
  'goal, reached',
  [
    ({}, False),
    ({'metric': 'fid', 'below': 2.01}, True),
    ({'metric': 'fid', 'below': 2.0}, False),
    ({'metric': 'fid', 'above': 1.99}, True),
    ({'metric': 'fid', 'above': 2.0}, False),
    ({'metric': 'kid', 'below': 9.0}, False),
  ],
)
def test_a_goal_is_about_the_mean_over_seeds(goal, reached):
  found = [record(1.0), record(3.0), record(7.0, 'other')]
  assert goals.reached(found, goal) is reached
  assert not goals.reached([], goal)
  assert goals.mean_of(found, 'fid') == 2.0
  assert goals.mean_of(found, 'kid') is None
