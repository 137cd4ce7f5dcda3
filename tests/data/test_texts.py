"""Texts: windows, lines, alphabets, files of one's own and their mistakes."""

import re

import numpy as np
import pytest

from gan_jax.data import alphabet, kinds, loading, texts
from gan_jax.datasets import npz, text_files
from gan_jax.kinds import text
from gan_jax.types import UserError
from tests import tiny_data

SAID = 'All the world is a stage,\nand all the men and women players.\n'


def written(data):
  return text.written(loading.arrays(data)['x'], data)


def test_an_alphabet_is_ascending_and_numbers_go_back_to_letters():
  letters = alphabet.fit('bean 🙂')
  assert letters == ' abenU🙂'.replace('U', '')
  x = alphabet.encode('🙂 bean', letters, source='')
  assert x.dtype == np.uint8 and ''.join(letters[k] for k in x) == '🙂 bean'
  many = alphabet.fit(''.join(map(chr, range(300))))
  assert alphabet.encode('a', many, source='').dtype == np.uint16


def test_unseen_characters_are_named():
  with pytest.raises(UserError) as e:
    alphabet.encode('aжb\n', 'ab', source='here')
  assert str(e.value) == (
    "here: it has 2 characters that the training part lacks: '\\n' (U+000A),"
    " 'ж' (CYRILLIC SMALL LETTER ZHE)."
  )
  with pytest.raises(UserError, match='7 characters.*and 2 more'):
    alphabet.encode('abcdefg', 'x', source='here')
  with pytest.raises(UserError, match='different characters'):
    alphabet.fit(''.join(map(chr, range(2**16 + 1))))


def test_windows_and_lines():
  assert texts.windows('abcdefg', 3) == ['abc', 'def']
  assert texts.lines(' ab \n\nabc\nabcd\n', 4) == ['ab\n\n', 'abc\n']


@pytest.mark.parametrize('by', texts.CUTS)
def test_no_sample_reaches_across_the_split_or_a_file(by, tmp_path):
  for name in 'ab':
    rows = [f'{name}{k:03}' for k in range(100)]
    (tmp_path / f'{name}.txt').write_text('\n'.join(rows))
  given = {'path': str(tmp_path), 'length': 7, 'by': by}
  train, test = (
    loading.load('text_files', split=s, **given) for s in ('train', 'test')
  )
  assert train.about == test.about and train.shape == test.shape
  assert train.fingerprint != test.fingerprint
  number = lambda data: [
    int(k) for row in written(data) for k in re.findall(r'(?<=[ab])\d{3}', row)
  ]
  assert max(number(train)) < min(number(test)) + (by == 'windows')
  assert not any('a' in row and 'b' in row for row in written(train))
  if by == 'lines':
    assert sorted(number(train) + number(test)) == sorted(2 * [*range(100)])


