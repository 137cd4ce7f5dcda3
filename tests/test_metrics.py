"""Metrics: the figures of the reference packages, and independent routes."""

import types as pytypes

import jax
import numpy as np
import pytest

from gan_jax.metrics import class_coverage as coverage_lib
from gan_jax.metrics import fid, prdc
from gan_jax.metrics import modes as modes_lib
from gan_jax.metrics.features import base, classifier, pixels
from gan_jax.types import Dataset, UserError


@pytest.fixture(scope='module')
def anchor():
  """The fixed features that the frozen figures belong to."""
  rng = np.random.default_rng(20240501)
  mix = rng.normal(size=(64, 64)) / 8
  real = np.maximum(rng.normal(size=(1000, 64)) @ mix + 0.3, 0)
  fake = np.maximum(rng.normal(size=(800, 64)) @ mix * 1.1 + 0.35, 0)
  real, fake = real.astype(np.float32), fake.astype(np.float32)
  assert abs(real.sum(dtype=float) - 36312.631638046296) < 1e-6
  return real, fake


# Fréchet distance.


def test_fid_anchor(anchor):
  assert abs(fid.frechet_distance(*anchor) - 1.70993490027) < 1e-9


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_fid_against_eigenvalues_of_the_product(dtype):
  rng = np.random.default_rng(0)
  a = rng.normal(size=(60, 7)).astype(dtype)
  b = (rng.normal(size=(50, 7)) @ rng.normal(size=(7, 7))).astype(dtype)
  x, y = a.astype(float), b.astype(float)
  s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
  root = np.sqrt(np.linalg.eigvals(s1 @ s2).astype(complex)).real.sum()
  mean = np.sum((x.mean(0) - y.mean(0)) ** 2)
  want = mean + np.trace(s1) + np.trace(s2) - 2 * root
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-9)
  assert np.isclose(fid.frechet_distance(b, a), want, rtol=1e-9)


def test_fid_of_known_gaussians():
  # Diagonal: |mu1 - mu2|^2 + sum (sd1 - sd2)^2.
  got = fid.frechet_from_statistics(
    [1.0, 2.0], np.diag([4.0, 9.0]), [0.0, 0.0], np.diag([1.0, 25.0])
  )
  assert np.isclose(got, 5 + 1 + 4, rtol=1e-12)


def test_fid_rank_deficient():
  # Fewer examples than dimensions: the trace of the root is the nuclear norm
  # of the product of the centred examples, which needs no square root.
  rng = np.random.default_rng(1)
  a, b = rng.normal(size=(20, 100)), rng.normal(size=(15, 100)) + 0.1
  x, y = a - a.mean(0), b - b.mean(0)
  x, y = x / np.sqrt(len(x) - 1), y / np.sqrt(len(y) - 1)
  nuclear = np.linalg.svd(x @ y.T, compute_uv=False).sum()
  want = np.sum((a.mean(0) - b.mean(0)) ** 2)
  want += np.sum(x**2) + np.sum(y**2) - 2 * nuclear
  assert np.isclose(fid.frechet_distance(a, b), want, rtol=1e-6)


def test_fid_of_the_same_is_zero(anchor):
  assert 0 <= fid.frechet_distance(anchor[0], anchor[0]) < 1e-9


def test_fid_statistics(anchor):
  mu, sigma = fid.statistics(anchor[0])
  x = anchor[0].astype(float)
  np.testing.assert_allclose(mu, x.mean(0), rtol=1e-12)
  np.testing.assert_allclose(sigma, np.cov(x, rowvar=False), atol=1e-12)


# Precision, recall, density, coverage.


@pytest.mark.parametrize('block', [77, 1024])
@pytest.mark.parametrize(
  'k, want',
  [
    (5, (0.5825, 0.96, 0.41925, 0.762)),
    (3, (0.46875, 0.923, 503 / 1200, 0.569)),
  ],
)
def test_prdc_anchor(anchor, k, want, block):
  got = prdc.prdc(*anchor, k=k, block=block)
  names = ('precision', 'recall', 'density', 'coverage')
  assert tuple(got) == names
  np.testing.assert_allclose([got[n] for n in names], want, rtol=1e-12)


def brute_force_prdc(real, fake, k):
  def distance(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))

  real_radii = np.sort(distance(real, real), axis=1)[:, k]
  fake_radii = np.sort(distance(fake, fake), axis=1)[:, k]
  d = distance(real, fake)
  inside = d < real_radii[:, None]
  return {
    'precision': inside.any(0).mean(),
    'recall': (d < fake_radii[None]).any(1).mean(),
    'density': inside.sum(0).mean() / k,
    'coverage': (d.min(1) < real_radii).mean(),
  }


