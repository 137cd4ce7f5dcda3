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


@pytest.mark.parametrize(
  'goal, line',
  [
    ({'metric': 'fid', 'below': 2.5}, 'fid 2, below 2.5'),
    ({'metric': 'fid', 'above': 1}, 'fid 2, above 1'),
    ({'metric': 'other', 'above': -0.5}, 'other 7, above -0.5'),
  ],
)
def test_a_goal_that_was_reached_is_said_in_words(goal, line):
  found = [record(1.0), record(3.0), record(7.0, 'other')]
  assert goals.words(found, goal) == line


@pytest.mark.parametrize(
  'step, goal, last',
  [
    (10, {'metric': 'fid', 'below': 2.5}, 10),
    (10, {'metric': 'fid', 'below': 1.5}, 20),
    (12, {'metric': 'fid', 'below': 2.5}, 20),  # of another step
    (10, {}, 20),
  ],
)
def test_a_run_at_its_goal_does_not_go_on(step, goal, last):
  found = [record(1.0) | {'step': 10}, record(3.0) | {'step': 10}]
  config = {'steps': 20, 'stop_when': goal}
  assert goals.last_step(step, found, config) == last
