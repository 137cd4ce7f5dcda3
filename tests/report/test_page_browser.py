"""The page of a run in a browser: its charts read out."""

import pytest

from gan_jax.report import page, writers
from gan_jax.storage import files
from tests.study import test_study_browser

browser = test_study_browser.browser  # a fixture, and skipped where it is
LEFT, RIGHT = '\ue012', '\ue014'  # keys


@pytest.fixture
def chart(browser, tmp_path):
  """The first chart of a run of three reports; its losses are 2, 4 and 6."""
  files.write_json(tmp_path / 'config.json', {'steps': 300, 'num_seeds': 1})
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  for step in (100, 200, 300):
    lines.write(step, {'d_loss': [step / 50], 'g_loss': [step / 100]})
  lines.close()
  browser.set_window_size(1200, 800)
  browser.get(page.write_page(tmp_path).as_uri())
  yield browser.find_elements('css selector', 'figure.chart')[0]
  assert browser.get_log('browser') == []


def told(chart):
  """(the step that is read out, the values)."""
  outputs = chart.find_elements('tag name', 'output')
  at = chart.find_element('css selector', '.at')
  return at.text, [output.text for output in outputs]


def test_the_pointer_and_the_keys_read_out_a_step(chart, browser):
  from selenium.webdriver import ActionChains

  resting = told(chart)
  svg = chart.find_element('tag name', 'svg')
  svg.send_keys(LEFT)  # the first one shows the last step
  last = told(chart)
  assert '300' in last[0] and last[1][0] == '6'
  svg.send_keys(LEFT)
  middle = told(chart)
  assert '200' in middle[0] and middle[1][0] == '4'
  svg.send_keys(RIGHT, RIGHT)  # there is no step beyond
  assert told(chart) == last
  browser.execute_script('arguments[0].blur()', svg)
  assert told(chart) == resting
  far = svg.rect['width'] // 2 - 1
  ActionChains(browser).move_to_element_with_offset(svg, -far, 0).perform()
  assert '100' in told(chart)[0] and told(chart)[1][0] == '2'
  ActionChains(browser).move_to_element_with_offset(svg, far, 0).perform()
  assert told(chart) == last
