"""Every seed of a setup is scored by its own samples, draw by draw."""

import pathlib

import jax
import numpy as np
import pytest

from gan_jax.data import loading
from gan_jax.game import keys
from gan_jax.metrics import fid, kid
from gan_jax.metrics.features import random_conv
from gan_jax.run import command, neighbours, sampling, scoring, shown
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests import tiny_data

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOCOL = scoring.EvalProtocol(space='pixels', num_samples=120)
SEEDS = (5, 6)
SHAPE = (28, 28, 1)


def build(**overrides):
  config = command.load_config(f'{ROOT}/configs/digits.py:tiny', overrides)
  return setup_lib.build(config)


@pytest.fixture(scope='module')
def setup():
  """Digits, two seeds."""
  return build(seed=SEEDS[0], num_seeds=2)


@pytest.fixture(scope='module')
def variables(setup):
  """Two generators that have not learned anything."""
  return setup.init().ema


def records(
  setup, variables, names=('fid',), *, protocol=PROTOCOL, seeds=SEEDS, **kwargs
):
  look = scoring.make_look(setup, names, protocol=protocol, **kwargs)
  found = look(7, variables, setup.keys, seeds)
  return scoring.gather([(seed, compute()) for seed, compute in found])


def pixels(setup, variables, s, *, draw=0, num=120):
  """What the pixels of a seed's samples are, straight from the sampler."""
  samples = setup.sample(
    sampling.take_seed(variables, s),
    keys.draw_key(setup.keys[s], draw),
    np.arange(num, dtype=np.int32),
    None,
  )
  return np.asarray(samples).reshape(num, -1)


@pytest.fixture(scope='module')
def real(setup):
  return np.reshape(
    loading.arrays(setup.dataset)['x'], (setup.dataset.size, -1)
  )


def test_each_seed_by_its_own_samples(setup, variables, real):
  found = records(setup, variables)
  assert [r['seed'] for r in found] == list(SEEDS)
  assert found[0]['value'] != found[1]['value']
  for s, record in enumerate(found):
    expected = fid.frechet_distance(real, pixels(setup, variables, s))
    assert record['value'] == pytest.approx(expected, rel=1e-6)
  told = {
    'step': 7, 'ema': True, 'batch_norm': 'running', 'truncation': None,
    'protocol': '', 'features': 'pixels', 'reference': 'digits/train',
    'n_real': 1797, 'n_fake': 120, 'draws': 1,
  }  # fmt: skip
  for record in found:
    assert {k: record[k] for k in told} == told
    assert record['reference_hash'] and set(record['versions']) >= {'jax'}


def test_draws_are_of_their_own_and_their_mean_is_the_score(
  setup, variables, real
):
  protocol = PROTOCOL._replace(draws=3)
  found = records(setup, variables, ('fid', 'kid'), protocol=protocol)
  assert [(r['seed'], r['metric']) for r in found] == [
    (seed, name) for seed in SEEDS for name in ('fid', 'kid')
  ]
  for record in found:
    assert record['draws'] == 3 and record['interval_method'] == 'draws'
    low, high = record['interval']
    assert low < record['value'] < high
    assert record['value'] == pytest.approx(np.mean(record['draw_values']))
  for s in (0, 1):
    drawn = [pixels(setup, variables, s, draw=d) for d in range(3)]
    expected = [fid.frechet_distance(real, x) for x in drawn]
    fids, kids = found[2 * s], found[2 * s + 1]
    np.testing.assert_allclose(fids['draw_values'], expected, rtol=1e-6)
    expected = [kid.kernel_distance(real, x) for x in drawn]
    np.testing.assert_allclose(kids['draw_values'], expected, rtol=1e-6)


