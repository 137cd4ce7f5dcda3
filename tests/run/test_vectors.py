"""A run whose labels are vectors: trained, resumed, sampled, scored."""

import json
import shutil
import types

import jax
import numpy as np
import pytest

from gan_jax import evaluate, sample, train
from gan_jax.game import keys as keys_lib
from gan_jax.run import (
  command,
  draws,
  labels,
  one_step,
  sample_labels,
  shown,
  vectors,
)
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import described
from gan_jax.run.recovery import divergence
from gan_jax.run.trained import Trained
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.bad_input import ROOT, refused

N, C = 40, 5
NAMES = tuple('abcde')


def arrays():
  """Points whose place is in the first two numbers of their condition."""
  rng = np.random.default_rng(0)
  y = rng.normal(size=(N, C)).astype(np.float32)
  x = y[:, :2] + np.float32(0.01) * rng.normal(size=(N, 2))
  return {'x': x.astype(np.float32), 'y': y, 'attributes': NAMES}


def config_of(folder, **overrides):
  """The config of a tiny run with the points in a folder."""
  np.savez(folder / 'points.npz', **arrays())
  usual = {
    'data': {'name': 'npz', 'path': str(folder / 'points.npz')},
    'conditional': True, 'conditioning': {'name': 'projection'}, 'steps': 3,
    'metrics': ('precision',), 'eval_samples': 40, 'eval_every': 3,
  }  # fmt: skip
  path = f'{ROOT}/configs/ring8.py:tiny'
  return command.load_config(path, usual | overrides)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """The workdir of a finished run; not to be changed."""
  folder = tmp_path_factory.mktemp('vectors')
  train.train(config_of(folder), folder / 'run')
  return folder / 'run'


@pytest.fixture
def setup(tmp_path):
  return setup_lib.build(config_of(tmp_path))


def test_a_step_takes_each_example_with_its_own_vector(setup, tmp_path):
  """In memory and from disk: the pairs are those of the data set."""
  assert setup.attributes == NAMES and setup.conditional
  assert setup.num_classes == 0
  own = arrays()
  of = {x.tobytes(): y for x, y in zip(own['x'], own['y'], strict=True)}
  streamed = setup_lib.build(config_of(tmp_path, **{'data.memory_mb': 0}))
  assert setup.structure.resident and not streamed.structure.resident
  for one in (setup, streamed):
    program = setup_lib.make_program(one)
    data = setup_lib.make_data(one, program, step=2)(2)
    if not one.structure.resident:
      data = jax.tree.map(lambda x: x[0, 2], data)
    index = np.arange(one.batch_size)
    batch = one.functions.feed(data, one.keys[0], np.int32(2), index)
    expected = divergence.batch_of(one, 0, 2)
    for name in ('x', 'label'):
      np.testing.assert_array_equal(batch[name], expected[name])
    _, shapes, *_ = one_step.of_one_seed(one)[1]
    assert batch['label'].shape == shapes['label'].shape
    for x, y in zip(batch['x'][0], batch['label'][0], strict=True):
      np.testing.assert_array_equal(of[np.asarray(x).tobytes()], y)


def test_labels_of_a_draw_are_those_of_examples(setup):
  of = lambda key, num: labels.of_draw(setup, labels.DATA, key, num)
  key = jax.random.key(3)
  drawn = of(key, 1200)
  assert drawn.dtype == np.float32 and drawn.shape == (1200, C)
  own = [*map(tuple, arrays()['y'])]
  counts = np.bincount([own.index(tuple(y)) for y in drawn], minlength=N)
  assert counts.sum() == 1200 and 10 < counts.min() and counts.max() < 55
  np.testing.assert_array_equal(of(key, 10), drawn[:10])
  assert (of(keys_lib.draw_key(key, 1), 10) != drawn[:10]).any()
  with pytest.raises(UserError, match='told of vectors, not classes'):
    labels.check_classes(labels.BALANCED, setup)


def test_it_resumes_bit_for_bit(run, tmp_path):
  train.train(config_of(tmp_path, steps=2), tmp_path / 'run')
  train.train(config_of(tmp_path), tmp_path / 'run')
  opened = [contents.open_run(folder) for folder in (run, tmp_path / 'run')]
  jax.tree.map(
    np.testing.assert_array_equal, *(state for *_, state, _ in opened)
  )
  assert [step for *_, step in opened] == [3, 3]


