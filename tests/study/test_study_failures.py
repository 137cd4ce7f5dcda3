"""The failures of a study: every run that is not healthy, with its reason."""

import html

import pytest

from gan_jax.game.health import diagnosis
from gan_jax.study.report import failures, figures
from tests import study_views

WELL = {'d_loss': 1.0, 'g_loss': 1.0, 'health_diversity': 1.0} | {
  f'health_{name}': 0.6 for name in ('separation', 'real', 'fake')
}
# Scores of runs whose D and G look healthy.
SCORES = {
  'no mode': {'modes': 0.0, 'modes_of': 8, 'high_quality': 0.0},
  '3 of 25 modes': {'modes': 3.0, 'modes_of': 25},
  'one digit': {'class_coverage': 0.1, 'precision': 0.8},
  '90 stacked digits': {'stacked_modes': 90.0, 'stacked_modes_of': 1000},
  'off the roll': {'precision': 0.0, 'recall': 0.0},
}


def section(scores):
  """The section of a study of one cell, whose second run has these scores."""
  cell = study_views.cell('base', (6.0, 7.0))
  found = diagnosis.diagnose([{'step': 9} | WELL, {'step': 9} | scores])
  runs = [cell.runs[0], cell.runs[1] | {'health': found._asdict()}]
  view = study_views.view(cells=(cell._replace(runs=runs),))
  return failures.section(view, figures.rows(view)), found


@pytest.mark.parametrize('name', SCORES)
def test_a_run_that_only_its_scores_betray_is_listed(name):
  page, found = section(SCORES[name])
  assert '1 of 2 runs failed or are not healthy' in page
  assert f'<b>{found.verdict}</b>' in page and found.verdict != 'healthy'
  assert html.escape(found.reason) in page and 'None' not in page


def test_none_only_where_all_are_healthy():
  page, _ = section({'modes': 8.0, 'modes_of': 8, 'high_quality': 0.9})
  assert 'None: all 2 runs are healthy.' in page
