"""One rule for all paths, and names that look like something else."""

import getpass
import os
import pathlib

import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.metrics.features import store
from gan_jax.run import command, sources
from gan_jax.run.config import recipe, texts
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.storage import paths
from gan_jax.types import UserError
from tests import tiny_data
from tests.run import test_known_sources
from tests.run.test_commands import complaint

begin = test_known_sources.begin
ODD = ('2024', '1e3', 'None', 'True', '(a)', '[x]', "{'a': 1}", '0x10', '1_0')


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv('HOME', str(tmp_path / 'home'))
  (tmp_path / 'home').mkdir()
  return tmp_path


def parsed(*flags):
  argv = ['', '--config=ring8:tiny', '--workdir=x', *flags]
  return command.parse(argv, help_lines=list, config=None, workdir=None)


def test_home_is_home_everywhere(here, monkeypatch):
  home = here / 'home'
  assert paths.expand('~/a') == home / 'a'
  assert paths.expand(pathlib.Path('~')) == home
  assert paths.expand(f'~{getpass.getuser()}/a').is_absolute()
  assert paths.expand('./~/a') == pathlib.Path('~/a')
  assert paths.expand('a~/b') == pathlib.Path('a~/b')
  for given in ('~/a/', '~/a b', 'a/', '', '~'):  # DIR/ means a folder
    meant = given.replace('~', str(home))
    assert paths.text(given) == meant
  with pytest.raises(UserError, match='no such user'):
    paths.expand('~nobody-at-all/a')
  monkeypatch.setenv('GAN_JAX_CACHE', '~/cache')
  assert store.cache_dir() == home / 'cache'


def test_flags_with_a_home(here, capfd):
  home = here / 'home'
  flags = command.parse(
    ['', '--out=~/a', '--study=~/b', '--data=~/c', '--samples=d', '--num=~'],
    help_lines=list, out='', study='', data={}, samples={}, num='',
  )  # fmt: skip
  assert (flags.out, flags.study) == (f'{home}/a', f'{home}/b')
  assert flags.data == {'': f'{home}/c'} and flags.samples == {'': 'd'}
  assert flags.num == '~'
  for main, argv in (
    (sample.main, ('--workdir=~/run', '--out=~/x.png')),
    (evaluate.main, ('--workdir=~/run',)),
  ):
    assert f'--workdir={home}/run' in complaint(capfd, main, *argv)
  (home / 'mine.py').write_text('def get_config(): return {"steps": 3}\n')
  assert recipe.load('~/mine.py').steps == 3
  assert not (here / '~').exists()


@pytest.mark.parametrize('name', ODD)
def test_a_name_that_looks_like_a_value_is_a_name(name):
  config = parsed(
    f'--config.data.dir={name}', '--config.data.name=folder',
    f'--config.data.split={name}', f'--config.model.name={name}',
    f'--config.augment.name={name}',
  ).config  # fmt: skip
  assert config.data.dir == config.data.split == name
  assert config.model.name == config.augment.name == name
  flags = command.parse(
    ['', f'--data.dir={name}', f'--samples={name}', '--data.image_size=8'],
    help_lines=list, data={}, samples={},
  )  # fmt: skip
  assert flags.data == {'dir': name, 'image_size': 8}
  assert flags.samples == {'': name}


OWN = """
raise RuntimeError('imported')
def load(*, dir: str = '', root: str = '', path: int = 0, rate: float = 1.0):
  pass
"""


def test_what_a_data_set_of_ones_own_takes_for_text(here, monkeypatch):
  (here / 'own_pack').mkdir()
  (here / 'own_pack' / 'texts.py').write_text(OWN)
  monkeypatch.syspath_prepend(here)
  name = 'own_pack.texts'  # is read, not imported
  found = {k for k in ('dir', 'root', 'path', 'rate') if texts.of_data(k, name)}
  assert found == {'dir', 'root'}
  assert texts.of_data('dir', 'no.such.data') and texts.of_data('dir', 3)
  assert texts.of_data('path', 'npz') and not texts.of_data('size', 'ring8')
  assert texts.of_data('split', 'cifar10')


def test_a_relative_path_is_stored_absolute(here, begin, monkeypatch):
  (here / 'data').mkdir()
  x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
  np.savez(here / 'data' / '1e3.npz', x=x)
  flags = (
    '--config=ring8:tiny', '--config.data.name=npz', '--config.steps=2',
    '--config.metrics=precision',
  )  # fmt: skip
  begin([*flags, '--config.data.path=data/1e3.npz', '--workdir=~/run'])
  run = here / 'home' / 'run'
  told = contents_lib.read_config(run / 'config.json')
  assert told['data']['path'] == str(here / 'data' / '1e3.npz')
  monkeypatch.chdir(here / 'data')
  begin([*flags, '--config.data.path=1e3.npz', '--workdir=../home/run'])
  os.symlink(here / 'data', here / 'link')
  begin([*flags, '--config.data.path=~/../link/1e3.npz', '--workdir=~/run'])
  assert not (here / 'data' / '~').exists()


@pytest.mark.parametrize('text', ['gs://bucket/x', 'org/name', '', 'absent'])
def test_what_is_no_file_here_stays_as_it_is(text):
  assert paths.absolute(text) == text


@pytest.mark.parametrize('name', ['digits', 'ring8', 'mnist'])
def test_a_data_set_wins_over_a_folder_of_its_name(name, here, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(here / 'tfds'))
  (here / 'tfds' / 'mnist').mkdir(parents=True)
  tiny_data.write_folder(here / name, tiny_data.images(3))
  assert not sources.is_path(name)
  for path in (f'./{name}', f'{name}/', str(here / name), f'../{here.name}'):
    assert sources.is_path(path)
  assert sources.open_samples(name).size == 3  # samples are always files


@pytest.mark.parametrize('name', ['cats', 'folder', 'mnist'])
def test_other_folders_are_folders(name, here, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(here / 'tfds'))
  (here / name).mkdir()
  assert sources.is_path(name)


def test_the_data_set_that_is_taken_is_named(here, capfd):
  tiny_data.write_folder(here / 'digits', tiny_data.images(3))
  assert sources.open_data('digits').size == 1797
  assert '--data=./digits' in capfd.readouterr().err


def test_a_workdir_that_is_a_number(here, begin):
  begin(['--config=ring8:tiny', '--workdir=2024'])
  assert (here / '2024' / 'config.json').exists()