def test_real_samples_are_looked_at_once_for_all_seeds_and_steps(
  setup, variables
):
  reads = []
  read = lambda rows: reads.append(len(rows)) or setup.dataset.read(rows)
  watched = setup._replace(dataset=setup.dataset._replace(read=read))
  look = scoring.make_look(watched, ('fid',), protocol=PROTOCOL)
  assert not reads  # nothing is prepared before the first look
  for step in (1, 2):
    for _, compute in look(step, variables, setup.keys, SEEDS):
      compute()
  assert sum(reads) == setup.dataset.size


def test_progress_only_grows_and_reaches_the_number(setup, variables):
  ticks, num = [], sampling.BATCH + 44
  protocol = PROTOCOL._replace(num_samples=num)
  tick = lambda done, total: ticks.append((done, total))
  records(setup, variables, protocol=protocol, seeds=(5,), tick=tick)
  assert ticks == [(sampling.BATCH, num), (num, num)]


def with_nan(variables, s):
  """The same generators, but that of seed s makes NaN."""
  return jax.tree.map(lambda x: x.at[s].set(np.nan), variables)


def test_what_is_not_finite_is_not_scored_and_that_is_said(setup, variables):
  said = []
  found = records(setup, with_nan(variables, 0), say=said.append)
  assert [r['seed'] for r in found] == [6]
  assert said == ['seed 5 makes non-finite samples: not scored']
  broken = with_nan(with_nan(variables, 0), 1)
  assert records(setup, broken, say=said.append) == []
  assert len(said) == 3


def test_too_few_samples(setup, variables):
  for names, num, words in (
    (('fid',), 1, 'at least 2 .* got 1'),
    (('precision',), 5, 'at least 6 .* got 5'),
    (('kid',), 1, 'at least 2'),
    (('fid',), 0, '0 samples'),
  ):
    with pytest.raises(UserError, match=words):
      records(
        setup, variables, names, protocol=PROTOCOL._replace(num_samples=num)
      )


def test_published_statistics_in_place_of_real_samples(
  setup, variables, real, tmp_path
):
  path = str(tmp_path / 'digits.npz')
  np.savez(path, mu=real.mean(axis=0), sigma=np.cov(real, rowvar=False))
  protocol = PROTOCOL._replace(statistics=path)
  theirs = records(setup, variables, protocol=protocol)
  ours = records(setup, variables)
  for a, b in zip(theirs, ours, strict=True):
    assert a['value'] == pytest.approx(b['value'], rel=1e-5)
    assert a['reference'] == 'digits.npz' and a['n_real'] is None
    assert a['reference_hash'] != b['reference_hash']
  with pytest.raises(UserError, match='only a mean and a covariance'):
    records(setup, variables, ('fid', 'kid'), protocol=protocol)
  np.savez(path, mu=np.zeros(7), sigma=np.eye(7))
  with pytest.raises(UserError, match='64 dimensions, expected 7'):
    records(setup, variables, protocol=protocol)
  with pytest.raises(UserError, match='another net'):
    scoring.metric_names(
      setup, (), protocol=protocol._replace(space='classifier')
    )


def test_names_are_checked_before_anything_is_drawn(setup):
  names = lambda wanted, **protocol: scoring.metric_names(
    setup, wanted, protocol=scoring.EvalProtocol(**protocol)
  )
  assert names(()) == ('fid', 'class_coverage')
  assert names((), space='pixels') == ('fid',)
  assert names(('prdc', 'fid', 'recall')) == (
    'precision', 'recall', 'density', 'coverage', 'fid',
  )  # fmt: skip
  for wanted, protocol, words in (
    (('class_coverage',), {'space': 'pixels'}, 'needs a classifier'),
    (('intra_fid',), {}, 'a conditional generator'),
    (('authenticity',), {}, 'test split'),
    (('modes',), {}, 'known modes'),
    (('fdi',), {}, 'does not exist; possible here: fid'),
    ((), {'split': 'test'}, 'split=test: digits has no splits'),
    ((), {'space': 'foo'}, "features='foo'"),
    (
      (),
      {'space': 'pixels', 'resize': 'tf'},
      'resize: only for features=inception',
    ),
  ):
    with pytest.raises(UserError, match=words):
      names(wanted, **protocol)


