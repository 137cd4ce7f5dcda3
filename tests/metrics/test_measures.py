"""Names of metrics: which there are, which are possible, which are usual."""

import pytest

from gan_jax.metrics import measures, views
from tests.metrics.test_scores import EVERYTHING, RING

FEATURES = measures.where_possible(features=EVERYTHING)


@pytest.mark.parametrize(
  'kind, given, want',
  [
    ('image', {'features': EVERYTHING}, ('fid', 'class_coverage')),
    ('image', {}, ('fid',)),
    ('point', {'modes': RING}, ('modes', 'high_quality')),
    ('point', {}, ('precision', 'coverage')),
  ],
)
def test_default_names_are_available(kind, given, want):
  there = measures.where_possible(**given)
  assert measures.default_names(kind, there) == want
  assert set(want) <= set(measures.available_names(there))


@pytest.mark.parametrize(
  ('given', 'there'),
  [
    ({}, set()),
    ({'modes': RING}, {'modes'}),
    ({'modes': {'channel': None}}, set()),
    ({'labels': True}, {'labels'}),
    ({'held_out': True}, {'held_out'}),
    ({'features': EVERYTHING}, set(EVERYTHING.knows)),
  ],
)
def test_what_is_possible_is_what_is_there(given, there):
  assert measures.where_possible(**given) == {'features', *there}


def test_every_output_is_one_metrics_own_and_knows_its_direction():
  every = [n for metric in measures.METRICS for n in metric.outputs]
  assert len(every) == len(set(every))
  assert measures.LOWER_IS_BETTER <= set(every)
  for metric in measures.METRICS:
    assert set(metric.where.split()) <= measures.WHERE.keys()
    fields = {*metric.fake, *metric.real, *metric.held_out}
    assert fields <= set(views.FIELDS)
    assert set(metric.options) <= set(measures.OPTIONS)
  by_file = {n for names in measures.FILES.values() for n in names}
  assert by_file <= set(every)


def test_a_metric_may_be_asked_for_by_its_file():
  assert measures.expand(['prdc', 'fid', 'recall'], FEATURES) == (
    'precision', 'recall', 'density', 'coverage', 'fid',
  )  # fmt: skip
