"""Precision and recall as a way through their plane; bands of intervals."""

import html
import json
import re
import xml.etree.ElementTree

import pytest

from gan_jax.report import charts, page, plane, writers

SPAN_X = plane.SIDE + 120 - plane.LEFT - plane.RIGHT
SPAN_Y = plane.SIDE - plane.TOP - plane.BOTTOM


def row(step, precision, recall, **also):
  return {'step': step, 'precision': precision, 'recall': recall, **also}


def to_plane(x, y):
  """Coordinates of the drawing back to precision and recall."""
  return (
    (float(x) - plane.LEFT) / SPAN_X,
    (plane.SIDE - plane.BOTTOM - float(y)) / SPAN_Y,
  )


def read(figure):
  """(way, cross, dots) in precision and recall, from the drawing itself."""
  svg = figure[figure.index('<svg') : figure.index('</svg>') + 6]
  root = xml.etree.ElementTree.fromstring(svg)
  way, cross = (
    p.get('d') for p in root.findall('path') if p.get('class') == 'line s0'
  )
  points = [to_plane(*p.split()) for p in way[1:].split('L')]
  x0, y, x1 = re.match(r'M(\S+) (\S+)H([^M]+)M', cross).groups()
  x, y0, y1 = re.search(r'M(\S+) (\S+)V(\S+)$', cross).groups()
  spans = (to_plane(x0, y), to_plane(x1, y)), (to_plane(x, y0), to_plane(x, y1))
  dots = [
    (*to_plane(d.get('cx'), d.get('cy')), d.get('r'), d.find('title').text)
    for d in root.findall('circle')
  ]
  return points, spans, dots


def near(*values):
  return pytest.approx(values, abs=0.002)  # the drawing has one decimal


def test_the_way_goes_from_step_to_step():
  rows = [row(200, 0.5, 0.75), row(100, 0.0, 1.0), row(1300, 1.0, 0.0)]
  figure = plane.plane([{'step': 100, 'd_loss': 1.0}, *rows])
  points, _, dots = read(figure)
  expected = [(0.0, 1.0), (0.5, 0.75), (1.0, 0.0)]
  assert [near(*p) for p in points] == expected
  assert [near(*d[:2]) for d in dots] == expected
  assert [d[3] for d in dots] == ['step 100', 'step 200', 'step 1,300']
  assert [d[2] for d in dots] == ['2.5', '2.5', '4']
  assert 'precision 1, recall 0 at step 1,300' in figure
  assert figure.count('<figure') == figure.count('</figure>') == 1


def test_the_cross_spans_the_intervals_of_the_last_step():
  ends = {'precision_low': 0.5, 'precision_high': 0.9}
  ends |= {'recall_low': 0.1, 'recall_high': 0.4}
  rows = [row(1, 0.2, 0.2), row(2, 0.75, 0.25, **ends)]
  points, (across, up), _ = read(plane.plane(rows))
  assert [near(*p) for p in points] == [(0.2, 0.2), (0.75, 0.25)]
  assert [near(*p) for p in across] == [(0.5, 0.25), (0.9, 0.25)]
  assert [near(*p) for p in up] == [(0.75, 0.1), (0.75, 0.4)]


def test_of_several_seeds_the_mean_and_their_range():
  points, (across, up), _ = read(plane.plane([row(1, [0.2, 0.6], [0.5, 0.7])]))
  assert [near(*p) for p in points] == [(0.4, 0.6)]
  assert [near(*p) for p in across] == [(0.2, 0.6), (0.6, 0.6)]
  assert [near(*p) for p in up] == [(0.4, 0.5), (0.4, 0.7)]


@pytest.mark.parametrize(
  'rows',
  [
    [],
    [{'step': 1, 'fid': 2.0}],
    [{'step': 1, 'precision': 0.5}],
    [{'step': 1, 'precision': 0.5}, {'step': 2, 'recall': 0.5}],
    [row(1, None, 0.5)],
    [row(1, 0.5, [0.5, None])],
  ],
)
def test_nothing_without_both(rows):
  assert plane.plane(rows) == ''