def test_its_samples_follow_their_vectors(run, tmp_path):
  """The same latents, other conditions: other samples; D sees them too."""
  trained = Trained(run)
  assert trained.attributes == NAMES and trained.class_names == ()
  z, y = trained.latents(4), draws_of(trained, 4)
  np.testing.assert_allclose(trained.generate(z, y), trained.sample(4), 1e-6)
  other = y + np.eye(C, dtype=np.float32)[0]
  x = trained.generate(z, y)
  assert (np.abs(trained.generate(z, other) - x).max(-1) > 0).all()
  assert (trained.discriminate(x, y) != trained.discriminate(x, other)).all()
  one = trained.generate(z, other[0])
  np.testing.assert_allclose(one, trained.generate(z, [other[0]] * 4))
  slope = jax.grad(lambda y: trained.generate(z, y).sum())(other[0])
  assert slope.shape == (C,) and np.abs(slope).min() > 0


def draws_of(trained, num):
  return draws.labels_of_draw(trained._setup, labels.DATA, num, seed=0)


@pytest.mark.parametrize(
  ('label', 'words'),
  [
    (None, r'expected a vector .5.'),
    ('a', r'a vector of 5 numbers \(a, b, c, d, e\)'),
    (3, r'the shape .*expected .5., or .4, 5.'),
    ([0.0, 1.0], r'the shape .2.'),
    ([np.nan] * C, 'NaN or infinity'),
  ],
)
def test_what_is_no_vector_is_refused(label, words, run):
  trained = Trained(run)
  with pytest.raises(UserError, match=words):
    trained.generate(trained.latents(4), label)


def drawn(run, out, *flags):
  sample.main(['', f'--workdir={run}', f'--out={out}', '--num=6', *flags])
  with np.load(out) as file:
    return dict(file)


def test_sampling_asks_for_numbers_by_name(run, tmp_path):
  out = tmp_path / 'x.npz'
  usual = drawn(run, out)
  own = [*map(tuple, arrays()['y'])]
  assert all(tuple(y) in own for y in usual['labels'])
  assert usual['attributes'].tolist() == [*NAMES]
  some = drawn(run, out, '--condition=d=2, b=-0.5')
  want = usual['labels'].copy()
  want[:, 3], want[:, 1] = 2, -0.5
  np.testing.assert_array_equal(some['labels'], want)
  assert (some['samples'] != usual['samples']).any()
  whole = drawn(run, out, '--condition=0,1,0.5,-2,1e-3')
  np.testing.assert_allclose(whole['labels'], [[0, 1, 0.5, -2, 1e-3]] * 6)


def test_a_whole_vector_needs_no_data(run, tmp_path):
  """What is drawn as in the data does."""
  moved = tmp_path / 'run'
  shutil.copytree(run, moved)
  config = contents.read_config(moved / 'config.json')
  config['data']['path'] = str(tmp_path / 'gone.npz')
  (moved / 'config.json').write_text(json.dumps(config))
  made = drawn(moved, tmp_path / 'x.npz', '--condition=0,1,0,1,0')
  again = drawn(run, tmp_path / 'y.npz', '--condition=0,1,0,1,0')
  np.testing.assert_array_equal(made['samples'], again['samples'])
  with pytest.raises(UserError, match='Have they moved?'):
    drawn(moved, tmp_path / 'x.npz', '--condition=a=1')
  np.savez(tmp_path / 'here.npz', **arrays())
  where = f'--data.path={tmp_path}/here.npz'
  same = drawn(moved, tmp_path / 'x.npz', where)
  np.testing.assert_array_equal(
    same['labels'], drawn(run, tmp_path / 'y.npz')['labels']
  )


@pytest.mark.parametrize(
  ('flag', 'words'),
  [
    ('--condition=1,0', 'expected 5 numbers, or NAME=NUMBER of some of a, b'),
    ('--condition=1,0,0,0,0,0', 'got 6'),
    ('--condition=f=1', "no such attribute 'f'. There are a, b"),
    ('--condition=a=much', "expected numbers, got 'much'"),
    ('--condition=a=nan', "expected numbers, got 'nan'"),
    ('--condition=a=1e99', "expected numbers, got '1e99'"),
    ('--class=a', 'expected --condition=a=1'),
    ('--labels=balanced', 'told of vectors, not classes'),
  ],
)
def test_mistakes_in_sampling(flag, words, run, tmp_path, capfd):
  argv = [f'--workdir={run}', f'--out={tmp_path}/x.npz', flag]
  refused(capfd, sample.main, argv, words, root=tmp_path)


