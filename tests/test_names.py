"""The README's table of what there is to choose from."""

import re

import pytest

from experiments import tables
from experiments.zoo import names
from gan_jax import select
from tests.components.shipped import APART, SHIPPED


@pytest.fixture
def as_shipped(monkeypatch):
  """No file of one's own is among the components."""
  known = lambda room: sorted(SHIPPED.get(room, set()) | APART.get(room, set()))
  monkeypatch.setattr(names.select, 'available', known)


def test_the_readme_names_all_components(as_shipped):
  """Made by python -m experiments.zoo.names."""
  assert tables.shown(names.PAGE, 'names') == names.table()


@pytest.mark.parametrize('room', sorted(SHIPPED))
def test_the_table_has_every_component_once(room, as_shipped):
  short = {'losses': 'loss', 'models': 'model', 'datasets': 'data'}
  flag = f'`--config.{short.get(room, room)}.'
  (row,) = [line for line in names.table().splitlines() if flag in line]
  shown = re.findall(r'`(\w+)`', row)
  known = SHIPPED[room] | APART.get(room, set())
  assert sorted(set(shown) & known) == sorted(known - {'tfds_images'})
  assert len(set(shown)) == len(shown)


@pytest.mark.parametrize('name', sorted(SHIPPED['models'] | APART['models']))
def test_a_model_says_of_which_kinds_its_samples_are(name):
  file = select.module('models', name, flag='')
  assert set(file.KINDS) <= set(names.WORDS) == set(select.available('kinds'))
