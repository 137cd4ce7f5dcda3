"""Whatever things are called, a report shows it and does not obey it."""

import csv
import html.parser
import io
import json
import re

import pytest

from gan_jax.kinds import image
from gan_jax.report import page as run_page
from gan_jax.report import pictures, writers
from gan_jax.storage import files
from gan_jax.study.report import csv_table, latex, markdown, report
from gan_jax.study.statistics.types import Analysis, Failures
from tests import study_views
from tests.study import test_study_browser

browser = test_study_browser.browser  # a fixture, and skipped where it is

EVIL = (
  '<img src=x onerror="window.hacked=1">',
  '"><script>window.hacked=1</script>',
  "' onmouseover='window.hacked=1' x='",
  '</script></title></style><script>window.hacked=1</script>',
  '<!-- <svg onload=window.hacked=1> ',
  '<a href="javascript:window.hacked=1">x</a>',
  '&lt;b&gt; &#60;b&#62; \x00\x07 \u202e',
  '=cmd|"/c calc"!A1 \n | `x` \\input{/etc/passwd}',
)
VOID = {'meta', 'img', 'br', 'input'}
TAGS = {  # all that pages are made of
  'html', 'head', 'meta', 'title', 'style', 'body', 'main', 'script', 'header',
  'section', 'nav', 'h1', 'h2', 'h3', 'p', 'span', 'ul', 'ol', 'li', 'div',
  'dl', 'dt', 'dd', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'b', 'i',
  'small', 'data', 'abbr', 'code', 'pre', 'details', 'summary', 'figure',
  'figcaption', 'img', 'input', 'button', 'output', 'svg', 'g', 'path', 'line',
  'circle', 'rect', 'text', 'br',
}  # fmt: skip


class Reader(html.parser.HTMLParser):
  """Every element of a page, as a browser takes it."""

  def __init__(self, document):
    super().__init__()
    self.elements, self.texts = [], []
    self.feed(document)
    self.close()

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_comment(self, data):
    raise AssertionError(f'a comment: {data}')

  def handle_data(self, data):
    self.texts.append(data)


def check_harmless(document):
  """Nothing but the page's own elements; what is evil is only text."""
  reader = Reader(document)
  for tag, attributes in reader.elements:
    assert tag in TAGS, tag
    assert not any(name.startswith('on') for name in attributes), attributes
    for name in ('src', 'href', 'xlink:href', 'action', 'formaction'):
      url = attributes.get(name) or 'data:image/'
      assert url.startswith('data:image/'), url
  assert sum(tag == 'script' for tag, _ in reader.elements) == 1
  return ''.join(reader.texts)


def study_view():
  """A study in which everything that has a name has an evil one."""
  cells = []
  for i, name in enumerate(EVIL):
    one = study_views.cell(name, (i, None))
    runs = [{**r, 'reason': name, 'cell': name} for r in one.runs]
    runs[1]['health'] = {'verdict': name, 'reason': EVIL[-1 - i]}
    rows = [{**row, name: [1.0, 2.0]} for row in one.rows]
    differs = {name: EVIL[-1 - i], 'penalties': {name: {EVIL[0]: [name]}}}
    cells.append(one._replace(differs=differs, runs=runs, rows=rows))
  spreads = tuple(
    study_views.spread(n, (float(i), None)) for i, n in enumerate(EVIL)
  )
  compared = [
    study_views.comparison(n, 1.0, 0.5, 'better', kind=kind, words=n)
    for n in EVIL[1:]
    for kind in ('cell', 'main', 'interaction')
  ]
  tested = Analysis(EVIL[0], False, 0.05, EVIL[0], spreads, tuple(compared))
  return study_views.view(
    name=EVIL[0],
    question=' '.join(EVIL),
    base=EVIL[1],
    design=EVIL[2],
    overrides={EVIL[3]: EVIL[4], 'x': {EVIL[5]: EVIL[6]}},
    metric=EVIL[0],
    also=EVIL[1:3],
    cells=tuple(cells),
    analyses={
      EVIL[0]: tested,
      **{m: tested._replace(metric=m, comparisons=()) for m in EVIL[1:3]},
    },
    failures=tuple(Failures(n, 1, 2, (0.1, 0.9), {n: 1}) for n in EVIL),
    notes=EVIL,
    commands=EVIL,
    manifest={EVIL[0]: {EVIL[1]: list(EVIL)}, 'command': EVIL[3]},
    state=EVIL[0],
  )


