"""Text: letters of a terminal, a picture, the page and files."""

import numpy as np
import pytest

from gan_jax.data import kinds, memory
from gan_jax.kinds import text
from tests.report.test_page import _Reader as Reader

LETTERS = '\t\n <&>"abs'


def made(rows, *, lines=False):
  """(data set of rows, these in model range)."""
  x = np.array([[LETTERS.index(c) for c in row] for row in rows], np.uint8)
  about = {'alphabet': LETTERS, 'lines': lines}
  shape = x.shape[1], len(LETTERS)
  data = memory.from_arrays('tiny', 'text', x, shape=shape, about=about)
  return data, np.asarray(kinds.in_model_range(data, x))


def test_the_most_probable_character_counts():
  data, x = made(['ab', 's\n'])
  assert x.sum(-1).tolist() == [[1, 1], [1, 1]]
  soft = 0.9 * x + 0.1 / len(LETTERS)
  assert text.written(soft, data) == ['ab', 's\n']
  many = np.zeros((1, 3, 300), np.float32)
  assert text.from_model_range(many).dtype == np.uint16


def test_signs_stand_for_what_has_no_shape():
  data, x = made(['a\n\tb', ' ss '])
  assert text.lines(x, dataset=data) == ['a↵⇥b', ' ss ']
  assert text.lines(x, dataset=data, labels=['one', 'two'])[::2] == [
    'one',
    'two',
  ]
  assert text.visible('\x1b[2J\u202e') == '·[2J·'  # no terminal is commanded


def test_a_line_ends_with_its_newline():
  data, x = made(['a\n\n\n', 'abab'], lines=True)
  assert text.written(x, data) == ['a', 'abab']


def test_text_is_escaped_on_a_page():
  data, x = made(['<s>a&b"', 'bbbbbbb'])
  _, fake = made(['<<<s>a&', '"a"a"a"'])
  html = text.fragment(fake, dataset=data, real=x, labels=['<i>', '&'])
  assert '<s>' not in html and '&lt;s&gt;' in html
  assert '&amp;' in html and '&lt;i&gt;' in html and '"a"' not in html
  Reader(html)


@pytest.mark.parametrize(
  'row, corpus, run',
  [
    ('abcab', 'xxabcx', 'abc'),
    ('zz', 'ab', ''),
    ('ab', 'ab', 'ab'),
    ('abzcd', 'cd ab', 'ab'),
    ('', 'ab', ''),
  ],
)
def test_the_longest_run(row, corpus, run):
  start, end = text.longest_run(row, corpus)
  assert row[start:end] == run


def test_the_longest_copied_run_is_marked():
  data, _ = made(['abababa', 'sssssss'])
  _, fake = made(['  abab ', '\t\t\t\t\t\t\t'])
  html = text.fragment(fake, dataset=data)
  (mark,) = html.split('<mark')[1:]
  assert mark.partition('>')[2].startswith('abab</mark> ')


def test_files_have_a_line_for_each_sample(tmp_path):
  data, x = made(['a\nb', '<s>'])
  path = tmp_path / 'a.txt'
  text.export(path, x, dataset=data)
  assert path.read_text() == 'a↵b\n<s>\n'
  text.export(path, x, dataset=data, labels=['one', 'two'])
  assert path.read_text() == 'one\ta↵b\ntwo\t<s>\n'


def test_pictures_are_as_wide_as_samples_can_be():
  data, x = made(['a  \n', 'ab  '], lines=True)
  both = text.picture(x, dataset=data)
  assert both.size == text.picture(x[::-1], dataset=data).size
  assert np.asarray(both).min() < 100
  long = np.zeros((2, 500, 3), np.float32)
  assert text.picture(long).width < 1000
