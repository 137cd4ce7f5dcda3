"""Which feature net a data set has, and that its name gives that net."""

import numpy as np
import pytest

from gan_jax.data import memory
from gan_jax.metrics.features import base, classifier, spaces, stacked, store
from gan_jax.types import UserError

RNG = np.random.default_rng(0)
IMAGES = memory.from_arrays(
  'own', 'image', RNG.integers(0, 256, (20, 8, 8, 1), np.uint8)
)
LABELLED = IMAGES._replace(class_names=('a', 'b'))
ALL_ALIKE = IMAGES._replace(class_names=('all',))
# As stacked_mnist is: three channels, each of LABELLED's classes.
STACKED = IMAGES._replace(shape=(8, 8, 3), modes={'channel': LABELLED})
POINTS = memory.from_arrays('own', 'point', np.zeros((9, 2), np.float32))
RING = POINTS._replace(modes={'centers': np.zeros((1, 2)), 'std': 0.1})
USUAL = {
  'images': (IMAGES, 'pixels'),
  'labelled': (LABELLED, 'classifier'),
  'of one class': (ALL_ALIKE, 'pixels'),  # by which nobody can learn
  'stacked': (STACKED, 'stacked'),
  'points': (POINTS, 'pixels'),
  'points of known modes': (RING, 'pixels'),
  'labelled points': (POINTS._replace(class_names=('a', 'b')), 'pixels'),
}


@pytest.fixture
def trained(monkeypatch):
  """A classifier that has learnt already: of the data set it was asked for."""

  def load_or_train(dataset, *, say):
    assert dataset is LABELLED
    return base.Features('classifier', 'its hash', apply, accuracy=0.75)

  def apply(x):
    x = np.asarray(x, np.float32).reshape(len(x), -1)  # [N, D]
    return base.Seen(x[:, :2], x[:, 2:5])

  monkeypatch.setattr(classifier, 'load_or_train', load_or_train)


@pytest.mark.parametrize('name', USUAL)
def test_the_usual_net(name):
  dataset, usual = USUAL[name]
  assert spaces.choose(dataset) == usual
  assert spaces.choose(dataset, usual) == usual


@pytest.mark.parametrize(
  ('dataset', 'space'),
  [
    (LABELLED, 'classifier'), (STACKED, 'stacked'), (LABELLED, 'pixels'),
    (POINTS, 'pixels'), (STACKED, 'random_conv'),
  ],
)  # fmt: skip
def test_a_name_gives_that_net(dataset, space, trained):
  assert spaces.load(dataset, space).name == space


@pytest.mark.parametrize(
  ('dataset', 'space', 'told'),
  [
    (IMAGES, 'classifier', 'own has no classes'),
    (ALL_ALIKE, 'classifier', 'own has only one class'),
    (LABELLED, 'stacked', 'only stacked_mnist'),
    (RING, 'stacked', 'only stacked_mnist'),
    (POINTS, 'random_conv', 'own has no images'),
    (POINTS, 'inception', 'own has no images'),
    (IMAGES, 'foo', "features='foo': there are pixels"),
  ],
)
def test_a_net_that_does_not_suit_the_data_is_refused(dataset, space, told):
  with pytest.raises(UserError, match=told):
    spaces.choose(dataset, space)


def test_published_statistics_are_not_of_a_net_that_is_trained_here():
  assert spaces.check_published('') == 'inception'
  for space in ('pixels', 'random_conv', 'inception'):
    assert spaces.check_published(space) == space
  for space in ('classifier', 'stacked'):
    with pytest.raises(UserError, match='with another net'):
      spaces.check_published(space)


def test_stacked_digits_are_seen_channel_by_channel(trained):
  x = RNG.normal(size=(4, 8, 8, 3)).astype(np.float32)
  net = stacked.load(STACKED)
  assert (net.hash, net.accuracy) == ('its hash', 0.75)
  seen = net.apply(x)
  flat = x.reshape(4, 64, 3)
  want = np.concatenate([flat[:, :2, c] for c in range(3)], axis=1)
  np.testing.assert_array_equal(seen.features, want)
  np.testing.assert_array_equal(
    seen.probabilities, flat[:, 2:5].transpose(0, 2, 1)
  )


@pytest.mark.parametrize(
  ('other', 'fits'),
  [
    ({}, True),
    ({'a': np.zeros((2, 2), np.float32)}, False),  # another shape
    ({'a': np.zeros(3, np.float64)}, False),  # another dtype
    ({'c': np.zeros(1, np.float32)}, False),  # one too many
  ],
)
def test_weights_are_read_if_all_of_them_are_as_expected(other, fits, tmp_path):
  arrays = {'a': np.ones(3, np.float32), 'b': np.arange(2)}
  store.write(tmp_path / 'x.npz', arrays | other, 0.5)
  found = store.read(tmp_path / 'x.npz', arrays)
  assert (found is not None) == fits
  if fits:
    kept, accuracy = found
    assert accuracy == 0.5 and set(kept) == set(arrays)
    assert all(np.array_equal(kept[k], arrays[k]) for k in arrays)
  (tmp_path / 'y.npz').write_bytes(b'')
  assert store.read(tmp_path / 'y.npz', arrays) is None


def test_inception_is_loaded_from_its_weights_as_asked_for(monkeypatch):
  calls, where = [], spaces.inception_weights
  monkeypatch.setattr(where, 'find', lambda path: calls.append(('find', path)))
  monkeypatch.setattr(where, 'download', lambda say: 'fetched')
  monkeypatch.setattr(
    spaces.inception, 'load', lambda path, *, resize, say: (path, resize)
  )
  load = lambda **how: spaces.load(IMAGES, 'inception', **how)
  assert load(weights='mine') == ('mine', 'tf')
  assert load(weights='mine', resize='clean') == ('mine', 'clean')
  assert calls == [('find', 'mine')] * 2
  # What will be downloaded need not be there.
  assert load(weights='download') == ('fetched', 'tf') and len(calls) == 2
  with pytest.raises(UserError, match='resize=foo: there are tf, clean'):
    load(resize='foo')
  for given in ({'resize': 'tf'}, {'weights': 'mine'}):
    (flag,) = given
    told = f'{flag}: only for features=inception, not pixels'
    with pytest.raises(UserError, match=told):
      spaces.load(IMAGES, 'pixels', **given)


@pytest.mark.parametrize('accuracy', [0.1, 0.48, 0.79, 0.8, 0.98])
def test_a_judge_that_is_often_wrong_is_said(accuracy, monkeypatch):
  net = base.Features('classifier', 'hash', None, accuracy=accuracy)
  monkeypatch.setattr(spaces.classifier, 'load_or_train', lambda *_, **__: net)
  said = []
  data = memory.from_arrays(
    'own',
    'image',
    np.zeros((20, 8, 8, 1), np.uint8),
    np.arange(20) % 4 // 3,
    class_names=('a', 'b'),
  )
  assert spaces.load(data, 'classifier', say=said.append) is net
  if accuracy < 0.8:
    (line,) = said
    assert f'only {accuracy:.0%}' in line and '(2 classes)' in line
  assert bool(said) == (accuracy < 0.8)
