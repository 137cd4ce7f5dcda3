"""Decoded examples on disk: the same, once decoded, whole or decoded again."""

import os
import threading
import time

import jax
import numpy as np
import pytest
from PIL import Image

from gan_jax import data
from gan_jax.data import batching, fingerprint, folder_index, kept
from gan_jax.types import UserError
from tests import tiny_data

SIZE = 40
X = tiny_data.images(SIZE, (4, 4, 3))
Y = np.random.default_rng(1).normal(size=(SIZE, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  """Where examples of small data sets are kept, too."""
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.setattr(kept, 'FEWEST', 1)
  return tmp_path / 'cache' / 'examples'


class Source:
  """Examples that count how often they are read."""

  def __init__(self, x=X):
    self.x, self.count = x, np.zeros(len(x), int)

  def __call__(self, rows):
    np.add.at(self.count, rows, 1)
    return {'x': self.x[rows], 'label': Y[rows]}

  def kept(self, *identity):
    return kept.keep(self, SIZE, self.x.nbytes, 'tiny', *identity)


def check(read, rows):
  batch = read(np.array(rows, int))
  assert list(batch) == ['x', 'label']
  for name, expected in (('x', X), ('label', Y)):
    assert batch[name].dtype == expected.dtype
    assert batch[name].flags.c_contiguous
    np.testing.assert_array_equal(batch[name], expected[rows])


def test_each_is_decoded_once():
  source = Source()
  read = source.kept('a')
  for rows in ([3, 4, 5], [5, 4, 9, 9], [], [39, 0], [*range(SIZE)]):
    check(read, rows)
  # The first one also to know its shape; one may be twice in a batch.
  assert source.count[1:9].tolist() == [1] * 8 and source.count.max() == 2
  again = Source()
  check(again.kept('a'), [*range(SIZE - 1, -1, -1)])
  assert again.count.sum() == again.count[0] == 1


def test_another_identity_is_another_file(folder):
  check(Source().kept('a'), [1, 2])
  source = Source()
  check(source.kept('b'), [1, 2])
  assert source.count[1] == 1 and len(list(folder.iterdir())) == 2


@pytest.mark.parametrize('at', ['sum', 'first', 'last'])
def test_a_damaged_example_is_decoded_again(folder, at):
  check(Source().kept('a'), [*range(SIZE)])
  (path,) = folder.iterdir()
  content = bytearray(path.read_bytes())
  one = 48 + 8
  assert len(content) == SIZE * (4 + one)
  start = 4 * SIZE + 7 * one
  content[{'sum': 4 * 7, 'first': start, 'last': start + one - 1}[at]] ^= 8
  path.write_bytes(content)
  source = Source()
  check(source.kept('a'), [6, 7, 8])
  assert source.count[6:9].tolist() == [0, 1, 0]
  source = Source()
  check(source.kept('a'), [6, 7, 8])
  assert source.count[6:9].tolist() == [0, 0, 0]


@pytest.mark.parametrize('length', [0, 100, 9999])
def test_a_file_of_another_length_is_made_anew(folder, length):
  check(Source().kept('a'), [*range(SIZE)])
  (path,) = folder.iterdir()
  os.truncate(path, length)
  check(Source().kept('a'), [*range(SIZE)])


def test_a_file_that_shrinks_meanwhile_is_no_answer(folder):
  read = Source().kept('a')
  check(read, [*range(SIZE)])
  (path,) = folder.iterdir()
  os.truncate(path, 4 * SIZE + 5 * 56 + 20)
  check(read, [3, 4, 5, 6, 7, 2])


def test_zeros_are_examples_like_others(folder):
  """What was never written is all zeros."""
  source = Source(np.zeros_like(X))
  read = source.kept('a')
  assert not read(np.array([5]))['x'].any() and source.count[5] == 1
  assert not read(np.array([5]))['x'].any() and source.count[5] == 1


def test_nothing_is_kept_where_nothing_can_be(folder, monkeypatch):
  source = Source()
  for given in ('0', '0.001'):
    monkeypatch.setenv('GAN_JAX_KEEP_MB', given)
    assert source.kept('a') is source
  monkeypatch.setenv('GAN_JAX_KEEP_MB', 'much')
  with pytest.raises(UserError, match='GAN_JAX_KEEP_MB=much: expected a num'):
    source.kept('a')
  monkeypatch.delenv('GAN_JAX_KEEP_MB')
  folder.parent.write_text('a file')
  check(source.kept('a'), [1, 2])


def test_what_nobody_reads_is_removed(folder):
  for name in 'ab':
    check(Source().kept(name), [1])
  old = time.time() - 31 * 24 * 3600
  for path in folder.iterdir():
    os.utime(path, (old, old))
  check(Source().kept('a'), [1])  # read again
  check(Source().kept('c'), [1])
  source = Source()
  check(source.kept('a'), [1])
  assert len(list(folder.iterdir())) == 2 and not source.count[1]


def test_several_may_write_at_once(folder):
  """Each finds whole examples, whoever wrote them."""
  failed = []

  def work(seed):
    read = Source().kept('a')
    rng = np.random.default_rng(seed)
    try:
      for _ in range(20):
        check(read, rng.integers(0, SIZE, 8).tolist())
    except AssertionError as e:
      failed.append(e)

  workers = [threading.Thread(target=work, args=(s,)) for s in range(4)]
  for worker in workers:
    worker.start()
  for worker in workers:
    worker.join()
  assert not failed and len(list(folder.iterdir())) == 1


def test_a_folder_gives_what_it_gave(tmp_path, folder):
  """Streamed from the files, from what was kept, and without keeping."""
  root = tiny_data.write_folder(tmp_path / 'p', X, classes=('a', 'b'))
  static = {'batches': 2, 'batch_size': 16, 'flip': True}

  def streamed(dataset):
    stream = batching.stream(
      dataset, jax.random.key(1), np.arange(16), **static
    )
    batches = [next(stream) for _ in range(4)]
    stream.close()
    return batches

  opened = lambda: data.load('folder', dir=str(root), memory_mb=0)
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('GAN_JAX_KEEP_MB', '0')
    expected = streamed(opened())
  assert not folder.exists()
  for _ in range(2):
    for a, b in zip(streamed(opened()), expected, strict=True):
      assert a.keys() == b.keys()
      for name in a:
        np.testing.assert_array_equal(a[name], b[name])
  assert len(list(folder.iterdir())) == 1


def test_what_the_fingerprint_does_not_tell_the_times_do(
  tmp_path, folder, monkeypatch
):
  """Of large data it has pieces only; here of all, and one byte of a file."""
  monkeypatch.setattr(fingerprint, '_HASHED_BYTES', 0)
  monkeypatch.setattr(fingerprint, '_PIECE_BYTES', 1)
  monkeypatch.setattr(folder_index, 'FEWEST', 1)
  root = tmp_path / 'p'
  root.mkdir()
  made = []
  for level in (10, 250):
    x = np.full((8, 8, 3), 255, np.uint8)
    x[1] = level  # neither at an end of the file nor in its middle
    Image.fromarray(x).save(root / 'a.bmp')  # as many bytes each time
    dataset = data.load('folder', dir=str(root), memory_mb=0)
    np.testing.assert_array_equal(data.arrays(dataset)['x'], x[None])
    made.append(dataset.fingerprint)
  assert len(list(folder.iterdir())) == 2 and len(set(made)) == 1


def test_pictures_of_tfds_are_kept_with_their_labels(tmp_path, folder):
  label = np.arange(SIZE) % 10
  x = tiny_data.images(SIZE, (28, 28, 1))
  tiny_data.write_tfds(tmp_path, 'mnist', {'train': (x, label)})
  opened = lambda: data.load('mnist', dir=str(tmp_path), memory_mb=0)
  first, second = data.arrays(opened()), data.arrays(opened())
  assert len(list(folder.iterdir())) == 1
  for name in ('x', 'label'):
    np.testing.assert_array_equal(first[name], second[name])
    assert first[name].dtype == second[name].dtype