@pytest.mark.parametrize(
  ('conditional', 'words'), [(True, 'but of classes'), (False, 'of nothing')]
)
def test_others_take_no_condition(conditional, words):
  setup = types.SimpleNamespace(attributes=(), conditional=conditional)
  flags = types.SimpleNamespace(condition='1')
  with pytest.raises(UserError, match=f'is told of no vectors, .*{words}'):
    sample_labels.asked(setup, flags, grid=False)


@pytest.mark.parametrize(
  ('flags', 'words'),
  [
    (['--metrics=intra_fid'], 'needs a labelled data set, by classes'),
    (['--labels=balanced'], 'told of vectors, not classes'),
  ],
)
def test_mistakes_in_scoring(flags, words, run, capfd):
  argv = [f'--workdir={run}', *flags]
  refused(capfd, evaluate.main, argv, words, root=run)


def test_scores_are_of_samples_for_vectors_of_examples(run, tmp_path, capfd):
  (record,) = json.loads((run / 'scores.json').read_text())
  assert record['metric'] == 'precision' and record['labels'] == 'data'
  shutil.copytree(run, tmp_path / 'run')
  argv = [f'--workdir={tmp_path}/run', '--metrics=fid', '--features=points']
  evaluate.main(['', *argv[:2]])
  assert 'fid' in capfd.readouterr().out
  # What `sample` writes is scored as it is.
  drawn(run, tmp_path / 'x.npz')
  np.savez(tmp_path / 'real.npz', **arrays())
  argv = [f'--samples={tmp_path}/x.npz', f'--data={tmp_path}/real.npz']
  evaluate.main(['', *argv, '--metrics=precision'])
  assert 'precision' in capfd.readouterr().out


@pytest.mark.parametrize(
  ('overrides', 'words'),
  [
    ({'eval_labels': 'balanced'}, 'eval_labels=balanced: .* vectors'),
    ({'conditioning': {'name': 'ac'}}, 'needs classes, one for each example'),
    ({'metrics': ('intra_fid',)}, 'needs a labelled data set, by classes'),
  ],
)
def test_mistakes_in_training(overrides, words, tmp_path):
  with pytest.raises(UserError, match=words):
    train.train(config_of(tmp_path, **overrides), tmp_path / 'run')


def test_pictures_show_samples_for_the_vectors_of_real_examples(setup):
  """Sample k is made for the condition of real example k, beside it."""
  pictures, seen = shown.Shown(setup), []

  class Spied:
    def sample(self, averages, key, index, label=None):
      seen.append(np.asarray(label))
      return np.zeros((len(index), 2), np.float32)

    def __getattr__(self, name):
      return getattr(setup, name)

  pictures._setup = Spied()
  made, own = pictures.samples({}), arrays()
  rows = np.linspace(0, N - 1, pictures.num).astype(int)
  labels_seen = np.concatenate(seen)[: len(made)]
  np.testing.assert_array_equal(labels_seen, own['y'][rows])
  real = shown.real_samples(setup, pictures.num)
  np.testing.assert_array_equal(real, own['x'][rows])
  drawn = [pictures.picture(made), pictures.real_picture()]
  assert drawn[0].size == drawn[1].size


@pytest.mark.slow
def test_a_recipe_takes_attributes_in_place_of_classes():
  """Of CelebA, planned without its files: 40 numbers for each example."""
  config = command.load_config('sngan:celeba64', {'conditional': True})
  setup = described.setup(config)
  step, (_, batch, _, _) = one_step.of_one_seed(setup)
  assert len(setup.attributes) == 40 and callable(step)
  assert batch['label'].shape == (5, 64, 40)
  state = one_step.shapes_of_one(setup)
  assert state.players['d'].params['embed']['embedding'].shape == (40, 1024)


def test_numbers_are_read_as_they_are_written():
  assert vectors.parse(' 1, -2e0 ', ('a', 'b')) == ([0, 1], [1.0, -2.0])
  assert vectors.parse('x=y=1', ('x=y', 'z')) == ([0], [1.0])
