"""Every name on a page has a title and a sentence that says what it is."""

import html
import json
import re

import pytest

from gan_jax.game.health import probe
from gan_jax.metrics import measures
from gan_jax.report import charts, glossary, page, tables, text
from gan_jax.storage import files

SCORED = [name for one in measures.METRICS for name in one.outputs]
HEALTH = probe.metric_names(held_out=True)
TRAINED = ('d_loss', 'g_loss', 'd_real', 'd_fake')


@pytest.mark.parametrize('name', [*SCORED, *HEALTH, *TRAINED])
def test_every_name_is_explained(name):
  term = glossary.SCORES.get(name) or glossary.MEASURES[name]
  assert term.title == text.title(name) and '_' not in term.title[:-4]
  assert term.sentence[0].isupper() and term.sentence[-1] in '.?'
  assert 20 < len(term.sentence) < 200 and '  ' not in term.sentence


def test_every_score_and_nothing_else_is_among_the_scores():
  assert set(glossary.SCORES) == set(SCORED)
  assert set(glossary.PROTOCOL) == set(tables.PROTOCOL)
  assert {n for n in glossary.MEASURES if n.startswith('health_')} == {*HEALTH}


def test_what_is_unknown_is_shown_as_it_is():
  assert glossary.marked('<mine>', '<Mine>') == '&lt;Mine&gt;'
  assert 'penalty' in glossary.sentence('penalty_r1')
  assert 'penalty' in glossary.sentence('g_penalty_mine')
  assert glossary.listing(['mine']) == ''


def test_a_page_says_what_its_words_mean(tmp_path):
  names = ('d_loss', 'g_loss', 'kid', 'health_reach')
  rows = [{'step': step, **dict.fromkeys(names, 0.5)} for step in (1, 2)]
  path = tmp_path / 'metrics.jsonl'
  path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
  record = {'metric': 'swd', 'value': 1.0, 'step': 2, 'seed': 0, 'n_fake': 9}
  files.write_json(tmp_path / 'scores.json', [record])
  document = page.write_page(tmp_path).read_text('utf-8')
  term = re.compile('<abbr class="term" title="([^"]+)">([^<]+)<')
  shown = {(words, title) for words, title in term.findall(document)}
  for name in ('kid', 'swd', 'health_reach', 'd_loss', 'n_fake'):
    words = html.escape(glossary.sentence(name))
    title = 'Losses' if name == 'd_loss' else html.escape(text.title(name))
    assert (words, title) in shown
    assert f'<dd>{words}</dd>' in document  # for touch, at the end


def test_points_between_gaps_are_dots():
  values = [1.0, None, 2.0, None, 3.0, 3.5, None]
  rows = [{'step': k, 'kid': value} for k, value in enumerate(values)]
  line = charts.line('kid', rows)
  drawn = charts.draw(charts.plot_of([line]), line, 's0')
  assert drawn.count('<circle') == 2 and drawn.count('L') == 1
  assert '<text' not in drawn, 'only a point that is all there is has its value'
  alone = charts.line('kid', rows[:2])
  assert charts.draw(charts.plot_of([alone]), alone, 's0').count('<text') == 1