def test_the_ends_of_lines_are_alike(tmp_path):
  path = tmp_path / 'a.txt'
  path.write_bytes(('\ufeff' + SAID.replace('\n', '\r\n')).encode())
  data = loading.load('text_files', path=str(path), length=8, test_share=0.0)
  assert ''.join(written(data)) == SAID[: len(SAID) // 8 * 8]


BAD = {
  'empty.txt': (b' \n', 'empty.txt is empty'),
  'short.txt': (b'To be', 'no part of it has the 32 characters.*longest has 4'),
  'zeros.txt': (b'abc\0' * 99, 'is no text: it holds zero bytes'),
  'latin.txt': ('é'.encode('latin-1') * 99, r'not utf-8 \(byte 0\); data.enc'),
  'picture.txt': (tiny_data.png(tiny_data.images(1)[0]), 'is not utf-8'),
}


@pytest.mark.parametrize('name', BAD)
def test_files_that_are_no_texts(name, tmp_path):
  content, says = BAD[name]
  (tmp_path / name).write_bytes(content)
  for path in (tmp_path / name, tmp_path):
    with pytest.raises(UserError, match=says) as e:
      loading.load('text_files', path=str(path))
    assert '\n' not in str(e.value)


@pytest.mark.parametrize(
  'given, says',
  [
    ({}, r'data.path: expected a .txt file'),
    ({'path': 'nowhere'}, 'data.path=nowhere: there is no such file'),
    ({'path': '.'}, 'no .txt file in this folder'),
    ({'length': 1}, 'data.length=1: expected 2 to'),
    ({'by': 'words'}, "data.by='words': there are windows, lines"),
    ({'split': 'val'}, "data.split='val': there are train, test"),
    ({'test_share': 1.0}, 'data.test_share=1.0: expected 0 or a share'),
    ({'encoding': 'martian'}, "data.encoding='martian': no such encoding"),
    ({'encoding': 'rot13'}, "data.encoding='rot13'"),
    ({'by': 'lines', 'length': 3}, 'no line of 1 to 2 characters'),
  ],
)
def test_options_out_of_range(given, says, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  if given and 'path' not in given:
    (tmp_path / 'a.txt').write_text(SAID)
    given = {'path': 'a.txt', **given}
  with pytest.raises(UserError, match=says):
    loading.load('text_files', **given)


def test_a_character_of_the_test_part_alone_is_named(tmp_path):
  (tmp_path / 'a.txt').write_text(99 * 'ab' + 40 * 'ж')
  given = {'path': str(tmp_path / 'a.txt'), 'length': 8, 'test_share': 0.2}
  assert loading.load('text_files', **given).about['alphabet'] == 'ab' + 'ж'[:0]
  with pytest.raises(UserError, match=r'a.txt \(test part\): it has a char.*ж'):
    loading.load('text_files', split='test', **given)


def test_shakespeare_has_the_alphabet_of_its_training_part(tmp_path):
  folder = tiny_data.write_plays(tmp_path, SAID)
  data = loading.load('tiny_shakespeare', dir=str(folder))
  assert ''.join(written(data)) == (20 * SAID)[: data.size * 32]
  test = loading.load('tiny_shakespeare', dir=str(folder), split='test')
  assert test.about == data.about and test.size == 4 * len(SAID) // 32
  with pytest.raises(UserError, match='there are train, validation, test'):
    loading.load('tiny_shakespeare', dir=str(folder), split='val')
  with pytest.raises(UserError, match='has not been prepared'):
    loading.load('tiny_shakespeare', dir=str(tmp_path / 'other'))


def test_every_line_is_of_the_grammar():
  data = loading.load('grammar', size=2000)
  rows = written(data)
  assert all(re.fullmatch(data.about['grammar'], row) for row in rows)
  assert 20 < max(map(len, rows)) < data.shape[0] and len(set(rows)) > 1500
  wrong = (
    'the cats sees one pig.',
    'one cats run.',
    'the cat sees.',
    'the cat runs',
  )
  for row in wrong:
    assert not re.fullmatch(data.about['grammar'], row)
  test = loading.load('grammar', size=2000, split='test')
  assert test.size == 400 and written(test) != rows[:400]
  for given in ({'split': 'val'}, {'size': 0}, {'data_seed': -1}):
    with pytest.raises(UserError, match=f'data.{next(iter(given))}='):
      loading.load('grammar', **given)


def test_samples_of_another_program_are_lines_of_a_file(tmp_path):
  lines = loading.load('grammar', size=50)
  path = tmp_path / 'made.txt'
  text.export(path, loading.arrays(lines)['x'], dataset=lines)
  again = text_files.samples(str(path), lines)
  assert written(again) == written(lines) and again.shape == lines.shape
  (tmp_path / 'a.txt').write_text(SAID)
  given = {'path': str(tmp_path / 'a.txt'), 'length': 8, 'test_share': 0.0}
  pieces = loading.load('text_files', **given)
  text.export(path, loading.arrays(pieces)['x'], dataset=pieces)
  assert '↵' in path.read_text()
  assert written(text_files.samples(str(path), pieces)) == written(pieces)


def numbered(path, data, **changes):
  """An .npz of samples as the command writes it, or nearly so."""
  x = np.asarray(kinds.in_model_range(data, loading.arrays(data)['x']))
  arrays = {'samples': x} | npz.beside(data) | changes
  np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
  return str(path)


@pytest.mark.parametrize('lines', [True, False])
def test_arrays_of_samples_say_what_their_numbers_mean(lines, tmp_path):
  (tmp_path / 'a.txt').write_text(SAID)
  given = {'path': str(tmp_path / 'a.txt'), 'length': 8, 'test_share': 0.0}
  own = loading.load('text_files', **given)
  own = loading.load('grammar', size=50) if lines else own
  again = text_files.samples(numbered(tmp_path / 'x.npz', own), own)
  assert written(again) == written(own) and again.shape == own.shape
  x, same = (loading.arrays(d)['x'] for d in (again, own))
  np.testing.assert_array_equal(x, same)
  # In an alphabet of another order the numbers differ, the texts do not.
  letters = own.about['alphabet']
  x = np.eye(len(letters), dtype=np.float32)[len(letters) - 1 - same]
  turned = {'samples': x, 'alphabet': np.array(list(letters[::-1]))}
  again = text_files.samples(numbered(tmp_path / 'x.npz', own, **turned), own)
  np.testing.assert_array_equal(loading.arrays(again)['x'], same)


def test_what_follows_the_end_of_a_line_is_none_of_it(tmp_path):
  own = loading.load('grammar', size=5)
  letters, x = own.about['alphabet'], loading.arrays(own)['x'].copy()
  x[:, -1] = letters.index('a')
  x = np.eye(len(letters), dtype=np.float32)[x]
  again = text_files.samples(numbered(tmp_path / 'x.npz', own, samples=x), own)
  assert written(again) == written(own)


NONE = np.full((2, 32, 3), np.nan, np.float32)
ABC = np.array(['a', 'b', 'c'])


@pytest.mark.parametrize(
  'changes, says',
  [
    ({'alphabet': None}, r'x.npz: for texts, expected an array `alphabet`'),
    ({'alphabet': ABC}, r'expected texts \[N, T, V\].* <U1 \[3\]'),
    ({'samples': np.zeros((2, 32, 3)), 'alphabet': ABC[:, None]}, 'single'),
    ({'samples': np.zeros((2, 32, 1)), 'alphabet': np.array(['ab'])}, 'single'),
    ({'samples': np.zeros((2, 3), int), 'alphabet': ABC}, r'int64 \[2, 3\]'),
    ({'samples': NONE, 'alphabet': ABC}, 'not finite'),
    (
      {'samples': np.zeros((2, 33, 3)), 'alphabet': ABC},
      'sample 1 has 33 characters; expected 32 at most',
    ),
    (
      {'samples': np.ones((2, 32, 3)), 'alphabet': np.array(list('жbc'))},
      'it has a character that .*ж',
    ),
  ],
)
def test_arrays_that_cannot_be_compared(changes, says, tmp_path):
  own = loading.load('grammar', size=5)
  path = numbered(tmp_path / 'x.npz', own, **changes)
  with pytest.raises(UserError, match=says):
    text_files.samples(path, own)


@pytest.mark.parametrize(
  'content, says',
  [
    ('the cat runs.\n' + 'a' * 33, 'line 2 has 33 characters; expected 32 at'),
    ('the жat runs.\n', 'made.txt: it has a character.*ж'),
    ('', 'is empty'),
  ],
)
def test_samples_that_cannot_be_compared(content, says, tmp_path):
  path = tmp_path / 'made.txt'
  path.write_text(content)
  with pytest.raises(UserError, match=says):
    text_files.samples(str(path), loading.load('grammar', size=5))
  with pytest.raises(UserError, match='it holds text; ring8 is none'):
    text_files.samples(str(path), loading.load('ring8', size=5))
