"""Files may hold their examples in any order: it must not matter to a score."""

import numpy as np
import pytest

from gan_jax.data import loading, memory
from gan_jax.metrics import content, reference
from gan_jax.metrics.features import classifier, convnet, pixels
from tests.metrics import test_order

ORDER = np.random.default_rng(3).permutation(test_order.N)
PLACES = np.array([2, 0, 3, 1])  # of the classes in another file


def of_files(x, label):
  names = tuple('abcd')
  dataset = memory.from_arrays('own', 'image', x, label, class_names=names)
  return dataset._replace(any_order=True)


@pytest.fixture(scope='module')
def both():
  """The same pictures in two orders, of classes numbered otherwise."""
  x, label = test_order.pictures(1)
  return of_files(x, label), of_files(x[ORDER], PLACES[label[ORDER]])


@pytest.fixture(scope='module')
def nets(both, tmp_path_factory):
  folder = tmp_path_factory.mktemp('nets')
  load = lambda data: classifier.load_or_train(data, cache_dir=folder, say=str)
  return [load(data) for data in both]


def test_a_classifier_learns_the_same(nets):
  one, other = nets
  x, _ = test_order.pictures(2)
  seen, again = one.apply(x), other.apply(x)
  np.testing.assert_array_equal(seen.features, again.features)
  theirs = again.probabilities[:, PLACES]
  np.testing.assert_allclose(seen.probabilities, theirs, atol=1e-6)
  assert one.accuracy == other.accuracy


def test_a_class_without_an_example_keeps_its_number():
  x, label = test_order.pictures(1)
  rows = label != 1
  params, _ = convnet.train_by_content(x[rows], label[rows], 4, steps=30)
  seen = convnet.predict(params, 4, x[rows])
  assert 1 not in seen.argmax(axis=1)
  assert (seen.argmax(axis=1) == label[rows]).mean() > 0.8


def test_the_same_real_samples_are_chosen(both):
  """Of files; data of a name have their publisher's order."""
  x = [data.read(content.chosen(data, 100))['x'] for data in both]
  assert len(x[0]) == 100
  of = lambda x: sorted(content.keys(x).tolist())
  assert of(x[0]) == of(x[1])
  named = [data._replace(any_order=False) for data in both]
  x = [data.read(content.chosen(data, 100))['x'] for data in named]
  assert of(x[0]) != of(x[1])
  large = [data._replace(nbytes=2**40) for data in both]
  rows = [content.chosen(data, 100).tolist() for data in large]
  assert rows[0] == rows[1] and len(rows[0]) == 100


def test_a_reference_says_how_its_samples_were_chosen(both, tmp_path):
  net = pixels.load(both[0].shape)
  of = lambda data, most: reference.from_dataset(
    data, features=net, split='train', most=most, cache_dir=tmp_path
  )
  views = [of(data, 100).view({'features'}) for data in both]
  np.testing.assert_array_equal(*(view.features for view in views))
  named = both[0]._replace(any_order=False)
  assert of(both[0], 100).hash != of(named, 100).hash
  assert of(both[0], 1000).hash == of(named, 1000).hash


@pytest.mark.parametrize('data', ['npz', 'folder', 'digits'])
def test_only_files_are_of_any_order(data, tmp_path):
  x, label = test_order.pictures(0)
  if data == 'npz':
    np.savez(tmp_path / 'a.npz', x=x, label=label)
    dataset = loading.load('npz', path=str(tmp_path / 'a.npz'))
  elif data == 'folder':
    test_order.write_folder(tmp_path / 'a', x[:8], label[:8])
    dataset = loading.load('folder', dir=str(tmp_path / 'a'))
  else:
    dataset = loading.load('digits')
  assert dataset.any_order == (data != 'digits')
