"""A run is opened without its data, and goes on with data that have moved."""

import shutil

import numpy as np
import pytest

from gan_jax import evaluate, sample, train
from gan_jax.data import classes, loading, memory
from gan_jax.run import command, examples
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import keys
from gan_jax.run.workdir import contents, description
from gan_jax.run.workdir import record as record_lib
from gan_jax.storage import files
from gan_jax.types import Dataset, UserError
from tests import shared
from tests.run import test_known_sources, test_manifest
from tests.run.test_commands import RING, complaint

begin, clone = test_known_sources.begin, test_manifest.clone
pytestmark = pytest.mark.usefixtures('clone')
STEPS = (
  '--config.steps=2', '--config.metrics=precision', '--config.eval_samples=40',
)  # fmt: skip


def start(workdir, path, *flags):
  return [
    RING, f'--workdir={workdir}', '--config.data.name=npz',
    f'--config.data.path={path}', *STEPS, *flags,
  ]  # fmt: skip


def points():
  return np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)


def _trained(folder):
  folder.mkdir()
  np.savez(folder / 'mine.npz', x=points())
  train.main(['', *start(folder / 'run', folder / 'mine.npz')])


@pytest.fixture
def lost(tmp_path):
  """A finished run whose data have moved to `elsewhere`, as it has itself."""
  there = shared.folder('points_run', _trained)
  shutil.copytree(there / 'run', tmp_path / 'run')
  (tmp_path / 'elsewhere').mkdir()
  shutil.copy(there / 'mine.npz', tmp_path / 'elsewhere' / 'theirs.npz')
  config = contents.read_config(tmp_path / 'run' / 'config.json')
  config['data']['path'] = str(tmp_path / 'gone' / 'mine.npz')
  files.write_json(tmp_path / 'run' / 'config.json', config)
  return tmp_path


def test_samples_need_no_data(lost, capfd, monkeypatch):
  monkeypatch.chdir(lost / 'elsewhere')
  for name in ('x.npz', 'x.png'):
    sample.main(['', '--workdir=../run', f'--out={name}', '--num=5'])
  with np.load('x.npz') as made:
    assert made['samples'].shape == (5, 2)
  said = capfd.readouterr().out
  assert f'without real samples: data.path={lost}/gone/mine.npz' in said
  # What it advises it takes; with the data they are in the picture again.
  assert '--data.path=... says' in said
  before = (lost / 'elsewhere' / 'x.png').read_bytes()
  argv = ['--workdir=../run', '--out=x.png', '--num=5']
  sample.main(['', *argv, '--data.path=theirs.npz'])
  assert 'without real' not in capfd.readouterr().out
  assert (lost / 'elsewhere' / 'x.png').read_bytes() != before
  assert 'not go with' in complaint(capfd, sample.main, *argv, '--data=npz')


def test_scores_say_where_the_data_were_and_take_where_they_are(lost, capfd):
  argv = [f'--workdir={lost}/run', '--num=40']
  line = complaint(capfd, evaluate.main, *argv)
  assert f'data.path={lost}/gone/mine.npz' in line and '--data.path=' in line
  evaluate.main(['', *argv, f'--data.path={lost}/elsewhere/theirs.npz'])
  np.savez(lost / 'elsewhere' / 'theirs.npz', x=points() + 1)
  line = complaint(
    capfd, evaluate.main, *argv, f'--data.path={lost}/elsewhere/theirs.npz'
  )
  assert 'not the data of this run' in line
  line = complaint(capfd, evaluate.main, *argv, '--data.dir=elsewhere')
  assert '--data.path' in line
  assert 'not go with' in complaint(capfd, evaluate.main, *argv, '--data=npz')


def test_moved_data_go_on_and_others_do_not(lost, capfd, begin):
  path, run = lost / 'elsewhere' / 'theirs.npz', lost / 'run'
  begin(start(run, path))
  told = contents.read_config(run / 'config.json')
  assert told['data']['path'] == str(path)
  *_, last = record_lib.read(run)['starts']
  assert last['decides'] == {}
  assert last['config']['config.data.path'][1] == str(path)
  np.savez(path, x=points() + 1)
  line = complaint(capfd, train.main, *start(run, path))
  assert 'other data' in line
  shutil.move(path, lost / 'third.npz')
  line = complaint(capfd, train.main, *start(run, lost / 'third.npz'))
  assert 'another config' in line and 'third.npz' in line
  assert 'data_fingerprint ' in line  # which is why the place matters


