"""The report of a study in a browser: it sorts, hides, reads out and fits."""

import shutil

import PIL.Image
import pytest

from gan_jax.study.report import report
from tests import study_views

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
""".split()
BASE, BETTER, WORSE = study_views.NAMES


def _view(tmp_path):
  """Three cells, one without a score, with pictures."""
  path = tmp_path / 'picture.png'
  PIL.Image.new('RGB', (32, 32), (0, 0, 255)).save(path)
  cells = [study_views.cell(n, picture=path) for n in study_views.NAMES]
  found = study_views.analysis('modes')
  lost = study_views.spread(WORSE, (None, None))
  tested = found._replace(cells=(*found.cells[:2], lost))
  return study_views.view(cells=tuple(cells), analyses={'modes': tested})


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
  """A browser without a window; one for all tests."""
  webdriver = pytest.importorskip('selenium.webdriver', reason='no selenium')
  from selenium.webdriver.chrome.service import Service

  binary = next(filter(None, map(shutil.which, BROWSERS)), None)
  driver = shutil.which('chromedriver')
  if not binary or not driver:
    pytest.skip('no chromium with its chromedriver')
  options = webdriver.ChromeOptions()
  options.binary_location = binary
  profile = tmp_path_factory.mktemp('profile')
  for flag in (*FLAGS, f'--user-data-dir={profile}'):
    options.add_argument(flag)
  options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
  found = webdriver.Chrome(options=options, service=Service(driver))
  yield found
  found.quit()


@pytest.fixture
def page(browser, tmp_path):
  """The browser at a study of three cells, 1200 pixels wide."""
  _open(browser, report.write(tmp_path, _view(tmp_path)), width=1200)
  yield browser
  assert browser.get_log('browser') == []


def _open(browser, path, *, width):
  size = {'width': width, 'height': 844, 'deviceScaleFactor': 1}
  browser.execute_cdp_cmd(
    'Emulation.setDeviceMetricsOverride', {**size, 'mobile': width < 600}
  )
  browser.get(path.as_uri())


def _find(page, selector):
  return page.find_elements('css selector', selector)


def _order(page):
  """Numbers of the cells, from the first row of the table to the last."""
  rows = _find(page, '.results tbody tr')
  return [int(row.get_attribute('data-cell')) for row in rows]


def _head(page, title):
  heads = _find(page, '.results th[data-first]')
  return next(head for head in heads if head.text.startswith(title))


def test_a_click_on_a_head_sorts(page):
  assert _order(page) == [0, 1, 2]
  head = _head(page, 'Mean')
  head.find_element('tag name', 'button').click()
  assert _order(page) == [1, 0, 2]  # best first; without a score last
  assert head.get_attribute('aria-sort') == 'descending'
  head.find_element('tag name', 'button').click()
  assert _order(page) == [0, 1, 2]
  assert head.get_attribute('aria-sort') == 'ascending'
  verdict = _head(page, 'Verdict')
  verdict.find_element('tag name', 'button').click()
  assert _order(page) == [1, 2, 0]  # the baseline has none
  assert head.get_attribute('aria-sort') is None


def test_heads_sort_from_the_keyboard(page):
  button = _head(page, 'Failures').find_element('tag name', 'button')
  button.send_keys('\ue007')  # enter
  assert _order(page) == [0, 1, 2]
  button.send_keys(' ')
  assert _order(page)[0] == 2
  _head(page, 'Cell').find_element('tag name', 'button').click()
  assert _order(page) == [0, 1, 2]


def test_a_click_on_the_legend_hides_a_cell_everywhere(page):
  places = (
    '.results tr', '.forest .row', '.chart g', '.chart text',
    '.samples figure', '.runs tr', '.settings tr',
  )  # fmt: skip
  everywhere = {
    place: _find(page, f'{place}[data-cell="2"]') for place in places
  }
  others = _find(page, 'main [data-cell="1"]:not(details *, .paper *)')
  assert all(everywhere.values())
  button = _find(page, '.cells button[data-cell="2"]')[0]
  assert not _find(page, '.cells .all')[0].is_displayed()
  button.click()
  assert button.get_attribute('aria-pressed') == 'false'
  for place, found in everywhere.items():
    assert not any(one.is_displayed() for one in found), place
  assert all(one.is_displayed() for one in others)
  _find(page, '.cells .all')[0].click()
  assert button.get_attribute('aria-pressed') == 'true'
  assert all(found[0].is_displayed() for found in everywhere.values())
  assert not _find(page, '.cells .all')[0].is_displayed()


def test_the_pointer_on_a_chart_reads_out_every_cell(page):
  from selenium.webdriver import ActionChains

  chart = _find(page, '.chart svg')[0]
  ActionChains(page).scroll_to_element(chart).perform()
  ActionChains(page).move_to_element_with_offset(chart, 200, 0).perform()
  tip = _find(page, '.chart .tip')[0]
  assert tip.is_displayed()
  told = [line.text.split('\n') for line in tip.find_elements('tag name', 'li')]
  assert tip.text.startswith('step 100')
  assert tip.find_element('tag name', 'svg').size['width'] == 26
  assert [line[-1] for line in told] == [
    '7.75 (7.50 to 8.00)',
    '6.50 (6.00 to 7.00)',
    '2.500, 1 of 2 seeds',
  ]
  _find(page, '.cells button[data-cell="1"]')[0].click()
  assert not tip.is_displayed()  # the pointer has left
  chart.send_keys('\ue012')  # the arrow to the left
  assert tip.is_displayed()
  assert len(tip.find_elements('tag name', 'li')) == 2


def test_no_name_runs_as_a_script(page):
  assert page.execute_script('return typeof hacked') == 'undefined'
  assert WORSE in _find(page, '.results')[0].text


def test_everything_is_open_in_print(page):
  details = _find(page, 'details')
  assert details and not any(one.get_property('open') for one in details)
  page.execute_cdp_cmd('Page.printToPDF', {})
  assert all(one.get_property('open') for one in details)


@pytest.mark.parametrize('count', [3, 30])
def test_a_phone_scrolls_the_table_and_not_the_page(browser, tmp_path, count):
  view = _view(tmp_path)
  if count > 3:
    view = study_views.many(count)
  _open(browser, report.write(tmp_path, view), width=390)
  browser.execute_script(
    'document.querySelectorAll("details").forEach((d) => { d.open = true; })'
  )
  width = 'return document.documentElement.scrollWidth'
  assert browser.execute_script(width) == 390
  box = 'const box = document.querySelector(".results");'
  inner = browser.execute_script(f'{box} return box.scrollWidth')
  outer = browser.execute_script(f'{box} return box.clientWidth')
  assert inner > outer > 300
  assert browser.get_log('browser') == []


# Of each part of a row: left, right, and what its text needs.
EDGES = """
return [...arguments[0].children].map(x => {
  const box = x.getBoundingClientRect();
  return [box.left, box.right, box.left + x.scrollWidth, box.top];
});
"""


@pytest.mark.parametrize('width', [1200, 720, 390])
def test_no_number_runs_into_a_verdict(browser, tmp_path, width):
  wide = study_views.comparison(BETTER, -0.0021, 0.0033, 'no difference')
  found = study_views.analysis('modes', [wide, wide._replace(name=WORSE)])
  view = study_views.view(analyses={'modes': found})
  _open(browser, report.write(tmp_path, view), width=width)
  rows = _find(browser, '.forest .row[data-cell]')
  edges = [browser.execute_script(EDGES, row) for row in rows]
  assert [len(parts) for parts in edges] == [4, 4]
  for parts in edges:
    name, strip, told, verdict = parts
    assert told[2] <= told[1] + 1 and verdict[2] <= width
    assert told[1] <= verdict[0] or told[3] > verdict[3]  # beside, or beneath
    assert strip[1] - strip[0] > 100 and strip[0] >= name[0]