@pytest.fixture
def workdir(tmp_path):
  """A run whose folder, config, classes, scores and logs are evil."""
  folder = tmp_path / EVIL[0]
  tree = {name: {EVIL[-1 - i]: [name]} for i, name in enumerate(EVIL)}
  config = {
    **tree, 'steps': 200, 'num_seeds': 2, 'data': {'name': EVIL[0]},
    'model': {'name': EVIL[1]}, 'loss': {'name': EVIL[2]},
    'penalties': {EVIL[3]: {'gamma': EVIL[4]}},
    'stop_when': {'metric': EVIL[1], 'above': -1},
  }  # fmt: skip
  files.write_json(folder / 'config.json', config)
  told = {**tree, 'class_names': list(EVIL), 'log': EVIL[3]}
  files.write_json(folder / 'manifest.json', told)
  rolled = [{'from': EVIL[0], 'to': EVIL[1], 'reason': EVIL[2]}]
  files.write_json(folder / 'rollbacks.json', rolled)
  lines = writers.JsonLines(folder / 'metrics.jsonl')
  for step in (100, 200):
    numbers = {'d_loss': [1.0, 1.5], 'g_loss': [0.5, 0.7]}
    lines.write(step, numbers | {name: [1.0, 2.0] for name in EVIL})
    picture = image.picture([[[[0.5]] * 8] * 8] * 4)
    pictures.save_step(folder / 'samples', step, picture)
  lines.close()
  protocol = {'features': EVIL[0], 'reference': EVIL[1], 'resize': EVIL[2]}
  protocol |= {
    'features_hash': EVIL[3] * 3,
    EVIL[4]: EVIL[5],
    'source': EVIL[6],
  }
  scores = [
    {'metric': name, 'value': 1.0, 'step': step, 'seed': seed, **protocol}
    for name in EVIL
    for step in (100, 200)
    for seed in (0, 1)
  ]
  files.write_json(folder / 'scores.json', scores)
  return folder


def shown(name):
  """A name as a page's text has it, without its blanks."""
  return re.sub(r'\s', '', name)


def test_a_study_page_shows_evil_names_as_text(tmp_path):
  document = report.write(tmp_path, study_view()).read_text('utf-8')
  texts = shown(check_harmless(document))
  for name in EVIL:
    assert texts.count(shown(name).replace('\0', '\ufffd')) >= 3 or (
      texts.count(shown(name)) >= 3
    ), name


def test_a_run_page_shows_evil_names_as_text(workdir):
  document = run_page.write_page(workdir).read_text('utf-8')
  texts = shown(check_harmless(document))
  for name in EVIL[:6]:
    assert texts.count(shown(name)) >= 3, name


def check_in_browser(browser, path):
  """Not even a browser that ignores the page's own policy runs anything."""
  browser.execute_cdp_cmd('Page.setBypassCSP', {'enabled': True})
  try:
    browser.get(path.as_uri())
    browser.execute_script(
      "document.querySelectorAll('details').forEach((d) => { d.open = true; });"
      "for (const one of document.querySelectorAll('*')) {"
      "  for (const kind of ['mouseover', 'load', 'error', 'focus']) {"
      '    one.dispatchEvent(new Event(kind)); } }'
    )
    assert browser.execute_script('return typeof window.hacked') == 'undefined'
    count = 'return document.querySelectorAll(arguments[0]).length'
    for selector in ('[onerror]', '[onmouseover]', '[onload]', 'a', 'iframe'):
      assert browser.execute_script(count, selector) == 0, selector
    assert browser.execute_script(count, 'script') == 1
    assert browser.get_log('browser') == []
  finally:
    browser.execute_cdp_cmd('Page.setBypassCSP', {'enabled': False})


def test_a_browser_runs_nothing_of_a_study(browser, tmp_path):
  check_in_browser(browser, report.write(tmp_path, study_view()))


def test_a_browser_runs_nothing_of_a_run(browser, workdir):
  check_in_browser(browser, run_page.write_page(workdir))


def test_a_browser_would_have_noticed(browser, tmp_path):
  path = tmp_path / 'page.html'
  path.write_text(f'<body>{EVIL[0]}</body>')
  with pytest.raises(AssertionError):
    check_in_browser(browser, path)
  browser.get_log('browser')


# Tables


FORMULAS = ('=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1')


def test_no_cell_of_a_sheet_is_a_formula():
  names = [*FORMULAS, *EVIL]
  found = study_views.view(
    cells=tuple(study_views.cell(n, (-2.5, 7.0)) for n in names),
    analyses={
      '=fid': Analysis(
        '=fid', False, 0.05, '',
        tuple(study_views.spread(n, (-2.5, -7.0)) for n in names), (),
      ),
    },
    metric='=fid',
    also=(),
    failures=(),
  )  # fmt: skip
  rows = list(csv.reader(io.StringIO(csv_table.table(found))))
  assert len(rows) == len(names) + 1 and {len(r) for r in rows} == {
    len(rows[0])
  }
  number = re.compile(r'[+-]?[\d.]+(e[+-]?\d+)?')
  for cell in (cell for row in rows for cell in row):
    begins = cell.lstrip().startswith(csv_table.FORMULA)
    assert not begins or number.fullmatch(cell), cell
  assert [row[0] for row in rows[1:5]] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)"]
  assert "'=fid_mean" in rows[0] and '-4.75' in rows[1]
  assert json.loads(rows[1][-1]) == {'loss.name': '=1+1', 'penalties': {}}


def test_markdown_and_latex_have_a_line_for_each_cell():
  view = study_view()
  table = markdown.table(view)
  assert not re.search(r'(?<!\\)<', table)
  lines = [line for line in table.splitlines() if line.startswith('| ')]
  assert len(lines) == 2 + len(EVIL)
  bars = {len(re.findall(r'(?<!\\)\|', line)) for line in lines}
  assert len(bars) == 1
  table = latex.table(view)
  assert '\\input{' not in table and '\x00' not in table + markdown.table(view)
  assert r'\textbackslash{}input\{/etc/passwd\}' in table
  assert sum(line.endswith(r'\\') for line in table.splitlines()) == (
    1 + len(EVIL)
  )
