"""Verdicts by scores that have a known best, whatever D and G do."""

import re

import pytest

from gan_jax.game.health.diagnosis import diagnose
from tests.game.test_diagnosis import rows

# What the scores say, beside figures of D and G that look healthy.

SCORED = {  # name: (figures, last scores, verdict, words of the reason)
  'no mode': (
    {},
    {'modes': 0.0, 'modes_of': 8, 'high_quality': 0.0},
    ('misses the data', 'high quality 0, below 0.02'),
  ),
  'two modes of eight': (
    {},
    {'modes': 2.0, 'modes_of': 8, 'high_quality': 0.4},
    ('mode collapse', 'modes 2 of 8'),
  ),
  'three of twenty-five': (
    {'diversity': 0.9},
    {'modes': 3.0, 'modes_of': 25},
    ('mode collapse', 'modes 3 of 25'),
  ),
  '400 of the thousand stacked digits': (
    {},
    {'stacked_modes': 400.0, 'stacked_modes_of': 1000},
    ('mode collapse', 'stacked modes 400 of 1000'),
  ),
  'one class of ten': (
    {},
    {'fid': 80.0, 'class_coverage': 0.1, 'precision': 0.9},
    ('mode collapse', 'class coverage 0.1$'),
  ),
  'nothing like the data': (
    {},
    {'precision': 0.0, 'coverage': 0.0},
    ('misses the data', 'precision 0, below 0.2'),
  ),
  'points all over the plane': (
    {},
    {'precision': 0.15, 'coverage': 0.03},
    ('misses the data', 'precision 0.15, below 0.2'),
  ),
  'narrow modes, known ones': (
    {},
    {'modes': 24.0, 'modes_of': 25, 'high_quality': 0.05, 'precision': 0.1},
    ('healthy', 'modes 24 of 25'),
  ),
  'every class, alike within each': (
    {'diversity': 0.35},
    {'class_coverage': 1.0, 'precision': 0.6},
    ('low diversity', 'diversity 0.35, below 0.5 .* class coverage 1'),
  ),
  'every mode, none alike': (
    {'diversity': 0.68},
    {'modes': 8.0, 'modes_of': 8, 'high_quality': 0.9},
    ('healthy', 'modes 8 of 8, high quality 0.9'),
  ),
  'strays in every mode, nearly all in one': (
    {'diversity': 0.14},
    {'modes': 8.0, 'modes_of': 8, 'high_quality': 0.95},
    ('low diversity', 'diversity 0.14, below 0.5 .* modes 8 of 8'),
  ),
  'nearly all in two of them': (
    {'diversity': 0.29},
    {'stacked_modes': 950.0, 'stacked_modes_of': 1000},
    ('low diversity', 'diversity 0.29, below 0.5 .* stacked modes 950'),
  ),
  'six modes of eight': (
    {},
    {'modes': 6.0, 'modes_of': 8, 'high_quality': 0.7},
    ('mode collapse', 'modes 6 of 8$'),
  ),
  'seven modes of eight': (
    {},
    {'modes': 7.0, 'modes_of': 8, 'high_quality': 0.7},
    ('healthy', 'modes 7 of 8, high quality 0.7'),
  ),
  'no mode, and nobody asked how good': (
    {},
    {'modes': 0.0, 'modes_of': 25},
    ('misses the data', 'modes 0 of 25$'),
  ),
  'just as precise as is enough': (
    {},
    {'precision': 0.2, 'class_coverage': 0.8},
    ('healthy', 'class coverage 0.8, precision 0.2'),
  ),
  'just good enough': (
    {},
    {'modes': 20.0, 'modes_of': 25, 'high_quality': 0.02},
    ('healthy', 'modes 20 of 25, high quality 0.02'),
  ),
  'a judge that says little': (
    {'diversity': 0.3},
    {'precision': 0.6, 'recall': 0.0},
    ('mode collapse', 'diversity 0.30'),
  ),
  'D is the cause': (
    {'separation': 0.99, 'reach': 0.3},
    {'modes': 0.0, 'modes_of': 8, 'high_quality': 0.0},
    ('D wins', 'separation'),
  ),
  'no score': ({}, {'high_quality': None, 'fid': None}, ('healthy', 'sep')),
}


@pytest.mark.parametrize('name', SCORED)
def test_scores_that_have_a_known_best_decide(name):
  changes, scores, (verdict, words) = SCORED[name]
  early = {'step': 100, **dict.fromkeys(scores, 1.0)}
  found = diagnose([early, *rows(**changes), {'step': 800, **scores}])
  assert found.verdict == verdict
  assert re.search(words, found.reason), found


def test_scores_of_long_ago_say_nothing_of_the_end():
  """Of a run that goes on with other metrics."""
  for modes, verdict in ((0.0, 'misses the data'), (8.0, 'healthy')):
    score = {'modes': modes, 'modes_of': 8, 'high_quality': modes / 8}
    found = diagnose([{'step': 10, **score}, *rows()])
    assert found.verdict == 'healthy' and 'not scored' in found.reason
    found = diagnose([*rows(), {'step': 800, **score}])
    assert found.verdict == verdict and 'not scored' not in found.reason


@pytest.mark.parametrize('step, counts', [(399, False), (400, True)])
def test_scores_of_the_second_half_count(step, counts):
  dead = {'step': step, 'modes': 0.0, 'modes_of': 8}
  reports = rows()  # to step 800
  found = diagnose(sorted([dead, *reports], key=lambda row: row['step']))
  assert (found.verdict == 'misses the data') == counts


def test_each_seed_has_its_own_scores():
  both = [
    {k: v if k == 'step' else [v, v] for k, v in row.items()} for row in rows()
  ]
  both.append({'step': 800, 'modes': [8.0, 1.0], 'modes_of': [8, 8]})
  assert diagnose(both, 0) == ('healthy', 'modes 8 of 8')
  assert diagnose(both, 1) == ('mode collapse', 'modes 1 of 8')
  both[-1]['modes'] = [8.0]  # of a seed that had no samples there is none
  assert diagnose(both, 1).verdict == 'healthy'
  # Of an earlier version: how many there are is not known.
  assert diagnose([*rows(), {'step': 800, 'modes': 1.0}]).verdict == 'healthy'
