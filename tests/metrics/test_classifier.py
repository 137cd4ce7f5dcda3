"""The classifier: learns, is seeded, is kept, is refused."""

import types as pytypes

import jax
import numpy as np
import pytest

from gan_jax.metrics.features import base, classifier, convnet
from gan_jax.types import Dataset, UserError


@pytest.fixture(scope='module')
def digits():
  from sklearn import datasets

  bunch = datasets.load_digits()
  x = np.round(bunch.images * 255 / 16).astype(np.uint8)[..., None]
  label = bunch.target.astype(np.int32)
  return Dataset(
    name='digits',
    kind='image',
    shape=(8, 8, 1),
    size=len(x),
    read=lambda rows: {'x': x[rows], 'label': label[rows]},
    nbytes=x.nbytes,
    class_names=tuple('0123456789'),
    fingerprint='digits',
  )


@pytest.fixture(scope='module')
def net(digits, tmp_path_factory):
  """The digits' classifier and the folder that keeps it."""
  folder = tmp_path_factory.mktemp('classifier')
  said = []
  net = classifier.load_or_train(digits, cache_dir=folder, say=said.append)
  assert len(said) == 2
  return pytypes.SimpleNamespace(features=net, folder=folder)


def test_classifier_learns_digits(digits, tmp_path, monkeypatch):
  monkeypatch.setitem(convnet.RECIPE, 'steps', (400, 2000))  # as users do
  net = classifier.load_or_train(digits, cache_dir=tmp_path, say=str)
  assert net.accuracy > 0.97
  data = digits.read(np.arange(300, 600))
  found = net.apply(data['x']).probabilities.argmax(1)
  assert (found == data['label']).mean() > 0.97


def test_what_the_classifier_gives(digits, net):
  # An odd number: the last batch is filled up and cut again.
  data = digits.read(np.arange(300, 600))
  features, probabilities, _ = net.features.apply(data['x'])
  assert features.shape == (300, 64) and features.dtype == np.float32
  np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
  floats = net.features.apply(base.to_model_range(data['x'])[7:8])
  np.testing.assert_allclose(floats[0], features[7:8], atol=1e-4)