@pytest.mark.parametrize(
  'key, value', [('range', [0, 255]), ('skip_corrupt', True), ('range', '')]
)
def test_how_files_are_read_is_told_by_what_comes_of_it(
  key, value, tmp_path, monkeypatch
):
  monkeypatch.setattr(record_lib, 'check_layout', lambda workdir: None)
  monkeypatch.setattr(record_lib, 'fingerprint_of', lambda workdir: 'same')
  before = {'data': {'name': 'folder', 'dir': 'x'}}
  now = keys.ADDED | {'data': {**before['data'], key: value}}
  files.write_json(tmp_path / 'config.json', before)
  contents.check_same_training(tmp_path, now, fingerprint='same')
  with pytest.raises(UserError, match=f'another config: data.{key}'):
    contents.check_same_training(tmp_path, now, fingerprint='other')


def test_another_name_of_the_same_data_decides_nothing(tmp_path):
  files.write_json(tmp_path / 'config.json', {})
  record = {
    'started': '', 'host': '', 'command': '', 'components': {},
    'data_name': 'a', 'data_fingerprint': 'x',
  }  # fmt: skip
  record_lib.write(tmp_path, record, {}, step=0)
  now = record | {'data_name': 'b'}
  assert record_lib.check(tmp_path, now, deterministic=True) == []


def test_the_classes_of_a_run_with_labels_are_counted(tmp_path):
  config = command.load_config(
    'configs/ring8.py:tiny', {'conditional': True, 'data.size': 100}
  )
  setup = setup_lib.build(config)
  description.write(tmp_path, setup)
  told, has_splits = description.read(tmp_path)
  assert not has_splits
  assert (classes.counts(told) == classes.counts(setup.dataset)).all()


ABOUT = {1: 16_000.0, 2: ('a', 'b'), 3: np.arange(4, dtype='u1')}


@pytest.mark.parametrize('kind', ['ring8', 'about', 'data in data'])
def test_a_description_is_what_was_described(kind, tmp_path):
  x = np.zeros((9, 2), np.float32)
  dataset = {
    'ring8': lambda: loading.load('ring8', size=50),
    'about': lambda: memory.from_arrays('own', 'point', x, about=ABOUT),
    'data in data': lambda: memory.from_arrays(
      'own', 'point', x, about=(None, True)
    )._replace(modes={'channel': memory.from_arrays('in', 'point', x)}),
  }[kind]()
  setup = setup_lib.build(command.load_config('configs/ring8.py:tiny'))
  description.write(tmp_path, setup._replace(dataset=dataset))
  told, _ = description.read(tmp_path)
  for name in description.FIELDS:
    if kind == 'data in data' and name == 'modes':
      inner = told.modes['channel']
      assert isinstance(inner, Dataset) and inner.name == 'in'
    else:
      np.testing.assert_equal(getattr(told, name), getattr(dataset, name))
  found = examples.Examples(dataset, None, None, False, True)
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(examples, 'load', lambda options: found)
    later = examples.described(told, {'name': 'own'}, has_splits=False)
    rows = np.arange(3)
    np.testing.assert_equal(later.dataset.read(rows), dataset.read(rows))
    if kind == 'data in data':
      assert len(later.dataset.modes['channel'].read(rows)['x']) == 3


@pytest.mark.parametrize('about', [object(), float('nan'), b'bytes', {1, 2}])
def test_what_cannot_be_described_is_not(about, tmp_path):
  setup = setup_lib.build(command.load_config('configs/ring8.py:tiny'))
  dataset = setup.dataset._replace(about=about)
  description.write(tmp_path, setup._replace(dataset=dataset))
  assert description.read(tmp_path) is None


def test_whatever_a_data_set_raises_is_told_in_a_line():
  def load(options):
    raise KeyError('no key for the server')

  told = Dataset('own', 'point', (2,), 9, None, 9)
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(examples, 'load', load)
    later = examples.described(
      told, {'name': 'own.data', 'dir': 'x'}, has_splits=False
    )
    with pytest.raises(UserError, match='no key for the server.*--data.dir='):
      later.dataset.read(np.arange(3))
