"""What the tests of studies share: a small finished study."""

import shutil

import pytest

from gan_jax import ablate
from gan_jax.run import training
from tests import shared
from tests.study.small import ONE
from tests.study.test_study_plan import ROOT, write


@pytest.fixture
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)


@pytest.fixture(scope='session')
def finished():
  """(study file, workdir) of a finished study; not to be changed."""

  def make(root):
    root.mkdir()
    study = write(root / 'mine', **ONE, base=f'{ROOT}/configs/ring8.py:tiny')
    ablate.ablate(study, root / 'runs' / 'mine')

  root = shared.folder('study', make)
  return root / 'mine' / 'study.py', root / 'runs' / 'mine'


@pytest.fixture
def copied(finished, tmp_path):
  """The same in a place of its own."""
  root = tmp_path / 'copy'
  shutil.copytree(finished[0].parents[1], root)
  return root / 'mine' / 'study.py', root / 'runs' / 'mine'


@pytest.fixture
def trained(monkeypatch):
  """Which runs are trained: (folder, seed, num_seeds, metrics) of each."""
  calls, real = [], training.train

  def spy(config, folder, **options):
    told = config['seed'], config['num_seeds'], config['metrics']
    calls.append((folder.name.rpartition('-')[0], *told))
    return real(config, folder, **options)

  monkeypatch.setattr(training, 'train', spy)
  return calls
