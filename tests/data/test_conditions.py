"""Data sets whose labels are vectors: attributes of an example, or numbers."""

import numpy as np
import pytest

from gan_jax.data import conditions, held_out, loading, memory
from gan_jax.datasets import digits as digits_lib
from gan_jax.types import UserError
from tests import tiny_data

N, C = 12, 40
X = tiny_data.images(N, (218, 178, 3))
Y = np.random.default_rng(1).integers(0, 2, (N, C))


@pytest.fixture(scope='module')
def faces(tmp_path_factory):
  """A tiny celeb_a; not to be changed."""
  pytest.importorskip('tensorflow_datasets')
  splits = {'train': (X, Y), 'test': (X[:4], Y[:4])}
  return str(tiny_data.write_faces(tmp_path_factory.mktemp('faces'), splits))


@pytest.mark.parametrize('memory_mb', [1, 0])
def test_attributes_of_faces(faces, memory_mb):
  """0 or 1, in the order of their names, each of its own picture."""
  own = {'dir': faces, 'image_size': 16, 'memory_mb': memory_mb}
  data = loading.load('celeb_a', **own)
  known = loading.describe('celeb_a', image_size=16)
  assert data.attributes == known.attributes and len(known.attributes) == C
  assert data.attributes[31] == 'Smiling' and data.class_names == ()
  arrays = loading.arrays(data)
  assert arrays['label'].shape == (N, C)
  assert arrays['label'].dtype == np.float32
  whole = loading.arrays(loading.load('celeb_a', dir=faces))
  of = {x.tobytes(): y.tolist() for x, y in zip(X, Y, strict=True)}
  for x, y, same in zip(*whole.values(), arrays['label'], strict=True):
    assert of[x.tobytes()] == y.tolist() == same.tolist()
  test = loading.load('celeb_a', split='test', **own)
  assert test.size == 4 and test.attributes == data.attributes


def test_vectors_alone_are_read_without_pictures(faces, monkeypatch):
  data = loading.load('celeb_a', dir=faces, memory_mb=0, image_size=16)
  whole = loading.arrays(data)['label']
  monkeypatch.setattr('gan_jax.data.images.decode', None)
  rows = np.array([3, 0, 3])
  np.testing.assert_array_equal(conditions.of(data, rows), whole[rows])
  trained, unseen = held_out.part(data, 0.25)
  both = [
    conditions.of(part, np.arange(part.size)) for part in (trained, unseen)
  ]
  assert [len(y) for y in both] == [9, 3]
  everything = np.concatenate(both)
  assert sorted(map(tuple, everything)) == sorted(map(tuple, whole))


@pytest.mark.parametrize('dtype', [np.float64, np.float16, int, bool])
def test_an_archive_of_vectors(dtype, tmp_path):
  y = np.random.default_rng(0).integers(0, 2, (6, 5)).astype(dtype)
  points = np.random.default_rng(1).normal(size=(6, 2))
  np.savez(tmp_path / 'a.npz', x=points, y=y)
  data = loading.load('npz', path=str(tmp_path / 'a.npz'))
  assert data.attributes == tuple('01234') and data.class_names == ()
  label = loading.arrays(data)['label']
  assert label.dtype == np.float32
  np.testing.assert_array_equal(label, y)
  np.savez(tmp_path / 'b.npz', x=points, y=y, attributes=list('abcde'))
  named = loading.load('npz', path=str(tmp_path / 'b.npz'))
  assert named.attributes == tuple('abcde')
  assert named.fingerprint != data.fingerprint


@pytest.mark.parametrize(
  ('names', 'words'),
  [
    (['a', 'b'], 'of 3 different names.* there are 2'),
    (['a', 'b', 'a'], 'of 3 different names.* there are 2'),
    ([1, 2, 3], '`attributes` .C. of text, got int64'),
  ],
)
def test_names_that_do_not_fit(names, words, tmp_path):
  arrays = {'x': np.zeros((4, 2)), 'y': np.ones((4, 3)), 'attributes': names}
  np.savez(tmp_path / 'a.npz', **arrays)
  with pytest.raises(UserError, match=words):
    loading.load('npz', path=str(tmp_path / 'a.npz'))


def test_series_with_vectors(tmp_path):
  """A window has the vector of the series that it is cut from."""
  x = np.random.default_rng(0).normal(size=(10, 6, 2))
  y = np.stack([x[:, 0, 0], x[:, 0, 1], np.arange(10)], -1)
  np.savez(tmp_path / 'a.npz', x=x, label=y, attributes=list('abc'))
  options = {'path': str(tmp_path / 'a.npz'), 'length': 4}
  data = loading.load('table', scale='none', **options)
  assert data.attributes == tuple('abc') and data.size == 8 * 3
  arrays = loading.arrays(data)
  for window, own in zip(arrays['x'], arrays['label'], strict=True):
    series = x[int(own[2])].astype(np.float32)
    assert any((series[k : k + 4] == window).all() for k in range(3))
    np.testing.assert_allclose(own, y[int(own[2])], 1e-6)
  rows = np.array([5, 0])
  np.testing.assert_array_equal(
    conditions.of(data, rows), arrays['label'][rows]
  )
  y[3, 1] = np.nan
  np.savez(tmp_path / 'a.npz', x=x, label=y)
  with pytest.raises(UserError, match='the first is that of example 3'):
    loading.load('table', **options)


