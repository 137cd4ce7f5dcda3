"""What a run was made with is told wherever it runs."""

import pathlib
from importlib import metadata

import numpy as np
import pytest

from gan_jax.run.workdir import provenance


@pytest.fixture(autouse=True)
def afresh():
  """Without what this process knows already."""
  known = provenance._packages, provenance._git_revision
  for one in known:
    one.cache_clear()
  yield
  for one in known:
    one.cache_clear()


def test_a_clone_where_there_is_no_git(monkeypatch, tmp_path):
  """As in a container that mounts it."""
  monkeypatch.setenv('PATH', str(tmp_path))
  assert provenance.git_revision() == {}


def test_a_distribution_that_is_damaged_is_passed_over(monkeypatch, tmp_path):
  broken = tmp_path / 'numpy-1.0.dist-info'
  broken.mkdir()
  damaged = metadata.PathDistribution(broken)
  assert damaged.name is None
  there = [*metadata.distributions(), damaged]
  monkeypatch.setattr(metadata, 'distributions', lambda: there)
  assert provenance.packages()['numpy'] == np.__version__


def test_a_machine_that_does_not_tell_its_processor(monkeypatch):
  def fails(path):
    raise PermissionError(13, 'Permission denied', str(path))

  provenance._cpu.cache_clear()
  with monkeypatch.context() as patch:
    patch.setattr(pathlib.Path, 'read_text', fails)
    assert provenance.cpu()['instructions'] == ''
  provenance._cpu.cache_clear()
