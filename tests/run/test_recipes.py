"""Recipes are found by name from any folder; what a file lacks is as usual."""

import configparser
import pathlib
import shutil

import pytest

from gan_jax import train
from gan_jax.run.config import keys, library, recipe
from gan_jax.types import UserError
from tests.bad_input import ROOT, refused

SHIPPED = sorted(
  p.stem for p in (ROOT / 'configs').glob('[!_]*.py') if p.stem != 'common'
)
# A file of one's own, and what it changes of the recipe that it starts from.
OWN = {
  'by another recipe': (
    "from configs import digits\ndef get_config(arg=''):\n"
    "  config = digits.get_config('tiny')\n  config.steps = 3\n"
    '  return config\n',
    {'steps': 3, 'batch_size': 8},
  ),
  'by what all share': (
    'from configs import common\ndef get_config():\n'
    '  config = common.default()\n'
    "  config.update({'data': {'name': 'ring8'}, 'model': {'name': 'mlp'}})\n"
    '  return common.shrink(config)\n',
    {'steps': 8, 'eval_samples': 64},
  ),
  'by hand': (
    "def get_config():\n  return {'data': {'name': 'digits'},"
    " 'model': {'name': 'dcgan'}, 'latent': {'dim': 7},"
    " 'optim': {'g': {'learning_rate': 0.1}}}\n",
    {
      'latent': {'name': 'normal', 'dim': 7},
      'optim.g.b1': 0.5,
      'optim.g.learning_rate': 0.1,
      'optim.d.learning_rate': 2e-4,
      'steps': 10_000,
    },
  ),
  'by hand, with names': (
    "def get_config():\n  return {'data': {'name': 'ring8'},"
    " 'model': {'name': 'mlp'}, 'latent': {'name': 'uniform'},"
    " 'optim': {'d': {'name': 'sgd', 'learning_rate': 0.1}}}\n",
    {
      'latent': {'name': 'uniform'},
      'optim.d': {'name': 'sgd', 'learning_rate': 0.1},
      'optim.g.name': 'adam',
    },
  ),
}


def at(config, key):
  for part in key.split('.'):
    config = config[part]
  return config.to_dict() if hasattr(config, 'to_dict') else config


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
  """In an empty folder, as a user of the installed package is."""
  monkeypatch.chdir(tmp_path)
  return tmp_path


@pytest.mark.parametrize('name', SHIPPED)
def test_a_name_means_the_recipe_of_the_package(name):
  by_path = recipe.load(f'{ROOT}/configs/{name}.py:tiny')
  assert recipe.load(f'{name}:tiny') == by_path
  assert set(recipe.load(name)) == set(keys.TABLE)


@pytest.mark.parametrize('name', SHIPPED)
def test_a_copy_is_the_same_recipe(name, here):
  shutil.copy(ROOT / 'configs' / f'{name}.py', here / 'mine.py')
  assert recipe.load('mine.py:tiny') == recipe.load(f'{name}:tiny')


@pytest.mark.parametrize('name', OWN)
def test_a_file_of_ones_own_lacks_nothing(name, here):
  text, changed = OWN[name]
  (here / 'mine.py').write_text(text)
  config = recipe.load('mine.py')
  assert set(config) == set(keys.TABLE)
  assert {key: at(config, key) for key in changed} == changed


def test_recipes_beside_a_recipe_come_first(here):
  """A copied folder that was edited; what it lacks is the package's."""
  folder = here / 'configs'
  shutil.copytree(ROOT / 'configs', folder)
  common = (folder / 'common.py').read_text()
  (folder / 'common.py').write_text(
    common.replace("'steps': 8,", "'steps': 5,")
  )
  (folder / 'ring8.py').unlink()
  (folder / 'mine.py').write_text(
    'from configs import common, ring8\ndef get_config():\n'
    "  return common.shrink(ring8.get_config('tiny'))\n"
  )
  assert recipe.load('configs/mine.py').steps == 5
  assert recipe.load('digits:tiny').steps == 8


def test_a_file_without_data_is_refused(here, capfd):
  (here / 'mine.py').write_text('def get_config():\n  return {"steps": 3}\n')
  argv = ['--config=mine.py', '--workdir=run']
  refused(capfd, train.main, argv, 'lacks data, model', root=here)


def test_an_unknown_recipe_is_refused_with_those_that_there_are():
  with pytest.raises(
    UserError, match='recipes: biggan, biggan_deep, bilinear, dcgan, digits'
  ):
    recipe.load('dogits')
  with pytest.raises(UserError, match='no such file or recipe'):
    recipe.load('configs/digits.py')  # there is no such folder here
  assert library.names() == SHIPPED


def test_the_package_holds_every_room_and_the_recipes():
  """What is installed: the list in setup.cfg lacks no folder."""
  parser = configparser.ConfigParser()
  parser.read(ROOT / 'setup.cfg')
  listed = parser['options']['packages'].split()
  rooms = [p.parent for p in (ROOT / 'gan_jax').rglob('__init__.py')]
  names = ['.'.join(room.relative_to(ROOT).parts) for room in rooms]
  assert sorted(listed) == sorted([*names, 'gan_jax.configs'])
  assert 'gan_jax.configs = configs' in parser['options']['package_dir']
  assert pathlib.Path(ROOT / 'gan_jax' / 'py.typed').exists()
