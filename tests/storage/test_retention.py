"""Which checkpoints stay: the newest and the best."""

import os

import numpy as np
import pytest

from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import UserError
from tests.storage.test_checkpoints import flip, largest, save_all, small


def test_latest_and_best_stay(tmp_path):
  options = {'keep_last': 2, 'keep_best': 1, 'metric': 'fid'}
  save_all(tmp_path, {1: 50.0, 2: 20.0, 3: np.nan, 4: 30.0}, **options)
  assert Checkpoints(tmp_path, **options).steps() == [2, 3, 4]
  save_all(tmp_path, {5: np.nan, 6: None, 7: 25.0, 8: -np.inf}, **options)
  c = Checkpoints(tmp_path, **options)
  assert c.steps() == [2, 7, 8]
  assert (c.latest_step(), c.best_step()) == (8, 2)
  assert c.restore(small(1), which='best').step == 2
  assert c.restore(small(1), which=7).step == 7
  with pytest.raises(UserError, match='no checkpoint 6 .*there: 2, 7, 8'):
    c.restore(small(1), which=6)
  assert Checkpoints(tmp_path, metric='kid').best_step() is None


def test_the_highest_is_best_if_so_asked(tmp_path):
  save_all(tmp_path, {1: 0.9, 2: 0.1, 3: np.nan, 4: 0.5}, mode='max')
  c = Checkpoints(tmp_path, mode='max')
  assert c.steps() == [1, 3, 4] and c.best_step() == 1


def test_a_damaged_best_falls_back_to_the_next_best(tmp_path):
  save_all(tmp_path, {1: 3.0, 2: 1.0, 3: 2.0}, keep_last=3)
  flip(largest(tmp_path / '2' / 'state'), 0.9)
  said = []
  c = Checkpoints(tmp_path)
  assert c.restore(small(1), which='best', say=said.append).step == 3
  assert len(said) == 1 and '/2 ' in said[0]


def test_going_back_moves_the_old_future_aside(tmp_path, capsys):
  save_all(tmp_path, {1: None, 5: None, 9: None}, keep_last=3)
  with Checkpoints(tmp_path) as c:
    assert c.restore(small(1), which=1).step == 1
    assert c.save(2, small(2), {}, wait=True)
    assert c.steps() == [1, 2]
  assert sorted(os.listdir(tmp_path / 'superseded')) == ['5.0', '9.0']
  assert capsys.readouterr().out.count('superseded') == 2
