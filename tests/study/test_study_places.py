"""A study means the same from any folder."""

import numpy as np
import pytest

from gan_jax.run.config import library, recipe
from gan_jax.study import plan, study_file
from gan_jax.types import UserError
from tests.study import test_study_plan

write = test_study_plan.write


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
  (tmp_path / 'elsewhere').mkdir()
  monkeypatch.chdir(tmp_path / 'elsewhere')
  return tmp_path / 'elsewhere'


def touch(path):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text('def get_config(size=3):\n  return {"steps": int(size)}\n')
  return path


@pytest.mark.parametrize(
  'base, place',
  [
    ('mine.py', 'study/mine.py'),
    ('configs/mine.py:7', 'configs/mine.py'),
    ('../others/x.py', 'others/x.py'),
    ('./mine.py:7', 'study/mine.py'),
  ],
)
def test_a_base_is_looked_for_beside_the_study_and_above_it(
  base, place, tmp_path
):
  file = touch(tmp_path / place)
  found = study_file.base_of(base, tmp_path / 'study' / 'study.py')
  name, _, argument = found.partition(':')
  assert file.samefile(name)
  steps = recipe.load(found).steps
  assert steps == int(argument or 3)


def test_what_is_not_beside_it_is_where_it_was(tmp_path, elsewhere):
  path = tmp_path / 'study' / 'study.py'
  for base in ('ring8', 'digits:tiny', 'absent.py', str(tmp_path / 'a.py')):
    assert study_file.base_of(base, path) == base
  touch(elsewhere / 'here.py')
  assert study_file.base_of('here.py', path) == 'here.py'
  assert recipe.load(study_file.base_of('here.py', path)).steps == 3
  assert study_file.base_of('configs/ring8.py:tiny', path) == 'ring8:tiny'
  assert library.path_of('ring8')


def test_a_study_is_found_from_another_folder(tmp_path, elsewhere):
  x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
  told = {
    'factors': {'loss.name': ('lsgan', 'hinge')},
    'metric': 'precision',
    'overrides': {'data': {'name': 'npz', 'path': 'points.npz'}},
  }
  path = write(tmp_path / 'study', **told)
  with pytest.raises(UserError, match='data.path=points.npz: there is no such'):
    plan.load(path)
  np.savez(tmp_path / 'study' / 'points.npz', x=x)
  study = plan.load('../study/study.py')
  assert study.base == 'configs/ring8.py:tiny'  # as it was given
  for cell in study.cells:
    there = str(tmp_path / 'study' / 'points.npz')
    assert cell.config['data']['path'] == there
