"""The report of a study: true in every format, whole whatever is missing."""

import csv
import html.parser
import io
import math
import re

import numpy as np
import PIL.Image
import pytest
from scipy import stats

from gan_jax.report import charts, document
from gan_jax.study.report import (
  csv_table,
  curves,
  failures,
  figures,
  forest,
  headline,
  latex,
  markdown,
  report,
)
from gan_jax.study.statistics.types import Analysis
from tests import study_views

VOID = {'meta', 'img', 'br', 'input'}
BASE, BETTER, WORSE = study_views.NAMES


class _Reader(html.parser.HTMLParser):
  """Every element of a page; complains of what is not closed in its turn."""

  def __init__(self, page):
    super().__init__()
    self.open, self.elements, self.texts = [], [], []
    self.feed(page)
    self.close()
    assert not self.open, self.open

  def handle_starttag(self, tag, attrs):
    assert len(dict(attrs)) == len(attrs), (tag, attrs)
    self.elements.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.texts.append(data)

  def count(self, tag):
    return sum(name == tag for name, _ in self.elements)


def _page(view):
  page = report.page(view)
  return page, _Reader(page)


def _forest(view):
  return forest.section(view, figures.rows(view))


# Text formats


def test_markdown():
  assert markdown.table(study_views.view()) == (
    r"""**Is \<b\> \& 50% of it\_ better?**

Modes captured (modes), higher is better: mean over 2 seeds, 0 to 1, with 95 % interval. IQM: mean of the middle half of the runs. Runs without a score are left out of the means. Failures: runs that diverged or collapsed. Differences are paired by seed (cell minus base); exact paired permutation test, p corrected by Holm over 4 comparisons; effect: difference in standard deviations of the differences (Hedges). Intervals are not corrected.

| cell | Modes captured ↑ | median | IQM | failures | difference | p (Holm) | effect | verdict | Fréchet distance ↓ |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
| base (baseline) | 6.50 (6.25 to 6.75) | 6.50 | 6.50 | 0 of 2 |  |  |  |  | 6.50 (6.25 to 6.75) |
| b_1 \| 50% | **7.75** (7.50 to 8.00) | 7.75 | 7.75 | 0 of 2 | +1.25 (+1.00 to +1.50) | 0.001 | +1.50 | better | 7.75 (7.50 to 8.00) |
| c \& \<script\>hacked = 1\</script\> | 2.50 | 2.50 | 2.50 | 1 of 2 | -4.50 (-6.00 to -3.00) | 0.001 | +1.50 | worse | **2.50** |

- b_1 \| 50%: better by 1.25
- c \& \<script\>hacked = 1\</script\>: worse by -4.5
- loss: x: no difference by 0.5
- loss: x × d: y: cannot tell by 0.75
"""  # noqa: E501
  )


def test_latex():
  body = latex.table(study_views.view())
  lines = [line.strip() for line in body.splitlines()]
  assert lines[:4] == [
    r'% \usepackage{booktabs}',
    r'\begin{table}',
    r'\centering',
    r'\small',
  ]
  assert lines[4].startswith(
    r'\caption{Is \textless{}b\textgreater{} \& 50\% of it\_ better? Modes '
  )
  assert lines[5:] == [
    r'\label{tab:small-study}',
    r'\begin{tabular}{lrrrrrr}',
    r'\toprule',
    r'Cell & Modes captured $\uparrow$ & Failures & Difference & $p$ & Verdict'
    r' & Fréchet distance $\downarrow$ \\',
    r'\midrule',
    r'base (baseline) & 6.50 {\scriptsize [6.25, 6.75]} & 0 of 2 &  &  & '
    r' & 6.50 {\scriptsize [6.25, 6.75]} \\',
    r'b\_1 \textbar{} 50\% & \textbf{7.75} {\scriptsize [7.50, 8.00]} & 0 of 2'
    r' & +1.25 {\scriptsize [+1.00, +1.50]} & 0.001 & better & 7.75'
    r' {\scriptsize [7.50, 8.00]} \\',
    r'c \& \textless{}script\textgreater{}hacked = 1\textless{}/script'
    r'\textgreater{} & 2.50 & 1 of 2 & $-$4.50 {\scriptsize [$-$6.00, $-$3.00]}'
    r' & 0.001 & worse & \textbf{2.50} \\',
    r'\bottomrule',
    r'\end{tabular}',
    r'\end{table}',
  ]


