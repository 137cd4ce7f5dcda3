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
  np.savez(path, images=np.arange(32).reshape(2, 4, 4))
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