def test_a_named_protocol_says_all_of_it():
  protocol = scoring.named_protocol('clean-10k-test')
  assert protocol == scoring.EvalProtocol(
    'inception', 'clean', '', 'test', 10_000, 1, '', 'clean-10k-test'
  )
  with pytest.raises(UserError, match='--protocol=fid: there are tf-inception'):
    scoring.named_protocol('fid')


@pytest.fixture(scope='module')
def splits(tmp_path_factory):
  """A labelled data set with a test split: noise under the name of MNIST.

  Train and test differ in brightness, so that no score is the same.
  """
  root = tmp_path_factory.mktemp('tfds')
  rng = np.random.default_rng(0)
  x = rng.integers(0, 200, (150, *SHAPE), np.uint8)
  y = rng.integers(0, 10, 150)
  tiny_data.write_tfds(
    root, 'mnist', {'train': (x[:90], y[:90]), 'test': (x[90:] + 50, y[90:])}
  )
  return root, x[:90], x[90:] + 50


@pytest.fixture(scope='module')
def split_setup(splits):
  """Its setup, and a generator that has not learned anything."""
  setup = build(**{'data.name': 'mnist', 'data.dir': str(splits[0])})
  return setup, setup.init().ema


@pytest.mark.parametrize('split', ['', 'train', 'test'])
def test_the_split_that_scores_are_taken_against(split, splits, split_setup):
  (_, train, test), (setup, averages) = splits, split_setup
  protocol = PROTOCOL._replace(split=split, space='random_conv', num_samples=60)
  (found,) = records(setup, averages, protocol=protocol, seeds=(0,))
  real = test if split == 'test' else train
  assert found['reference'] == f'mnist/{split or "train"}'
  assert found['n_real'] == len(real)
  net = random_conv.load(SHAPE)
  fake = pixels(setup, averages, 0, num=60).reshape(60, *SHAPE)
  features = [net.apply(x).features for x in (real, fake)]
  expected = fid.frechet_distance(*features)
  assert found['value'] == pytest.approx(expected, rel=1e-4)


def test_held_out_samples_are_those_of_the_test_split(split_setup):
  setup, averages = split_setup
  found = records(setup, averages, ('authenticity', 'c_t'), seeds=(0,))
  assert [r['metric'] for r in found] == ['authenticity', 'c_t']
  for record in found:
    assert record['held_out'] == 'mnist/test'
    assert record['held_out_hash'] != record['reference_hash']
    assert record['reference'] == 'mnist/train'


def test_neighbours_are_the_nearest_real_ones(setup, variables, real):
  samples, nearest = neighbours.nearest(
    setup, variables, protocol=PROTOCOL, num=6, k=3
  )
  assert samples.shape == (6, 8, 8, 1) and nearest.shape == (6, 3, 8, 8, 1)
  fixed = shown.show_samples(setup, variables, num=6)
  np.testing.assert_array_equal(samples, fixed)
  for sample, found in zip(samples, nearest, strict=True):
    gaps = np.linalg.norm(real - sample.reshape(-1), axis=1)
    theirs = [np.linalg.norm((x - sample).reshape(-1)) for x in found]
    np.testing.assert_allclose(theirs, np.sort(gaps)[:3], rtol=1e-5)


def test_no_neighbours_where_there_can_be_none(setup, variables):
  none = [
    neighbours.nearest(
      setup, variables, protocol=PROTOCOL._replace(space='inception')
    ),
    neighbours.nearest(setup, with_nan(variables, 0), protocol=PROTOCOL),
    neighbours.nearest(
      setup, variables, protocol=PROTOCOL, k=setup.dataset.size + 1
    ),
  ]
  points = setup_lib.build(command.load_config(f'{ROOT}/configs/ring8.py:tiny'))
  none.append(neighbours.nearest(points, None, protocol=scoring.EvalProtocol()))
  assert none == [None] * 4