TABLE = """file,old,\"round, flat\",age
x/0000.png,1,0,3.5
0001.png,0,1,-2
0002.png,1,1,7
0009.png,0,0,0
"""


def folder(root, text=TABLE, **options):
  """Three pictures, two of them in folders, beside a table."""
  tiny_data.write_folder(
    root / 'pictures', X[:3, :8, :8], classes=('x', 'y', 'x')
  )
  (root / 'table.csv').write_text(text)
  where = {'dir': str(root / 'pictures'), 'table': str(root / 'table.csv')}
  return loading.load('folder', **where, **options)


@pytest.mark.parametrize('memory_mb', [1, 0])
def test_a_table_beside_a_folder(memory_mb, tmp_path):
  """Rows are found by the names of the files, in whatever order."""
  data = folder(tmp_path, memory_mb=memory_mb)
  assert data.attributes == ('old', 'round, flat', 'age')
  assert data.class_names == () and data.count_classes is None
  arrays = loading.arrays(data)  # x/0000.png, x/0002.png, y/0001.png
  expected = [[1, 0, 3.5], [1, 1, 7], [0, 1, -2]]
  np.testing.assert_array_equal(arrays['label'], expected)
  np.testing.assert_array_equal(arrays['x'], X[[0, 2, 1], :8, :8])
  rows = np.array([2, 0])
  np.testing.assert_array_equal(
    conditions.of(data, rows), arrays['label'][rows]
  )
  other = folder(tmp_path, TABLE.replace('3.5', '3.25'), memory_mb=memory_mb)
  classes = loading.load('folder', dir=str(tmp_path / 'pictures'))
  assert classes.class_names == ('x', 'y')
  prints = {one.fingerprint for one in (data, other, classes)}
  assert len(prints) == 3


@pytest.mark.parametrize(
  ('change', 'words'),
  [
    (('0001.png,', '0003.png,'), "no row for '0001.png'"),
    (('0009.png,', '0001.png,'), "line 5: '0001.png' has a row already"),
    ((',-2', ',much'), "line 3, column 'age': expected a number, got 'much'"),
    ((',-2', ',nan'), "line 3, column 'age': expected a number, got 'nan'"),
    ((',-2', ','), "line 3, column 'age': expected a number, got ''"),
    ((',-2', ''), 'line 3 has 3 values; expected 4'),
    (('age', 'old'), "two columns are called 'old'"),
  ],
)
def test_a_table_that_does_not_fit(change, words, tmp_path):
  with pytest.raises(UserError, match=words) as error:
    folder(tmp_path, TABLE.replace(*change))
  assert f'data.table={tmp_path}/table.csv' in str(error.value)


def test_a_table_without_numbers(tmp_path):
  with pytest.raises(UserError, match='a column of names of files and one'):
    folder(tmp_path, 'file\n0000.png\n')
  with pytest.raises(UserError, match='data.table=.*no such file'):
    loading.load('folder', dir=str(tmp_path / 'pictures'), table='/nowhere')


def test_digits_with_attributes():
  classes = loading.arrays(loading.load('digits'))
  data = loading.load('digits', attributes=True)
  arrays = loading.arrays(data)
  np.testing.assert_array_equal(arrays['x'], classes['x'])
  for name, digits in digits_lib.ATTRIBUTES.items():
    has = arrays['label'][:, data.attributes.index(name)] == 1
    assert {*map(str, classes['label'][has])} == {*digits}
    assert not {*map(str, classes['label'][~has])} & {*digits}


def test_data_of_ones_own(monkeypatch):
  """Are looked at once; what memory holds is looked at as a whole."""
  x, y = np.zeros((6, 2), np.float32), np.ones((6, 3))
  data = memory.from_arrays('own', 'point', x, y, attributes=tuple('abc'))
  conditions.check(data)
  for fields, words in (
    ({'attributes': ('a',)}, 'of 3 numbers, but 1 `attributes`'),
    ({'class_names': ('a',)}, 'there are both'),
    ({'read_labels': lambda rows: 1.0 * rows}, r'expected 1 conditions .N, C.'),
    ({'read_labels': lambda rows: y[rows].astype(int)}, 'of floats, got int64'),
  ):
    with pytest.raises(UserError, match=words):
      conditions.check(data._replace(**fields))
  y[4, 1] = np.inf
  with pytest.raises(UserError, match='of 1 examples .* that of example 4'):
    memory.from_arrays('own', 'point', x, y, attributes=tuple('abc'))
