"""Data sets in an .npz file."""

import numpy as np
import pytest

from gan_jax.data import loading
from gan_jax.types import UserError


def test_npz_takes_points_floats_and_names(tmp_path):
  path = tmp_path / 'a.npz'
  points = np.random.default_rng(0).normal(size=(9, 2))
  np.savez(path, samples=points, labels=np.array(['b', 'a', 'c'] * 3))
  found = loading.load('npz', path=str(path))
  assert found.kind == 'point' and found.class_names == ('a', 'b', 'c')
  assert loading.arrays(found)['label'].tolist() == [1, 0, 2] * 3
  np.testing.assert_array_equal(
    loading.arrays(found)['x'], points.astype(np.float32)
  )
  np.savez(path, images=8 * np.arange(32).reshape(2, 4, 4))
  found = loading.load('npz', path=str(path))
  assert found.shape == (4, 4, 1) and found.class_names == ()
  assert loading.arrays(found)['x'].dtype == np.uint8
  np.savez(path, x=np.linspace(-1, 1, 32).reshape(2, 4, 4))
  found = loading.load('npz', path=str(path), image_size=2, channels=3)
  assert found.shape == (2, 2, 3)
  assert loading.arrays(found)['x'].dtype == np.float32


@pytest.mark.parametrize(
  ('arrays', 'words'),
  [
    ({'z': np.zeros(3)}, 'no array `x`; there are: z'),
    ({'x': np.zeros((3, 5))}, r'\[N, 2\]'),
    ({'x': np.zeros((3, 5, 5, 7, 1))}, r'\[N, H, W, C\]'),
    ({'x': np.zeros((3, 3, 8, 8))}, 'C = 1'),
    ({'x': np.full((3, 5, 5), 255.0)}, r'in \[-1, 1\].* \[255, 255\]'),
    ({'x': np.full((3, 5, 5), 256)}, r'in \[0, 255\]'),
    ({'x': np.full((3, 5, 5), np.nan)}, 'not finite'),
    ({'x': np.zeros((3, 2)), 'y': np.zeros(4)}, 'expected 3 labels'),
    ({'x': np.array([{}, {}])}, 'not an .npz file'),
  ],
)
def test_npz_mistakes(tmp_path, arrays, words):
  path = tmp_path / 'a.npz'
  np.savez(path, **arrays)
  with pytest.raises(UserError, match=words):
    loading.load('npz', path=str(path))


def test_npz_absent_or_foreign(tmp_path):
  with pytest.raises(UserError, match='no such file'):
    loading.load('npz', path=str(tmp_path / 'a.npz'))
  (tmp_path / 'b.npz').write_text('hello')
  with pytest.raises(UserError, match='not an .npz file'):
    loading.load('npz', path=str(tmp_path / 'b.npz'))
  with pytest.raises(UserError, match='data.path'):
    loading.load('npz')


@pytest.mark.parametrize(
  ('arrays', 'class_names', 'label'),
  [
    ({'y': np.array(['n10', 'n9', 'n10'])}, ('n9', 'n10'), [1, 0, 1]),
    ({'y': np.array([10, 9, 2])}, ('2', '9', '10'), [2, 1, 0]),
    ({'y': np.array([b'b', b'a', b'a'])}, ('a', 'b'), [1, 0, 0]),
    (
      {'y': np.array([2, 0, 2]), 'class_names': np.array(['z', 'y', 'x'])},
      ('z', 'y', 'x'), [2, 0, 2],
    ),
    (
      {'y': np.array(['x', 'z', 'x']), 'class_names': np.array(['z', 'x'])},
      ('z', 'x'), [1, 0, 1],
    ),
  ],
)  # fmt: skip
def test_npz_names_its_classes(tmp_path, arrays, class_names, label):
  np.savez(tmp_path / 'a.npz', x=np.zeros((3, 2)), **arrays)
  found = loading.load('npz', path=str(tmp_path / 'a.npz'))
  assert found.class_names == class_names
  assert loading.arrays(found)['label'].tolist() == label


@pytest.mark.parametrize(
  ('y', 'names', 'words'),
  [
    ([0, 1, 2], ['a', 'b'], 'a label is 2.*only 2 names'),
    (['a', 'c', 'a'], ['a', 'b'], 'lacks c'),
    ([0, 1, 0], [4, 5], 'class_names. .C. of text, got int64'),
  ],
)
def test_npz_names_that_do_not_fit(tmp_path, y, names, words):
  arrays = {'y': np.array(y), 'class_names': np.array(names)}
  np.savez(tmp_path / 'a.npz', x=np.zeros((3, 2)), **arrays)
  with pytest.raises(UserError, match=words):
    loading.load('npz', path=str(tmp_path / 'a.npz'))


def test_npz_is_as_expected(tmp_path):
  path = str(tmp_path / 'own.npz')
  np.savez(path, x=np.zeros((4, 5, 6, 3), np.uint8), y=[0, 1, 1, 0])
  own = {'path': path, 'shape': (5, 6, 3), 'classes': 2}
  assert loading.load('npz', **own).shape == (5, 6, 3)
  with pytest.raises(UserError, match=r'samples \[6, 5, 3\] \(data.shape\)'):
    loading.load('npz', **own | {'shape': (6, 5, 3)})
  with pytest.raises(UserError, match='expected 3 classes .* there are 2'):
    loading.load('npz', **own | {'classes': 3})


def test_npz_is_described_without_the_file(tmp_path):
  made = loading.describe('npz', path='', shape=(4, 6, 3), classes=2)
  assert (made.kind, made.shape, made.size) == ('image', (4, 6, 3), 0)
  assert made.class_names == ('0', '1')
  assert loading.describe('npz', shape=(2,)).kind == 'point'
  with pytest.raises(UserError, match='expected an .npz file'):
    loading.describe('npz', classes=2)
  with pytest.raises(UserError, match='data.shape=0,6,3: expected H,W,C'):
    loading.describe('npz', shape=(0, 6, 3))
  path = str(tmp_path / 'own.npz')
  np.savez(path, x=np.zeros((4, 6, 6, 3), np.uint8))
  assert loading.describe('npz', path=path, image_size=3).shape == (3, 3, 3)