def test_csv_has_all_digits_and_nothing_where_there_is_none():
  third = study_views.spread(BASE, (1 / 3, 2 / 3))
  empty = study_views.spread(WORSE, (None, math.nan))._replace(mean=math.inf)
  tested = study_views.analysis('modes')._replace(cells=(third, empty))
  body = csv_table.table(study_views.view(analyses={'modes': tested}))
  base, better, worse = csv.DictReader(io.StringIO(body))
  assert (base['cell'], better['cell'], worse['cell']) == study_views.NAMES
  assert float(base['modes_mean']) == 0.5 and base['modes_n'] == '2'
  assert float(base['modes_low']) == 0.25
  assert base['difference'] == '' and base['is_baseline'] == '1'
  assert better['modes_mean'] == '' and better['difference'] == '1.25'
  assert better['p_adjusted'] == '0.00125' and better['verdict'] == 'better'
  assert worse['modes_mean'] == '' and worse['fid_mean'] == ''
  assert (worse['runs'], worse['failures']) == ('2', '1')
  assert (worse['failures_low'], worse['failures_high']) == ('0.1', '0.9')
  assert better['differs'] == '{"loss.name": "b_1 | 50%", "penalties": {}}'


@pytest.mark.parametrize(
  'words, shown',
  [
    ('a_b', 'a_b'),
    ('_a_ *b*', r'\_a\_ \*b\*'),
    ('a|b\nc', r'a\|b c'),
    ('x [1] `y` <i>', r'x \[1\] \`y\` \<i\>'),
  ],
)
def test_markdown_escapes(words, shown):
  assert markdown.escape(words) == shown


def test_latex_escapes_every_special_character_once():
  assert latex.escape('\\{}$&#_%~^') == (
    r'\textbackslash{}\{\}\$\&\#\_\%\textasciitilde{}\textasciicircum{}'
  )


@pytest.mark.parametrize(
  'values, intervals, digits',
  [
    ((6.1, 7.2), ((5.6, 6.6), (6.7, 7.7)), 2),  # half a point: two digits
    ((6.1, 7.2), ((5.0, 7.2), None), 1),
    ((0.99512, 0.9961), ((0.9946, 0.9956),), 5),
    ((1234.0, 12.0), ((1000.0, 1468.0),), 0),
    ((0.5,), ((0.5, 0.5),), 4),  # no width: four of the number
    ((), (), 0),
  ],
)
def test_digits_follow_the_interval(values, intervals, digits):
  assert figures.places(values, intervals) == digits


@pytest.mark.parametrize(
  'value, digits, shown',
  [
    (6.5, 2, '6.50'),
    (12345.678, 1, '12,345.7'),
    (2e-7, 3, '2.0e-07'),
    (3e12, 0, '3.0e+12'),
    (0.0, 1, '0.0'),
    (math.nan, 1, '–'),
    (None, 1, '–'),
  ],
)
def test_fixed(value, digits, shown):
  assert figures.fixed(value, digits) == shown


def test_settings_are_told_without_brackets():
  assert figures.setting({'r1': {'gamma': 0.1}}) == 'r1 gamma=0.1'
  assert figures.setting({'r1': {'gamma': 0.1}, 'r2': {}}) == 'r1 gamma=0.1, r2'
  assert figures.setting({}) == figures.setting(()) == 'none'
  assert figures.setting(False) == 'no'


# Page


def test_page_is_whole_and_needs_nothing_from_outside():
  page, reader = _page(study_views.view())
  urls = [a for _, a in reader.elements if {'src', 'href'} & a.keys()]
  assert not urls and reader.count('link') == 0
  assert not re.search(
    r'https?://(?!www\.w3\.org/2000/svg)|url\(|@import', page
  )
  assert reader.count('script') == 1


def test_page_escapes_names_reasons_and_settings():
  page, reader = _page(study_views.view())
  assert '<script>hacked' not in page and '<b>no</b>' not in page
  assert WORSE in ''.join(reader.texts)
  assert '&lt;b&gt;no&lt;/b&gt;' in page


def test_files_are_the_same_bytes_for_the_same_view(tmp_path):
  kept = {}
  for _ in range(2):
    path = report.write(tmp_path, study_views.view())
    assert path == tmp_path / 'report.html'
    told = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert set(told) == {'report.html', 'table.md', 'table.csv', 'table.tex'}
    assert not kept or told == kept
    kept = told