def test_what_is_no_number_is_left_out():
  rows = [row(1, 0.25, 0.5), row(2, None, 0.5), row(3, 0.75, 0.5)]
  points, _, dots = read(plane.plane(rows))
  assert [near(*p) for p in points] == [(0.25, 0.5), (0.75, 0.5)]
  assert len(dots) == 2


def test_points_that_stay_where_they_are():
  _, _, dots = read(plane.plane([row(1, 0.5, 0.5), row(2, 0.5, 0.5)]))
  assert [d[2] for d in dots] == ['2.5', '4']


def test_the_axes_go_from_0_to_1():
  figure = plane.plane([row(1, 0.5, 0.5)])
  labels = re.findall(r'<text[^>]*>([^<]*)</text>', figure)
  assert [x for x in labels if x == '0'] == ['0', '0']
  assert [x for x in labels if x == '1'] == ['1', '1']
  assert any('precision' in x for x in labels)
  assert any('recall' in x for x in labels)


# Bands in the charts


def points(rows, name='fid'):
  return [p[1:] for p in charts.line(name, rows).points]


def test_a_band_is_the_interval_of_one_seed():
  rows = [{'step': 1, 'fid': 2.0, 'fid_low': 1.5, 'fid_high': 3.0}]
  assert points(rows) == [(2.0, 1.5, 3.0)]


def test_of_several_seeds_it_reaches_from_the_lowest_end_to_the_highest():
  rows = [
    {'step': 1, 'fid': [2.0, 4.0], 'fid_low': [1.5, 3.9], 'fid_high': [3, 4.5]},
    {'step': 2, 'fid': [2.0, 4.0]},
  ]
  assert points(rows) == [(3.0, 1.5, 4.5), (3.0, 2.0, 4.0)]


def test_where_a_seed_has_no_interval_the_others_still_have():
  ends = {'fid_low': [None, 3.5], 'fid_high': [None, 5.0]}
  assert points([{'step': 1, 'fid': [2.0, 4.0], **ends}]) == [(3.0, 2.0, 5.0)]
  ends = {'fid_low': None, 'fid_high': None}
  assert points([{'step': 1, 'fid': 2.0, **ends}]) == [(2.0, 2.0, 2.0)]


def test_the_mean_is_only_of_seeds_that_all_live():
  ends = {'fid_low': [1.0, None], 'fid_high': [3.0, None]}
  assert points([{'step': 1, 'fid': [2.0, None], **ends}]) == [(None, 1.0, 3.0)]


def test_the_band_is_drawn_and_read_out():
  rows = [
    {'step': s, 'fid': 5.0, 'fid_low': 4.0, 'fid_high': 7.0} for s in (1, 2)
  ]
  drawn = charts.chart('Distance', [charts.line('fid', rows)])
  (band,) = re.findall(r'class="band s0" d="([^"]+)"', drawn)
  heights = {float(p.split()[1]) for p in band[1:-1].split('L')}
  assert len(heights) == 2
  (readings,) = re.findall(r'data-readings="([^"]+)"', drawn)
  told = json.loads(html.unescape(readings))['lines'][0]['words']
  assert told == ['5 (4–7)', '5 (4–7)']
  bare = [{'step': s, 'fid': 5.0} for s in (1, 2)]
  assert 'band' not in charts.chart('Distance', [charts.line('fid', bare)])


def test_the_page_shows_the_plane_and_no_chart_of_the_ends(tmp_path):
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  for step in (1, 2):
    ends = {'precision_low': 0.1 * step, 'precision_high': 0.9}
    ends |= {'recall_low': None, 'recall_high': None}
    lines.write(step, row(step, 0.5, 0.25, **ends))
  lines.close()
  document = page.write_page(tmp_path).read_text()
  assert 'precision 0.5000, recall 0.2500 at step 2' in document
  titles = re.findall(r'<h3>(?:<abbr[^>]+>)?([^<]+)', document)
  assert {'Precision', 'Recall', 'Precision and recall'} <= set(titles)
  assert not [t for t in titles if ' low' in t or ' high' in t]
