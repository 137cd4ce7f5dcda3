"""A study's charts: forest, curves, samples, failures."""

import re

import numpy as np
import PIL.Image
import pytest
from scipy import stats

from gan_jax.report import charts, document
from gan_jax.study.report import curves, failures, figures, report
from tests import study_views
from tests.study.test_study_page import BASE, _forest, _nothing, _page

# Forest


def test_forest_places_values_on_one_scale():
  drawn = _forest(study_views.view())
  # From -6, the lowest end, to 1.5, with 6 % of that on both sides.
  low, high = -6 - 0.06 * 7.5, 1.5 + 0.06 * 7.5
  at = lambda value: 100 * (value - low) / (high - low)
  dots = re.findall(r'<circle class="dot [^"]*" cx="([^%]+)%', drawn)
  expected = [at(d) for d in (1.25, -4.5, 0.5, 0.75)]
  np.testing.assert_allclose(np.array(dots, float), expected, atol=1e-3)
  ends = re.findall(r'whisker [^"]*" x1="([^%]+)%" x2="([^%]+)%', drawn)
  expected = [[at(a), at(b)] for a, b in ((1, 1.5), (-6, -3), (-0.5, 1.5))]
  np.testing.assert_allclose(np.array(ends, float), expected, atol=1e-3)
  zeros = {float(x) for x in re.findall(r'class="zero" x1="([^%]+)%', drawn)}
  np.testing.assert_allclose(list(zeros), [at(0)], atol=1e-3)
  x, width = re.search(r'"shade" x="([^%]+)%" width="([^%]+)%', drawn).groups()
  np.testing.assert_allclose(float(x), at(-0.5), atol=1e-3)
  np.testing.assert_allclose(float(width), 100 / (high - low), atol=1e-3)


@pytest.mark.parametrize('lower, left', [(False, 'worse'), (True, 'better')])
def test_forest_says_which_side_is_better(lower, left):
  tested = study_views.analysis('modes', lower=lower)
  drawn = _forest(study_views.view(analyses={'modes': tested}))
  assert f'← {left}<' in drawn


def test_forest_lists_cells_then_main_effects_then_interactions():
  drawn = _forest(study_views.view())
  heads = re.findall('<h3>(.*?)</h3>', drawn)
  assert heads == ['Cells', 'Main effects', 'Interactions']
  assert drawn.count(' sure"') == 2 and drawn.count(' unsure"') == 2
  assert re.findall(r'class="row" data-cell="(\d)"', drawn) == ['1', '2']


# Curves


def test_band_is_the_t_interval_or_the_range():
  values = [1.0, 4.0, 2.5, 3.0, 2.0]
  expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
  assert curves.band(values, interval=True) == pytest.approx(tuple(expected))
  assert curves.band(values, interval=False) == (1.0, 4.0)
  assert curves.band([1.0], interval=True) is None


def test_numbers_at_the_ends_of_lines_keep_apart_and_inside():
  places = curves.apart([5.0, 98.0, 99.0, 99.5], 10, 100)
  assert places[0] == 10 and places[-1] == 100
  assert min(np.diff(places)) == curves.APART


def test_a_chart_for_each_metric_and_a_line_for_each_cell():
  view = study_views.view()
  drawn = curves.section(view, figures.rows(view))
  titles = re.findall(r'<h3>(?:<abbr[^>]+>)?([^<]+).*?<small>', drawn)
  assert titles == [
    'Modes captured',
    'Loss of the discriminator',
    'Loss of the generator',
    'Gradient of D at real, norm',
  ]
  assert drawn.count('<g data-cell') == 12
  assert drawn.index('<details>') > drawn.index(titles[2])
  # The last value of the cell whose first seed has diverged.
  assert '2.500, 1 of 2 seeds' in drawn


def test_a_quality_that_starts_near_zero_has_no_logarithmic_axis():
  rows = [
    {'step': k, 'modes': 8 * k / 9 + 1e-3, 'fid': 9 - k + 1e-3}
    for k in range(10)
  ]
  cell = study_views.cell(BASE)._replace(rows=rows)
  view = study_views.view(cells=(cell,))
  drawn = curves.section(view, figures.rows(view))
  notes = re.findall('<small>(.*?)</small>', drawn)
  assert notes == ['higher is better', 'lower is better · log scale']


