"""How many examples each class has, wherever the examples lie."""

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import classes, held_out, loading, memory
from gan_jax.run import labels
from gan_jax.types import UserError
from tests import tiny_data

LABELS = np.array([2, 0, 2, 2, 0, 2, 2], np.int32)  # nobody is in class 1
COUNTS = [2, 0, 5]


def in_memory(labels=LABELS, names=('a', 'b', 'c')):
  x = np.zeros((len(labels), 4, 4, 1), np.uint8)
  return memory.from_arrays('own', 'image', x, labels, class_names=names)


def test_of_arrays_toys_archives_and_folders(tmp_path):
  assert classes.counts(in_memory()).tolist() == COUNTS
  np.savez(tmp_path / 'a.npz', x=np.zeros((7, 4, 4), np.uint8), y=LABELS)
  archive = loading.load('npz', path=str(tmp_path / 'a.npz'))
  assert classes.counts(archive).tolist() == [2, 5]  # names what there is
  ring = loading.load('ring8', size=50)
  labels = loading.arrays(ring)['label']
  assert classes.counts(ring).tolist() == np.bincount(labels).tolist()


def test_of_a_folder_decodes_no_picture(tmp_path, monkeypatch):
  for k, name in enumerate('ba'):
    (tmp_path / name).mkdir()
    for i in range(2 + k):
      Image.new('L', (4, 4)).save(tmp_path / name / f'{i}.png')
  folder = loading.load('folder', dir=str(tmp_path), memory_mb=0)
  monkeypatch.setattr('gan_jax.data.images.decode', None)
  assert classes.counts(folder).tolist() == [3, 2]


@pytest.fixture(scope='module')
def tfds_dir(tmp_path_factory):
  """MNIST in TFDS's form: rare and absent classes; some examples of none."""
  y = [0] * 30 + [7] * 9 + [3]
  splits = {
    'train': (tiny_data.images(40, (28, 28, 1)), y),
    'test': (tiny_data.images(6, (28, 28, 1), seed=1), [-1, 1, 1, 2, -1, -1]),
    'unlabelled': (tiny_data.images(3, (28, 28, 1), seed=2), [-1] * 3),
  }
  root = tmp_path_factory.mktemp('tfds')
  return str(tiny_data.write_tfds(root, 'mnist', splits))


TFDS = {
  'train': {0: 30, 7: 9, 3: 1},
  'test': {1: 2, 2: 1},
  'train+test': {0: 30, 1: 2, 2: 1, 3: 1, 7: 9},
}


@pytest.mark.parametrize('memory_mb', [0, 64])
@pytest.mark.parametrize('split', TFDS)
def test_of_tfds(split, memory_mb, tfds_dir):
  options = {'split': split, 'memory_mb': memory_mb, 'dir': tfds_dir}
  dataset = loading.load('mnist', **options)
  want = [TFDS[split].get(c, 0) for c in range(10)]
  assert classes.counts(dataset).tolist() == want
  np.testing.assert_allclose(labels.shares(dataset), np.array(want) / sum(want))
  parts = held_out.part(dataset, 0.5)
  assert sum(map(classes.counts, parts)).tolist() == want


def test_of_tfds_decode_no_picture(tfds_dir, monkeypatch):
  monkeypatch.setattr('gan_jax.data.images.decode', None)
  dataset = loading.load('mnist', dir=tfds_dir, split='train[:20]')
  assert classes.counts(dataset).sum() == 20


def test_of_tfds_without_a_class(tfds_dir):
  dataset = loading.load('mnist', dir=tfds_dir, split='unlabelled')
  assert dataset.class_names == () and not classes.counts(dataset).size


def test_of_a_part_are_those_of_its_own_examples():
  rest, unseen = held_out.part(in_memory(), 0.4)
  parts = [classes.counts(part) for part in (rest, unseen)]
  assert sum(parts).tolist() == COUNTS
  for part, counted in zip((rest, unseen), parts, strict=True):
    own = np.bincount(loading.arrays(part)['label'], minlength=3)
    assert counted.tolist() == own.tolist()


def test_are_read_from_a_data_set_that_does_not_know_them():
  dataset = in_memory()._replace(count_classes=None)
  assert classes.counts(dataset).tolist() == COUNTS


def test_leave_out_examples_of_no_class():
  assert classes.counts(in_memory(LABELS - 1)).tolist() == [0, 5, 0]


@pytest.mark.parametrize(
  'labels, what', [(LABELS + 1, 'up to 3, but 3'), (LABELS - 3, 'no example')]
)
def test_refuse_labels_without_a_class(labels, what):
  with pytest.raises(UserError, match=what):
    classes.counts(in_memory(labels))


def test_without_classes_are_none():
  assert classes.counts(in_memory(names=())).tolist() == []
