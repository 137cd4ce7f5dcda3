"""A run's page: whole, escaped, and right about the run."""

import base64
import hashlib
import html.parser
import re

import numpy as np
import pytest

from gan_jax.kinds import image
from gan_jax.report import page, pictures, protocols, text, writers
from gan_jax.storage import files

TAGS = ('figure', 'section', 'table', 'dl', 'details', 'svg', 'div', 'main')


class _Reader(html.parser.HTMLParser):
  """Collects tags, addresses and text; complains of what is not closed."""

  def __init__(self, document):
    super().__init__()
    self.open, self.urls, self.counts, self.texts = [], [], {}, []
    self.feed(document)
    assert not self.open, self.open

  def handle_starttag(self, tag, attrs):
    self.counts[tag] = self.counts.get(tag, 0) + 1
    self.urls += [v for k, v in attrs if k in ('src', 'href', 'xlink:href')]
    if tag in TAGS:
      self.open.append(tag)

  def handle_endtag(self, tag):
    if tag in TAGS:
      assert self.open.pop() == tag

  def handle_data(self, data):
    self.texts.append(data)


def _score(metric, value, seed, **also):
  protocol = {'features': 'classifier', 'n_real': 1797, 'n_fake': 2000}
  result = {'metric': metric, 'value': value, 'step': 200, 'seed': seed}
  return result | protocol | also


RECORDS = [
  _score('fid', 0.83124, 0),
  _score('fid', 0.91357, 1),
  _score('fid', 7.7531, 0, features='pixels'),
  _score('my_score', 0.4242, 0, k=5, parts={'a': 0.123456, 'b': [0.1]}),
]


EVIL = '<script>alert(1)</script>"\'&'


@pytest.fixture
def workdir(tmp_path):
  files.write_json(
    tmp_path / 'config.json',
    {'steps': 200, 'num_seeds': 2, 'data': {'name': EVIL}, 'loss': {}},
  )
  files.write_json(tmp_path / 'manifest.json', {'classes': [EVIL], EVIL: 1})
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  for step in (100, 200):
    lines.write(step, {'d_loss': [1.0, 1.5], 'g_loss': [0.5, 0.7], EVIL: 2.0})
    lines.write(step, {'fid': [50.0 / step, 60.0 / step]})
    picture = image.picture(np.full((4, 8, 8, 1), step / 200))
    pictures.save_step(tmp_path / 'samples', step, picture)
  lines.close()
  pictures.save(tmp_path / 'samples' / 'real.png', picture)
  pictures.animate(tmp_path / 'samples')
  records = [*RECORDS, _score(EVIL, 1.0, 0, reference=EVIL)]
  files.write_json(tmp_path / 'scores.json', records)
  return tmp_path


def test_page_is_whole_and_needs_nothing_from_outside(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  reader = _Reader(document)
  assert reader.counts['img'] == 4  # two steps, the animation, real ones
  assert reader.urls and all(u.startswith('data:image/') for u in reader.urls)
  assert not re.search(r'https?://|url\(|@import', document)
  assert 'link' not in reader.counts
  assert reader.counts['svg'] >= 2
  assert len(document) < 3_000_000


def test_page_escapes_what_comes_from_outside(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  assert '<script>alert' not in document
  assert _Reader(document).counts['script'] == 1
  assert '&lt;script&gt;alert(1)' in document


def test_page_holds_every_score_under_its_own_protocol(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  for record in RECORDS:
    assert f'<data value="{record["value"]}"' in document
  # classifier; pixels; the one with a reference
  assert document.count('class="card score"') == 3
  assert text.number((0.83124 + 0.91357) / 2) in document
  assert '>k 5, parts.a 0.1235, parts.b 0.1<' in document


def test_the_head_shows_what_the_run_was_scored_by(tmp_path):
  """Not what somebody has scored with other features or more samples."""
  ours = _score('fid', 0.75, 0)
  others = [
    _score('fid', 88.5, 0, features='pixels'),
    _score('fid', 0.625, 0, n_fake=50),
    _score('kid', 44.25, 0, features='pixels'),
  ]
  for records in ([*others, ours], [ours, *others]):
    files.write_json(tmp_path / 'scores.json', records)
    protocols.ScoreProtocols(tmp_path, 0).note(200, [ours])
    document = page.write_page(tmp_path).read_text('utf-8')
    head = document[document.index('<dl class="tiles">') :].split('</dl>')[0]
    assert '0.7500' in head
    assert not any(words in head for words in ('88.50', '0.6250', '44.25'))


def test_what_is_measured_beside_a_score_does_not_part_its_seeds(tmp_path):
  records = [
    _score('acf_distance', 1.0, 0, parts={'values': 0.25}, interval=[0.5, 1.5]),
    _score('acf_distance', 2.0, 1, parts={'values': 0.5}, interval=[1.5, 2.5]),
  ]
  files.write_json(tmp_path / 'scores.json', records)
  document = page.write_page(tmp_path).read_text('utf-8')
  head = document[document.index('<dl class="tiles">') :].split('</dl>')[0]
  assert '1.500' in head and '2 seeds, 1\N{EN DASH}2' in head
  assert document.count('<th scope="row">') == 1
  assert '>parts.values 0.375<' in document


def test_page_script_is_allowed_by_its_own_policy(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  (script,) = re.findall(r'<script>(.*?)</script>', document, re.DOTALL)
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  assert f"script-src 'sha256-{digest}'" in document


@pytest.mark.parametrize(
  'missing',
  ['config.json', 'manifest.json', 'metrics.jsonl', 'scores.json', 'samples'],
)
def test_page_without_one_piece(workdir, missing):
  path = workdir / missing
  path.rename(workdir.parent / f'{workdir.name}_{missing}')
  _Reader(page.write_page(workdir).read_text('utf-8'))


def test_page_of_nothing(tmp_path):
  document = page.write_page(tmp_path).read_text('utf-8')
  assert 'Not reported yet' in document


@pytest.mark.parametrize(
  'last, config, said',
  [
    ({'d_loss': 1.0}, {'steps': 200}, 'At step 100 of 200'),
    ({'d_loss': 1.0}, {'steps': 100}, 'Finished, 100 steps'),
    ({'d_loss': [None, 1.0]}, {'steps': 100}, '1 of 2 seeds'),
    (
      {'fid': [5.0, 7.0]},
      {'stop_when': {'metric': 'fid', 'below': 10.0}},
      'Fréchet distance below 10',
    ),
  ],
)
def test_page_says_how_the_run_stands(tmp_path, last, config, said):
  files.write_json(tmp_path / 'config.json', config)
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  lines.write(100, last)
  lines.close()
  assert said in page.write_page(tmp_path).read_text('utf-8')


@pytest.mark.parametrize('name', ['update_ratio', 'separation', 'held_out'])
def test_measurements_of_the_game_are_named_in_words(name):
  words = text.title(f'health_{name}')
  assert len(words.split()) > 3 and 'Health' not in words
