"""Runs that may be read, not written; folders that may not be entered."""

import os
import shutil

import pytest

from gan_jax import evaluate, train
from gan_jax.run import command, evaluation, neighbours
from gan_jax.storage import files
from tests.bad_input import finished_run
from tests.run.test_commands import RING, contents


@pytest.fixture
def run(tmp_path):
  shutil.copytree(finished_run(), tmp_path / 'run')
  return tmp_path / 'run'


def closed(monkeypatch, folder):
  """Lets nobody write there, root neither."""
  of = os.access

  def access(path, mode, **kwargs):
    mine = str(path).startswith(str(folder)) and mode & os.W_OK
    return not mine and of(path, mode, **kwargs)

  monkeypatch.setattr(os, 'access', access)


def test_a_run_that_is_read_only_is_scored(run, monkeypatch, capsys):
  closed(monkeypatch, run)
  before = contents(run)
  evaluate.main(['', f'--workdir={run}', '--num=40', '--metrics=modes'])
  said = capsys.readouterr()
  assert said.out.startswith('modes ')
  assert f'{run} is not writable' in said.err + said.out
  assert contents(run) == before


def test_scores_that_cannot_be_kept_are_told(run, monkeypatch, capsys):
  def fails(*args, **kwargs):
    raise OSError(28, 'No space left on device', str(run / 'scores.json'))

  monkeypatch.setattr(evaluation, 'append', fails)
  argv = ['', f'--workdir={run}', '--num=40', '--metrics=modes']
  with pytest.raises(SystemExit, match='scores.json: No space left'):
    command.run(evaluate.main, argv)
  said = capsys.readouterr()
  assert 'modes ' in said.out + said.err


@pytest.mark.parametrize('error', [MemoryError('no'), ValueError('of a chart')])
def test_a_picture_costs_no_scores(error, run, monkeypatch, capsys):
  def fails(*args, **kwargs):
    raise error

  monkeypatch.setattr(neighbours, 'save', fails)
  before = files.read_json(run / 'scores.json', list)
  evaluate.main(['', f'--workdir={run}', '--num=40', '--metrics=modes'])
  said = capsys.readouterr()
  assert 'no picture of neighbours' in said.out + said.err
  assert len(files.read_json(run / 'scores.json', list)) > len(before)


def test_a_folder_that_may_not_be_entered_is_a_line(tmp_path, monkeypatch):
  of, locked = os.stat, str(tmp_path / 'locked')

  def stat(path, *args, **kwargs):
    if isinstance(path, os.PathLike) and str(path).startswith(f'{locked}/'):
      raise PermissionError(13, 'Permission denied', str(path))
    return of(path, *args, **kwargs)

  monkeypatch.setattr(os, 'stat', stat)
  with pytest.raises(SystemExit, match='^error: .*locked.*: Permission denied'):
    command.run(train.main, ['', RING, f'--workdir={locked}/run'])
