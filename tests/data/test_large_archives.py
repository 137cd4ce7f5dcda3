"""An .npz read in blocks, or left where it is: the same examples, no copies."""

import os
import shutil
import tracemalloc
import types

import jax
import numpy as np
import pytest

from gan_jax.data import batching, blocks, fingerprint, images, loading
from gan_jax.storage import npz_rows
from gan_jax.types import UserError
from tests import odd_archives, tiny_data

SAVED = {'stored': np.savez, 'packed': np.savez_compressed}
ON_DISK = {'memory_mb': 0}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
  """Blocks of which several make a tiny file; a cache of the test's own."""
  monkeypatch.setattr(npz_rows, 'BLOCK', 2**10)
  monkeypatch.setattr(blocks, 'BYTES', 2**10)
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))


def opened(path, **options):
  return loading.load('npz', path=str(path), **options)


def of_many_types():
  """(array, what the networks get of it, options), by what is special."""
  x = tiny_data.images(50, (5, 7, 3))
  floats = np.linspace(-1, 1, x.size).reshape(x.shape)
  points = np.random.default_rng(1).normal(size=(300, 2))
  fitted = np.stack([images.fit(i, image_size=4, channels=1) for i in x])
  return {
    'levels': (x, x, {}),
    'wide': (x.astype('>i8'), x, {}),
    'truth': (x[..., 0] > 99, 255 * (x[..., :1] > 99).astype(np.uint8), {}),
    'floats': (floats, floats.astype(np.float32), {}),
    'range': (
      x / np.float32(255),
      (2 * ((x / np.float32(255)).astype(float)) - 1).astype(np.float32),
      {'range': '0,1'},
    ),
    'points': (points, points.astype(np.float32), {}),
    'columns': (np.asfortranarray(x), x, {}),
    'fitted': (x, fitted, {'image_size': 4, 'channels': 1}),
  }


@pytest.mark.parametrize('how', SAVED)
@pytest.mark.parametrize('what', of_many_types())
def test_in_memory_and_on_disk_alike(tmp_path, what, how):
  x, expected, options = of_many_types()[what]
  label = np.arange(len(x)) % 3
  SAVED[how](tmp_path / 'a.npz', x=x, y=label)
  whole = opened(tmp_path / 'a.npz', **options)
  there = opened(tmp_path / 'a.npz', **options | ON_DISK)
  assert there.fingerprint == whole.fingerprint
  assert there._replace(**_functions(whole)) == whole
  rows = np.random.default_rng(2).permutation(len(x))[:40]
  for dataset in (whole, there):
    batch = dataset.read(rows)
    assert batch['x'].dtype == expected.dtype
    np.testing.assert_array_equal(batch['x'], expected[rows])
    np.testing.assert_array_equal(batch['label'], label[rows])
  np.testing.assert_array_equal(loading.arrays(there)['x'], expected)


def _functions(dataset):
  names = ('read', 'count_classes', 'read_labels')
  return {name: getattr(dataset, name) for name in names}


def test_the_fingerprint_is_that_of_the_arrays(tmp_path):
  """Runs of before are continued."""
  x, y = tiny_data.images(50), np.arange(50) % 3
  np.savez(tmp_path / 'a.npz', x=x, y=y)
  names = {'class_names': ('0', '1', '2')}
  own = fingerprint.digest({'x': x, 'label': y.astype(np.int32)}, names)
  assert opened(tmp_path / 'a.npz').fingerprint == own


def peak_of(function):
  """The most bytes that Python and NumPy had at once, and the result."""
  function()  # imports, caches
  tracemalloc.start()
  result = function()
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  return peak, result


@pytest.mark.parametrize('how', SAVED)
@pytest.mark.parametrize('type_', ['uint8', 'int64', 'float32', 'float64'])
def test_reading_takes_one_array(tmp_path, monkeypatch, how, type_):
  """Whatever the file has; on disk it takes hardly anything."""
  monkeypatch.setattr(npz_rows, 'BLOCK', 2**15)
  monkeypatch.setattr(blocks, 'BYTES', 2**15)
  x = tiny_data.images(1000, (32, 32, 3))
  x = x.astype(type_) if type_[0] in 'ui' else (x / 127.5 - 1).astype(type_)
  path = tmp_path / 'a.npz'
  SAVED[how](path, x=x)
  del x
  peak, dataset = peak_of(lambda: opened(path))
  assert dataset.nbytes < peak < 1.1 * dataset.nbytes
  peak, _ = peak_of(lambda: opened(path, **ON_DISK))
  assert peak < 0.15 * dataset.nbytes


