"""Score records of every metric, through one pass over the samples."""

import json

import numpy as np
import pytest

from gan_jax.metrics import (
  compute,
  content,
  fid,
  general,
  inception_score,
  prdc,
  scores,
)
from gan_jax.metrics import modes as modes_lib
from gan_jax.metrics.features import base, classifier, convnet
from gan_jax.metrics.reference import from_arrays
from gan_jax.types import UserError

ANGLES = 2 * np.pi * np.arange(8) / 8

CENTERS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)

RING = {'centers': CENTERS, 'std': 0.01}


def points(n=200, seed=0):
  rng = np.random.default_rng(seed)
  which = rng.integers(8, size=n)
  return (CENTERS[which] + 0.01 * rng.normal(size=(n, 2))).astype(np.float32)


def see(samples):
  """A net that knows everything: features, 4 classes, places."""
  x = np.asarray(samples, np.float32).reshape(len(samples), -1)
  logits = np.concatenate([x, -x], axis=1)[:, :4]
  p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
  return base.Seen(x, p, x[:, ::-1])


EVERYTHING = base.Features(
  'own',
  'hash',
  see,
  accuracy=0.9,
  resize='tf',
  knows=('probabilities', 'classes', 'spatial'),
)


def test_scores_of_points():
  found = scores.score(
    None, points(), points(90, 1), kind='point', modes=RING, reference='ring8'
  )
  want = modes_lib.modes(points(), CENTERS, 0.01)
  for record, name in zip(found, ('modes', 'high_quality'), strict=True):
    assert record['metric'] == name and record['value'] == want[name]
    assert record['features'] == 'samples' and record['reference'] == 'ring8'
    assert (record['n_real'], record['n_fake']) == (0, 200)
    assert (record['threshold'], record['min_count']) == (3.0, 1)
    low, high = record['interval']
    assert low <= record['value'] <= high
  assert found[0]['interval'] == [8.0, 8.0]


@pytest.fixture(scope='module')
def digits():
  from gan_jax.data import loading

  return loading.load('digits')


@pytest.fixture(scope='module')
def net(digits, tmp_path_factory):
  folder = tmp_path_factory.mktemp('cache')
  return classifier.load_or_train(digits, cache_dir=folder, say=str)


def test_scores_of_images(digits, net):
  real, fake = (digits.read(np.arange(i, 1000, 2))['x'] for i in (0, 1))
  found = scores.score(
    ['class_coverage', 'fid', 'density', 'precision', 'is'],
    base.to_model_range(fake),
    real,
    kind='image',
    features=net,
    reference='digits/train',
    options={'k': 3},
  )
  coverage, distance, density, precision, score = found
  assert coverage['value'] == 1 and coverage['min_share'] is None
  assert np.isclose(sum(coverage['class_shares']), 1)
  a, b = net.apply(real), net.apply(fake)
  want = fid.frechet_distance(a.features, b.features)
  assert distance['value'] == pytest.approx(want, 1e-3)
  drawn = np.argsort(content.keys(fake))
  want, std = inception_score.inception_score(b.probabilities[drawn])
  assert score['value'] == pytest.approx(want, 1e-4)
  assert score['is_std'] == pytest.approx(std, 1e-3) and score['splits'] == 10
  assert density['k'] == precision['k'] == 3 and 'k' not in distance
  for record in found:
    assert record['features'] == 'classifier'
    assert record['features_hash'] == net.hash
    assert record['features_accuracy'] == net.accuracy
    assert record['n_fake'] == 500 and record['draws'] == 1
    low, high = record['interval']
    assert low <= record['value'] <= high
  assert [r['n_real'] for r in found] == [500, 500, 500, 500, 0]
  assert json.loads(json.dumps(found)) == found


def test_scores_without_labels_compare_pixels():
  x = np.random.default_rng(0).uniform(-1, 1, (30, 4, 4, 1))
  (record,) = scores.score(None, x, x[:20], kind='image')
  assert record['metric'] == 'fid' and record['features'] == 'pixels'
  want = fid.frechet_distance(x[:20].reshape(20, -1), x.reshape(30, -1))
  assert record['value'] == pytest.approx(want, 1e-4)
  assert record['interval'] is None  # of 30 samples


LABELS = np.arange(200) % 3

ALL = [n for m in general.FAMILY.metrics for n in m.outputs]

ELSEWHERE = {  # names that need another kind of samples
  'modes', 'high_quality', 'reverse_kl', 'stacked_modes', 'stacked_kl',
  'classifier_accuracy',
}  # fmt: skip


def test_every_metric_comes_with_an_interval_and_its_protocol():
  names = [n for n in ALL if n not in ELSEWHERE]
  rng = np.random.default_rng(0)
  real, fake, apart = (rng.normal(size=(200, 6)) for _ in range(3))
  found = scores.score(
    names,
    fake,
    real,
    kind='image',
    features=EVERYTHING,
    labels=(LABELS, LABELS),
    num_classes=3,
    held_out=(apart, LABELS),
    reference='own/train',
  )
  assert [r['metric'] for r in found] == names
  for record in found:
    low, high = record['interval']
    assert low <= record['value'] <= high, record
    assert low < high or record['metric'] == 'class_coverage', record
    assert record['resize'] == 'tf' and record['versions']['jax']
    assert len(record['reference_hash']) == 16
  by_name = {r['metric']: r for r in found}
  assert by_name['c_t']['held_out_hash'] != by_name['c_t']['reference_hash']
  assert 'held_out' not in by_name['fid']
  assert by_name['fid']['interval_method'] == 'jackknife'
  assert by_name['recall']['interval_method'] == 'bootstrap'
  assert by_name['kid']['interval_method'] == 'blocks'
  assert len(by_name['intra_fid']['class_fid']) == 3