def _nothing(**changes):
  return study_views.view(
    analyses={}, failures=(), notes=(), commands=(), manifest={}, **changes
  )


def _unscored():
  none = tuple(study_views.spread(n, (None, None)) for n in study_views.NAMES)
  unknown = study_views.COMPARISONS[0]._replace(
    difference=None, interval=None, p=None, p_adjusted=None, effect=None,
    detectable=None, verdict='cannot tell', words='cannot tell from 0 pairs',
  )  # fmt: skip
  analysis = Analysis('modes', False, 0.05, BASE, none, (unknown,))
  return study_views.view(analyses={'modes': analysis})


def _odd_numbers():
  bad = study_views.comparison(BETTER, math.inf, 1.0, 'better')
  bad = bad._replace(effect=math.nan, detectable=math.inf)
  rows = [{'step': k, 'modes': [math.inf, None]} for k in range(3)]
  cells = [
    study_views.cell(name)._replace(rows=rows) for name in (BASE, BETTER)
  ]
  analyses = {'modes': study_views.analysis('modes', (bad,))}
  return study_views.view(cells=tuple(cells), analyses=analyses)


def _bare_cell(name):
  return study_views.cell(name)._replace(runs=[], rows=[])


VIEWS = {
  'no run yet': _nothing(
    state='0 of 6 runs', cells=tuple(map(_bare_cell, study_views.NAMES))
  ),
  'half done': study_views.view(
    state='3 of 6 runs', cells=(study_views.cell(BASE), _bare_cell(BETTER))
  ),
  'one cell': _nothing(cells=(study_views.cell(BASE),)),
  'no cell': _nothing(cells=()),
  'no baseline': study_views.view(
    analyses={'modes': study_views.analysis('modes', (), baseline='')}
  ),
  'no score': _unscored(),
  'one seed': _nothing(
    num_seeds=1, cells=(study_views.cell(BASE, (3.0,)),)
  ),
  'no finite number': _odd_numbers(),
  'thirty cells': study_views.many(30),
}  # fmt: skip


@pytest.mark.parametrize('name', VIEWS)
def test_reports_of_odd_studies(name, tmp_path):
  view = VIEWS[name]
  page, _ = _page(view)
  assert 'nan' not in page.split('<main>')[1].split('<script>')[0].lower()
  report.write(tmp_path, view)
  lines = (tmp_path / 'table.csv').read_text().splitlines()
  assert len(lines) == 1 + len(view.cells)
  assert not re.search(r'\b(nan|inf)\b', '\n'.join(lines))
  table = (tmp_path / 'table.md').read_text().split('\n| ')[3:]
  assert len(table) == len(view.cells)


@pytest.mark.parametrize(
  'name, said',
  [
    ('no run yet', 'No verdict yet'),
    ('half done', 'Running, 3 of 6 runs'),
    ('no baseline', 'nothing is compared'),
    ('one seed', 'with one seed nothing can be tested'),
    ('no score', 'cannot tell from 0 pairs'),
  ],
)
def test_headline_says_how_the_study_stands(name, said):
  assert said in headline.headline(VIEWS[name])


def test_headline_tells_the_surest_of_many_comparisons():
  found = [
    study_views.comparison(f'x{k}', 0.1, 1.0, 'no difference') for k in range(5)
  ]
  found.insert(3, study_views.comparison('y', -2.0, 0.5, 'worse'))
  view = study_views.view(analyses={'modes': study_views.analysis('m', found)})
  shown = headline.headline(view)
  assert shown.index('<b>y</b>') < shown.index('<b>x0</b>')
  assert '<b>x2</b>' not in shown and '3 others: no difference' in shown


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
  titles = re.findall('<h3>(.*?)<small>', drawn)
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


# What is shared with the page of a run


def test_plot_of_a_single_step_and_value():
  line = charts.Line('a', [charts.Point(5, 2.0, None, None)])
  plot = charts.plot_of([line])
  assert plot.x(5) == charts.FRAME.left
  assert charts.FRAME.top < plot.y(2.0) < charts.FRAME.height


def test_sections_without_content_are_left_out():
  assert document.section('A', '') == document.folded('A', '') == ''
