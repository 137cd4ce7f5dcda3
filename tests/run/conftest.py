"""A room for hooks, where a test asks for one."""

import pytest

from gan_jax.run import setup as setup_lib
from tests.run import hooks_room


@pytest.fixture(scope='module')
def setup():
  return setup_lib.build(hooks_room.recipe())


@pytest.fixture
def room(setup, tmp_path, monkeypatch):
  return hooks_room.Room(setup, tmp_path, monkeypatch)