def test_intervals_of_fid_are_as_wide_as_draws_are_apart():
  rng = np.random.default_rng(1)
  real = rng.normal(size=(2000, 3))
  made = [
    scores.score(
      ['fid'],
      rng.normal(size=(500, 3)) + 0.3,
      real,
      kind='image',
      features=EVERYTHING,
    )[0]
    for _ in range(30)
  ]
  low, high = np.array([r['interval'] for r in made]).T
  values = np.array([r['value'] for r in made])
  # Student's t of nine degrees of freedom reaches to 2.262.
  assert np.mean(high - low) / 2 == pytest.approx(2.262 * values.std(), rel=0.3)
  inside = np.mean((low < values.mean()) & (values.mean() < high))
  assert inside > 0.85


def test_precision_recall_intervals_are_those_of_shares():
  rng = np.random.default_rng(0)
  real, fake = rng.normal(size=(300, 2)), 2 * rng.normal(size=(300, 2))
  found = scores.score(['prdc'], fake, real, kind='point', features=EVERYTHING)
  values = prdc.prdc(real.astype(np.float32), fake.astype(np.float32))
  for record in found[:2]:
    p = record['value']
    assert p == values[record['metric']]
    half = 1.96 * np.sqrt(p * (1 - p) / 300)
    assert np.diff(record['interval']) / 2 == pytest.approx(half, rel=0.15)


def test_classifier_accuracy_of_real_digits(digits, monkeypatch):
  monkeypatch.setitem(convnet.RECIPE, 'steps', (100, 100))
  data = digits.read(np.arange(900))
  x, labels = data['x'], data['label']
  (record,) = scores.score(
    ['classifier_accuracy'],
    x[:600],
    x[:600],
    kind='image',
    labels=(labels[:600], labels[:600]),
    num_classes=10,
    held_out=(x[600:], labels[600:]),
    features=EVERYTHING,  # which it does not look through
  )
  assert record['value'] > 0.85 and record['interval'][0] > 0.8
  assert (record['features'], record['features_hash']) == ('samples', '')


def test_stacked_modes_of_a_net_with_three_heads():
  def three(samples):
    p = np.eye(10)[np.asarray(samples, int)[:, :3]]
    return base.Seen(np.asarray(samples, np.float32), p)

  net = base.Features('stacked', '', three, knows=('stacked',))
  x = np.random.default_rng(0).integers(10, size=(5000, 3)).astype(np.float32)
  modes, kl = scores.score(None, x, x, kind='image', features=net)
  assert modes['metric'] == 'stacked_modes' and modes['value'] == len(
    np.unique(x, axis=0)
  )
  assert kl['value'] == pytest.approx(999 / 2 / 5000, rel=0.1)


def test_each_metric_and_the_real_samples_are_seen_once(monkeypatch):
  calls = []
  balls = prdc.neighbourhoods
  monkeypatch.setattr(
    prdc,
    'neighbourhoods',
    lambda *a, **k: calls.append('balls') or balls(*a, **k),
  )

  def apply(samples):
    calls.append(len(samples))
    return base.Seen(np.asarray(samples))

  net = base.Features('own', 'hash', apply)
  scorer = scores.make_scorer(
    ['precision', 'coverage', 'precision', 'fid'],
    from_arrays(points(40), features=net),
    facts=compute.Facts('point'),
    features=net,
  )
  for seed in (1, 2):
    collector = scorer.collector(50)
    collector.add(points(50, seed))
    found = scorer.score(collector.view(), step=7, seed=seed, ema=False)
    assert [r['metric'] for r in found] == ['precision', 'coverage', 'fid']
    assert [(r['step'], r['seed'], r['ema']) for r in found] == [
      (7, seed, False)
    ] * 3
  assert sorted(map(str, calls)) == ['40', '50', '50', 'balls', 'balls']


def test_pictures_are_not_kept_for_a_distance():
  scorer = scores.make_scorer(
    ['fid'],
    from_arrays(points(), features=EVERYTHING),
    facts=compute.Facts('point'),
    features=EVERYTHING,
  )
  collector = scorer.collector(100)
  collector.add(points(100))
  view = collector.view()
  assert view.samples is view.features is None and len(view.moments) == 10


@pytest.mark.parametrize(
  'given, told',
  [
    ({'names': ['fidd']}, "'fidd' does not exist; possible here: fid, fd_inf"),
    ({'names': ['modes']}, "'modes' needs a data set with known modes"),
    ({'names': ['class_coverage']}, "needs a classifier of the data set's own"),
    ({'names': ['is']}, 'needs a classifier: --features=classifier or incep'),
    ({'names': ['memorisation']}, 'needs a data set with a test split'),
    (
      {'names': ['intra_fid']},
      'needs a labelled data set, by classes, and a cond',
    ),
    ({'names': ['sfid']}, 'needs features of places: --features=inception'),
    ({'options': {'kk': 1}}, "'kk' does not exist; there are: k, closed"),
    ({'fake': np.zeros((9, 3))}, r'shape \[3\] .* shape \[2\]'),
    ({'fake': np.zeros((0, 2))}, '0 fake'),
    ({'fake': np.full((9, 2), np.nan)}, 'NaN'),
    ({'fake': points(3)}, 'at least 6'),
    ({'fake': points(1), 'names': ['fid']}, 'at least 2'),
  ],
)
def test_scores_errors(given, told):
  given = {'names': None, 'fake': points(), 'real': points(50, 1)} | given
  with pytest.raises(UserError, match=told) as e:
    scores.score(kind='point', **given)
  assert '\n' not in str(e.value)