def test_the_net_is_two_convolutions_and_two_dense_layers():
  """By hand: the largest of each 2 x 2 while a side is above 4."""
  net = convnet.Classifier(3)
  x = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype(np.float32)
  params = jax.jit(net.init)(jax.random.key(0), x)['params']
  layer = lambda name: [np.float64(params[name][k]) for k in ('kernel', 'bias')]
  relu = lambda y: np.maximum(y, 0)

  def convolved(y, name):
    kernel, bias = layer(name)
    h, w = y.shape[1:3]
    y = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
    parts = [
      y[:, i : i + h, j : j + w] @ kernel[i, j]
      for i in range(3)
      for j in range(3)
    ]
    return relu(sum(parts) + bias)

  y = convolved(np.float64(x), 'Conv_0')  # [2, 6, 6, 32]
  y = y.reshape(2, 3, 2, 3, 2, -1).max(axis=(2, 4))
  y = convolved(y, 'Conv_1').reshape(2, -1)  # [2, 3 * 3 * 64]
  (hidden, by), (last, to) = layer('Dense_0'), layer('Dense_1')
  features = relu(y @ hidden + by)
  seen, logits = jax.jit(net.apply)({'params': params}, x)
  np.testing.assert_allclose(seen, features, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(logits, features @ last + to, rtol=1e-4, atol=1e-5)


def test_the_learning_rate_rises_for_a_tenth_and_falls_along_a_cosine():
  rates = np.array([convnet._rate(step, 200) for step in range(200)])
  rising, falling = np.arange(1, 21) / 20, np.cos(np.pi * np.arange(200) / 200)
  share = np.minimum(np.append(rising, np.ones(180)), (1 + falling) / 2)
  np.testing.assert_allclose(rates, 2e-3 * share, rtol=1e-6)


def test_classifier_does_not_learn_from_what_it_holds_out(digits):
  rows = np.arange(400)
  data = digits.read(rows)
  held = convnet._split_rows(400)[1]
  assert len(held) == 60
  changed = data['label'].copy()
  changed[held] = (changed[held] + 1) % 10
  same, accuracy = convnet.train(data['x'], data['label'], 10, steps=60)
  other, wrong = convnet.train(data['x'], changed, 10, steps=60)
  jax.tree.map(np.testing.assert_array_equal, same, other)
  assert accuracy > 0.7 and wrong < 0.2


def test_classifier_is_seeded(digits):
  data = digits.read(np.arange(200))

  def weights(seed):
    params, _ = convnet.train(data['x'], data['label'], 10, seed=seed, steps=3)
    return classifier.store.weights_hash(convnet.flat(params))

  assert weights(0) == weights(0) != weights(1)


def refuse(*args, **kwargs):
  raise AssertionError('trained though it was in the cache')


def test_classifier_comes_from_the_cache(digits, net, monkeypatch):
  monkeypatch.setattr(convnet, 'train', refuse)
  monkeypatch.setenv('GAN_JAX_CACHE', str(net.folder))
  again = classifier.load_or_train(digits, say=refuse)
  assert again[:2] == net.features[:2]
  assert again.accuracy == net.features.accuracy
  x = digits.read(np.arange(20))['x']
  for a, b in zip(again.apply(x), net.features.apply(x), strict=True):
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize('what', ['other data', 'other seed'])
def test_classifier_of_something_else_is_another(
  digits, net, monkeypatch, what
):
  monkeypatch.setattr(convnet, 'train', refuse)
  seed = int(what == 'other seed')
  if what == 'other data':
    digits = digits._replace(fingerprint='other')
  with pytest.raises(AssertionError, match='trained'):
    classifier.load_or_train(digits, cache_dir=net.folder, seed=seed, say=print)


def flip_a_byte(data):
  # In the last array, the accuracy and the hash left alone.
  at = data.index(b'array/Dense_1/kernel') + 300
  return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
  'damage',
  [flip_a_byte, lambda d: d[: len(d) // 2], lambda d: b'', lambda d: b'text'],
)
def test_damaged_cache_is_trained_again(
  digits, net, tmp_path, monkeypatch, damage
):
  (whole,) = net.folder.iterdir()
  (tmp_path / whole.name).write_bytes(damage(whole.read_bytes()))
  data = np.load(whole)
  weights = {
    k.removeprefix('array/'): data[k]
    for k in data.files
    if k.startswith('array/') and k != 'array/accuracy'
  }
  data.close()
  calls = []

  def retrain(*args):
    calls.append(args)
    return weights, 0.5

  monkeypatch.setattr(classifier, '_train_on', retrain)
  for _ in range(2):  # the second finds what the first wrote
    again = classifier.load_or_train(digits, cache_dir=tmp_path)
    assert again.hash == net.features.hash and again.accuracy == 0.5
  assert len(calls) == 1
  assert [p.name for p in tmp_path.iterdir()] == [whole.name]


def test_classifier_without_a_cache(digits, tmp_path, monkeypatch):
  monkeypatch.setitem(convnet.RECIPE, 'steps', (1, 1))
  blocked = tmp_path / 'file'
  blocked.write_text('')
  made = classifier.load_or_train(
    digits, cache_dir=blocked / 'below', say=lambda line: None
  )
  assert len(made.hash) == 16


@pytest.mark.parametrize(
  'change', [{'class_names': ()}, {'shape': (2,), 'kind': 'point'}]
)
def test_classifier_needs_labelled_images(digits, change):
  with pytest.raises(UserError, match='digits.*needs labels, and samples'):
    classifier.load_or_train(digits._replace(**change))


@pytest.mark.parametrize(
  'x, labels, told',
  [
    (np.zeros((4, 8, 8)), np.zeros(4, int), r'\[4, 8, 8\]'),
    (np.zeros((4, 8, 8, 1)), np.zeros(3, int), r'\[3\]'),
    (np.zeros((4, 8, 8, 1)), np.full(4, 9), 'from 9 to 9'),
  ],
)
def test_classifier_errors(x, labels, told):
  with pytest.raises(UserError, match=told):
    convnet.train(x, labels, 3)


@pytest.mark.parametrize(
  'shape', [(8, 8, 1), (28, 28, 1), (128, 128, 3), (5, 9, 2)]
)
def test_classifier_takes_any_size(shape):
  x = jax.ShapeDtypeStruct((2, *shape), np.float32)
  net = convnet.Classifier(7)
  (features, logits), params = jax.eval_shape(
    lambda x: net.init_with_output(jax.random.key(0), x), x
  )
  assert features.shape == (2, 64) and logits.shape == (2, 7)
  size = sum(np.prod(p.shape) for p in jax.tree.leaves(params))
  assert size < 200_000
