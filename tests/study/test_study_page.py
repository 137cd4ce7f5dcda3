"""A study's page: whole, escaped, for odd studies; its headline."""

import html.parser
import math
import re

import pytest

from gan_jax.study.report import figures, forest, headline, report
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