@pytest.mark.parametrize('k', [1, 4])
def test_prdc_against_brute_force(k):
  rng = np.random.default_rng(2)
  real, fake = rng.normal(size=(40, 3)), 1.5 * rng.normal(size=(30, 3))
  want = brute_force_prdc(real, fake, k)
  # Far from the origin too: distances must not lose their digits.
  for shift in (0, 1e4):
    got = prdc.prdc(real + shift, fake + shift, k, block=7)
    assert got == pytest.approx(want, rel=1e-12)


def test_prdc_border_is_outside():
  # The ball of 0 ends exactly at the fakes.
  real = np.array([[0.0], [1.0], [-1.0]])
  fake = np.array([[2.0], [2.0]])
  assert prdc.prdc(real, fake, 1)['precision'] == 0
  assert prdc.prdc(real, fake - 0.01, 1)['precision'] == 1


def test_prdc_of_the_same():
  # Each ball holds its centre and k - 1 neighbours; the k-th is a tie.
  x = np.random.default_rng(3).normal(size=(50, 8))
  got = prdc.prdc(x, x.copy(), 5, block=16)
  assert got == {'precision': 1, 'recall': 1, 'density': 1, 'coverage': 1}


# Modes.


def ring(n=8):
  angle = 2 * np.pi * np.arange(n) / n
  return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_modes_of_seven_of_eight():
  samples = np.concatenate([ring()[:7]] * 10 + [np.zeros((30, 2))])
  got = modes_lib.modes(samples, ring(), 0.01)
  assert got['modes'] == 7
  assert got['high_quality'] == 0.7


def test_modes_reverse_kl():
  # Half on one of eight, half spread evenly over all.
  samples = np.concatenate([ring(), np.repeat(ring()[:1], 8, axis=0)])
  p = np.array([9 / 16] + 7 * [1 / 16])
  want = np.sum(p * np.log(8 * p))
  got = modes_lib.modes(samples, ring(), 0.01)['reverse_kl']
  assert np.isclose(got, want, rtol=1e-12)
  one = modes_lib.modes(ring()[:1], ring(), 0.01)
  assert np.isclose(one['reverse_kl'], np.log(8))
  assert modes_lib.modes(ring(), ring(), 0.01)['reverse_kl'] == 0


@pytest.mark.parametrize('threshold, quality', [(2, 0), (3, 0), (4, 1)])
def test_modes_threshold(threshold, quality):
  samples = ring() * (1 + 0.0301)
  got = modes_lib.modes(samples, ring(), 0.01, threshold=threshold)
  assert (got['modes'], got['high_quality']) == (8 * quality, quality)


@pytest.mark.parametrize('min_count, captured', [(1, 8), (2, 3), (3, 0)])
def test_modes_min_count(min_count, captured):
  samples = np.concatenate([ring(), ring()[:3]])
  got = modes_lib.modes(samples, ring(), 0.01, min_count=min_count)
  assert got['modes'] == captured


# Class coverage.


def test_class_coverage():
  labels = np.repeat([0, 1, 2], [500, 499, 1])  # class 3 is missing
  got = coverage_lib.class_coverage(labels, 4)
  assert got['class_coverage'] == 0.5  # 1 of 1,000 is below 0.1 / 4
  assert got['class_shares'] == [0.5, 0.499, 0.001, 0]
  probabilities = np.eye(4)[labels] * 0.5 + 0.125
  assert coverage_lib.class_coverage(probabilities, 4) == got
  for min_share in (0.001, 0):  # the border counts, no sample never does
    got = coverage_lib.class_coverage(labels, 4, min_share=min_share)
    assert got['class_coverage'] == 0.75


# What cannot be measured.

GOOD = np.random.default_rng(4).normal(size=(9, 3))
NAN = np.where(np.arange(27).reshape(9, 3) == 5, np.nan, GOOD)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: fid.frechet_distance(GOOD, NAN), 'features_b: 1 of 9'),
    (lambda: fid.frechet_distance(GOOD, GOOD / 0), 'NaN or infinity'),
    (lambda: fid.frechet_distance(GOOD, GOOD[:1]), 'at least 2 .* got 1'),
    (lambda: fid.frechet_distance(GOOD, GOOD[:, :2]), '3 dim.* 2'),
    (lambda: fid.frechet_distance(GOOD[None], GOOD), r'\[1, 9, 3\]'),
    (lambda: fid.frechet_from_statistics([0], [[1]], [0], [1]), 'expected'),
    (
      lambda: fid.frechet_from_statistics([0], [[1]], [np.nan], [[1]]),
      'NaN',
    ),
    (lambda: prdc.prdc(GOOD, GOOD[:5], k=5), 'fake: at least 6 .* got 5'),
    (lambda: prdc.prdc(GOOD, GOOD, k=0), 'k of 1'),
    (lambda: prdc.prdc(NAN, GOOD), 'real: 1 of 9'),
    (lambda: prdc.prdc(GOOD, GOOD[:, 0]), r'\[N, D\], got \[9\]'),
    (lambda: modes_lib.modes(GOOD, ring(), 0.01), '3 dimensions, centers 2'),
    (lambda: modes_lib.modes(NAN, GOOD, 0.01), 'samples: 1 of 9'),
    (lambda: modes_lib.modes(GOOD, GOOD, 0.0), 'std above 0'),
    (lambda: modes_lib.modes(GOOD[:0], GOOD, 1.0), 'at least 1'),
    (lambda: coverage_lib.class_coverage([0, 4], 4), 'from 0 to 4'),
    (lambda: coverage_lib.class_coverage(GOOD, 4), r'\[N, 4\]'),
    (lambda: coverage_lib.class_coverage(NAN, 3), 'NaN'),
    (lambda: coverage_lib.class_coverage([], 3), 'expected'),
    (lambda: pixels.extract(GOOD[0]), r'\[3\]'),
    (lambda: pixels.extract(np.zeros((1, 3, 3, 1)), shrink=2), 'shrunk by 2'),
  ],
)
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)


