"""Files that hold no series: one line, exit code 2, nothing written."""

import numpy as np
import pytest

from gan_jax import train
from gan_jax.data import loading
from gan_jax.types import UserError
from tests.bad_input import RING, refused

GOOD = ''.join(f'{k},{k * k}\n' for k in range(40))
HEAD = 'a,b\n'


@pytest.mark.parametrize(
  'text, words',
  [
    (b'', 'the file is empty'),
    (b'\n \n', 'no row of numbers'),
    (b'a,b\n', 'no row of numbers'),
    (b'a,b\n1,2\nx y,3\n', "line 3, column 'a': 'x y' is no number"),
    (b'day,b\nMon,2\n', "'Mon' is no number. data.columns=b leaves it out"),
    (b'a,b\n1,2\n\n3,nan\n', "line 4, column 'b': 'nan' holds no number"),
    (b'a,b\n1,inf\n', "column 'b': 'inf' holds no number"),
    (b'a,b\n1, \n', "line 2, column 'b': nothing holds no number"),
    (b'1,2\n3\n', 'line 2 has 1 values; expected 2'),
    (b'a,b\n1,2\n1,2,3\n', 'line 3 has 3 values; expected 2'),
    (b'a,a\n1,2\n', "two columns are called 'a'"),
    (b'\x89PNG\r\n\x1a\n\xff\x00', 'not a text file'),
    (b'a,b\n1,\x002\n', 'not a text file'),
    (b'a\n"1\n2\n3', "line 4, column 'a': '1 2 3' is no number"),
    ((HEAD + GOOD.replace(',', ',7#')).encode(), "'7#0' is no number"),
  ],
)
def test_a_text_file_is_refused(tmp_path, text, words):
  path = tmp_path / 'a.csv'
  path.write_bytes(text)
  with pytest.raises(UserError, match=words) as caught:
    loading.load('table', path=str(path), length=2)
  assert str(caught.value).startswith(f'data.path={path}: ')


@pytest.mark.parametrize(
  'options, words',
  [
    ({}, 'one long series; data.length=N cuts'),
    ({'length': 33}, 'the train part has 32 moments, fewer than a window'),
    ({'length': 9, 'split': 'test'}, 'the test part has 8 moments'),
    ({'length': 4, 'columns': 'a,c'}, "data.columns: there is no 'c', but a,b"),
    (
      {'length': 4, 'returns': True},
      'expected values above 0, the lowest is 0',
    ),
    ({'length': -1}, 'data.length=-1: expected a whole number'),
    ({'length': 4, 'stride': 0}, 'data.stride=0: expected a whole number'),
    ({'length': 4, 'test': 0.0}, 'data.test=0.0: expected a share'),
    ({'length': 4, 'test': 1.0}, 'data.test=1.0: expected a share'),
    ({'length': 4, 'scale': 'log'}, "data.scale='log': there are range"),
    ({'length': 4, 'split': 'val'}, "data.split='val': there are train, test"),
    ({'length': 4, 'window': 3}, 'data.window: unknown; table takes path'),
  ],
)
def test_an_option_is_refused(tmp_path, options, words):
  path = tmp_path / 'a.csv'
  path.write_text(HEAD + GOOD)
  with pytest.raises(UserError, match=words):
    loading.load('table', path=str(path), **options)


@pytest.mark.parametrize(
  'arrays, words',
  [
    ({'y': np.zeros(4)}, 'no array `x`'),
    ({'x': np.array(['a'])}, r'expected numbers \[T\].* got <U1'),
    ({'x': np.zeros((2, 2, 2, 2))}, r'expected numbers .* \[2, 2, 2, 2\]'),
    ({'x': np.full((9, 1), np.nan)}, 'not finite'),
    ({'x': np.zeros((9, 2)), 'columns': ['a']}, '1 names .* for 2 columns'),
    ({'x': np.zeros((9, 2)) + 1}, "column '1' is 1 throughout the training"),
    ({'x': np.ones((4, 5, 1)), 'label': [1, 2]}, 'expected 4 labels'),
    ({'x': np.zeros((2, 5, 1))}, 'data.test=0.2: 0 of 2 series'),
  ],
)
def test_an_archive_is_refused(tmp_path, arrays, words):
  path = tmp_path / 'a.npz'
  np.savez(path, **arrays)
  length = 0 if arrays.get('x', np.zeros(1)).ndim == 3 else 2
  with pytest.raises(UserError, match=words):
    loading.load('table', path=str(path), length=length)


def test_files_that_are_not_there_are_refused(tmp_path):
  for name, words in (
    ('a.csv', 'there is no such file'),
    ('a.npz', 'there is no such file'),
    ('', 'expected a .csv or .npz'),
  ):
    path = str(tmp_path / name) if name else ''
    with pytest.raises(UserError, match=words):
      loading.load('table', path=path, length=4)
  with pytest.raises(UserError, match='expected a file'):
    loading.load('table', path=str(tmp_path), length=4)
  (tmp_path / 'b.npz').write_text('hello')
  with pytest.raises(UserError, match='not an .npz file'):
    loading.load('table', path=str(tmp_path / 'b.npz'), length=4)


def test_a_run_on_a_file_with_a_gap_is_refused(tmp_path, capfd):
  path = tmp_path / 'a.csv'
  path.write_text(HEAD + GOOD + '3,\n')
  refused(
    capfd, train.main,
    [RING, '--config.data.name=table', f'--config.data.path={path}',
     '--config.data.length=4', f'--workdir={tmp_path / "run"}'],
    "line 42, column 'b'", root=tmp_path,
  )  # fmt: skip