def test_thirty_cells_differ_in_colour_or_dashes():
  keys = [row.key for row in figures.rows(study_views.many(30))]
  assert len(set(keys)) == 30


def test_page_of_many_curves_stays_small():
  names = [f'metric_{k}' for k in range(20)]
  rows = [
    {'step': k, **{n: [k % 7 + 0.123, k % 5 + 0.456] for n in names}}
    for k in range(0, 1000, 5)
  ]
  cells = [c._replace(rows=rows) for c in study_views.many(20).cells]
  page = report.page(_nothing(cells=tuple(cells)))
  assert page.count('<svg viewBox="0 0 440') == 20
  assert len(page) < 4_000_000


# Samples


@pytest.mark.parametrize('count', [2, 30])
def test_samples_are_embedded_and_small(tmp_path, count):
  rng = np.random.default_rng(0)
  cells = []
  for cell in study_views.many(count).cells:
    path = tmp_path / f'{cell.name}.png'
    noise = rng.integers(0, 256, (600, 600, 3), np.uint8)
    PIL.Image.fromarray(noise).save(path)
    cells.append(cell._replace(picture=path))
  cells[0] = cells[0]._replace(picture=tmp_path / 'gone.png')
  page, reader = _page(_nothing(cells=tuple(cells)))
  urls = [a['src'] for tag, a in reader.elements if tag == 'img']
  assert all(url.startswith('data:image/webp') for url in urls)
  assert len(urls) == count - 1 and 'no picture' in page
  assert len(page) < 4_000_000


# Failures


def test_a_run_is_ill_by_its_status_or_its_health():
  good = study_views.run(BASE, 0, 1.0)
  assert not failures.is_ill(good)
  assert not failures.is_ill({**good, 'health': {}})
  assert failures.is_ill({**good, 'status': 'failed'})
  ill = {'verdict': 'mode collapse', 'reason': 'diversity 0.04'}
  assert failures.is_ill({**good, 'health': ill})


def test_failures_tell_seed_reason_and_its_own_curve():
  view = study_views.view()
  shown = failures.section(view, figures.rows(view))
  assert '1 of 6 runs' in shown and 'diverged</b> at step 60' in shown
  assert 'losses of &lt;b&gt;no' in shown
  own = failures.curve(view.cells[2].rows, 'modes', 0)
  assert own == [
    (0, 0.0),
    (20, 0.2),
    (40, 0.4),
    (60, 0.6),
    (80, None),
    (100, None),
  ]
  mean = failures.curve(view.cells[2].rows, 'modes')
  assert mean[1] == (20, (0.2 + 0.5) / 2) and mean[-1] == (100, 2.5)


def test_sparkline_places_and_gaps():
  drawn = failures.sparkline([([(0, 0.0), (5, None), (10, 1.0)], 'own')])
  # From the lower left to the upper right corner, 3 pixels from the edge.
  assert 'd="M3.0 31.0M129.0 3.0"' in drawn
  assert failures.sparkline([([(0, None)], 'own')]) == ''


def test_healthy_studies_say_so():
  view = study_views.view(cells=(study_views.cell(BASE),))
  assert 'all 2 runs are healthy' in failures.section(view, figures.rows(view))
  view.cells[0].runs[1]['health'] = {'verdict': '', 'reason': 'not measured'}
  shown = failures.section(view, figures.rows(view))
  assert 'the health of 1 was not measured' in shown and 'None of the' in shown


# What is shared with the page of a run


def test_plot_of_a_single_step_and_value():
  line = charts.Line('a', [charts.Point(5, 2.0, None, None)])
  plot = charts.plot_of([line])
  assert plot.x(5) == 197  # the middle of 46 to 348
  assert charts.FRAME.top < plot.y(2.0) < charts.FRAME.height


def test_sections_without_content_are_left_out():
  assert document.section('A', '') == document.folded('A', '') == ''