# Features.


def test_pixels():
  x = np.arange(32, dtype=np.float32).reshape(2, 4, 4, 1) / 32
  np.testing.assert_array_equal(pixels.extract(x), x.reshape(2, 16))
  black_white = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
  np.testing.assert_array_equal(pixels.extract(black_white), [[-1, 1]])
  got = pixels.extract(x[:1], shrink=2)
  np.testing.assert_allclose(got * 32, [[2.5, 4.5, 10.5, 12.5]])


@pytest.mark.parametrize(
  'shape, dims, told',
  [
    ((2,), 2, 'as_they_are'),
    ((28, 28, 1), 784, 'as_they_are'),
    ((64, 64, 3), 3072, 'average_2x2'),
    ((90, 60, 1), 600, 'average_3x3'),
  ],
)
def test_pixels_of_large_images_are_averaged(shape, dims, told):
  net = pixels.load(shape)
  features, probabilities, _ = net.apply(np.zeros((2, *shape), np.float32))
  assert features.shape == (2, dims) and probabilities is None
  assert net.hash == told and net.accuracy is None


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


def test_classifier_learns_digits(digits, net):
  assert net.features.accuracy > 0.97
  # An odd number: the last batch is filled up and cut again.
  data = digits.read(np.arange(300, 600))
  features, probabilities, _ = net.features.apply(data['x'])
  assert features.shape == (300, 64) and features.dtype == np.float32
  np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
  assert (probabilities.argmax(1) == data['label']).mean() > 0.97
  floats = net.features.apply(base.to_model_range(data['x'])[7:8])
  np.testing.assert_allclose(floats[0], features[7:8], atol=1e-4)


def test_classifier_does_not_learn_from_what_it_holds_out(digits):
  rows = np.arange(400)
  data = digits.read(rows)
  held = classifier._split_rows(400)[1]
  assert len(held) == 60
  changed = data['label'].copy()
  changed[held] = (changed[held] + 1) % 10
  same, accuracy = classifier.train(data['x'], data['label'], 10, steps=60)
  other, wrong = classifier.train(data['x'], changed, 10, steps=60)
  jax.tree.map(np.testing.assert_array_equal, same, other)
  assert accuracy > 0.7 and wrong < 0.2


def test_classifier_is_seeded(digits):
  data = digits.read(np.arange(200))

  def weights(seed):
    params, _ = classifier.train(
      data['x'], data['label'], 10, seed=seed, steps=3
    )
    return classifier.store.weights_hash(classifier._flat(params))

  assert weights(0) == weights(0) != weights(1)


def refuse(*args, **kwargs):
  raise AssertionError('trained though it was in the cache')


def test_classifier_comes_from_the_cache(digits, net, monkeypatch):
  monkeypatch.setattr(classifier, 'train', refuse)
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
  monkeypatch.setattr(classifier, 'train', refuse)
  seed = int(what == 'other seed')
  if what == 'other data':
    digits = digits._replace(fingerprint='other')
  with pytest.raises(AssertionError, match='trained'):
    classifier.load_or_train(digits, cache_dir=net.folder, seed=seed, say=print)


def flip_a_byte(data):
  # In the last array, the accuracy and the hash left alone.
  at = data.index(b'weights/Dense_1/kernel') + 300
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
  monkeypatch.setitem(classifier.RECIPE, 'steps', (1, 1))
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
  with pytest.raises(UserError, match='digits.* labelled images'):
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
    classifier.train(x, labels, 3)


@pytest.mark.parametrize(
  'shape', [(8, 8, 1), (28, 28, 1), (128, 128, 3), (5, 9, 2)]
)
def test_classifier_takes_any_size(shape):
  x = jax.ShapeDtypeStruct((2, *shape), np.float32)
  net = classifier.Classifier(7)
  (features, logits), params = jax.eval_shape(
    lambda x: net.init_with_output(jax.random.key(0), x), x
  )
  assert features.shape == (2, 64) and logits.shape == (2, 7)
  size = sum(np.prod(p.shape) for p in jax.tree.leaves(params))
  assert size < 200_000