def test_a_stream_from_the_file_is_that_from_memory(tmp_path):
  np.savez(tmp_path / 'a.npz', x=tiny_data.images(50), y=np.arange(50) % 3)
  key, index = jax.random.key(3), np.arange(16)
  made = [
    batching.stream(dataset, key, index, batches=2, batch_size=16, flip=True)
    for dataset in (
      opened(tmp_path / 'a.npz'),
      opened(tmp_path / 'a.npz', **ON_DISK),
    )
  ]
  for _ in range(4):
    a, b = map(next, made)
    assert a.keys() == b.keys()
    for name in a:
      np.testing.assert_array_equal(a[name], b[name])
  for stream in made:
    stream.close()


def test_rows_are_read_in_any_order(tmp_path):
  x = tiny_data.images(50)
  np.savez(tmp_path / 'a.npz', x=x)
  dataset = opened(tmp_path / 'a.npz', **ON_DISK)
  for rows in ([7, 8, 9, 3, 3], [49, 0], [5], []):
    got = dataset.read(np.array(rows, int))['x']
    np.testing.assert_array_equal(got, x[rows] if rows else x[:0])
    got[:] = 0  # a copy, not the file
  for row in (50, -1):
    with pytest.raises(IndexError, match='rows of 50'):
      dataset.read(np.array([row]))


def test_what_is_written_over_is_told(tmp_path):
  path = tmp_path / 'a.npz'
  np.savez(path, x=tiny_data.images(50))
  dataset = opened(path, **ON_DISK)
  for size in (path.stat().st_size + 4, 0):
    os.truncate(path, size)
    with pytest.raises(UserError, match='a.npz: it has been changed'):
      dataset.read(np.arange(3))


def test_another_file_in_its_place_is_another(tmp_path):
  """What is open stays what it was."""
  x = tiny_data.images(50)
  np.savez(tmp_path / 'a.npz', x=x)
  dataset = opened(tmp_path / 'a.npz', **ON_DISK)
  np.savez(tmp_path / 'b.npz', x=255 - x)
  (tmp_path / 'b.npz').replace(tmp_path / 'a.npz')
  np.testing.assert_array_equal(dataset.read(np.arange(50))['x'], x)


@pytest.mark.parametrize('options', [{}, ON_DISK])
@pytest.mark.parametrize('how', SAVED)
def test_damage_anywhere_is_noticed(tmp_path, how, options):
  path = tmp_path / 'a.npz'
  SAVED[how](path, x=tiny_data.images(50))
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)
  with pytest.raises(UserError, match='not an .npz file'):
    opened(path, **options)


def test_values_are_judged_on_disk_too(tmp_path):
  path = tmp_path / 'a.npz'
  for x, words in (
    (np.full((30, 5, 5), 256), r'in \[0, 255\]'),
    (np.eye(30).reshape(30, 6, 5) * np.nan, 'not finite'),
    (np.full((30, 5, 5), 0.5), 'if 0 is black'),
    (np.full((30, 5, 5), 9, np.uint8), 'values up to 9 of 255'),
  ):
    np.savez(path, x=x)
    for options in ({}, ON_DISK):
      with pytest.raises(UserError, match=words):
        opened(path, **options)


def test_what_is_packed_is_unpacked_where_there_is_room(
  tmp_path, monkeypatch, capsys
):
  path = tmp_path / 'a.npz'
  np.savez_compressed(path, x=tiny_data.images(50))
  assert opened(path, **ON_DISK).size == 50
  folder = tmp_path / 'cache' / 'unpacked'
  assert f'are unpacked in {folder} for as long' in capsys.readouterr().err
  assert list(folder.iterdir()) == []  # it has no name to stay behind
  usage = types.SimpleNamespace(free=99)
  monkeypatch.setattr(shutil, 'disk_usage', lambda folder: usage)
  with pytest.raises(UserError, match='GB are needed in .*unpacked'):
    opened(path, **ON_DISK)


def test_what_lies_before_the_archive_does_not_matter(tmp_path):
  """As in a file that extracts itself; offsets are the archive's own."""
  x = tiny_data.images(50)
  (tmp_path / 'a.npz').write_bytes(b'#!' * 99 + odd_archives.of(x))
  np.testing.assert_array_equal(
    opened(tmp_path / 'a.npz', **ON_DISK).read(np.arange(50))['x'], x
  )
