"""Every component conforms: those in their folders, and those of the manual.

A new file in one of these folders is found and checked here, and needs nothing
else.
"""

import importlib
import pathlib
import re
import sys

import pytest

from gan_jax.components import modules
from tests.components import conformance
from tests.components.shipped import SHIPPED, is_new

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ('README.md', 'docs/components.md')
BLOCK = re.compile(
  r'^```python\n# (\w+)/(\w+)/(\w+)\.py\n(.*?)^```', re.M | re.S
)


MARKS = {
  'METRIC': 'metrics',
  'def make_prior(': 'latents',
  'def make(': 'optimizers',
  'def load(shape)': 'features',
}


def examples():
  """(page, room, name, source) of the components that the manual shows."""
  for page in PAGES:
    for top, room, name, source in BLOCK.findall((ROOT / page).read_text()):
      if name != 'study':
        yield page, room if top == 'gan_jax' else kind_of(source), name, source


def kind_of(source):
  """Of an example outside the package, by what it defines."""
  (kind,) = [kind for mark, kind in MARKS.items() if f'\n{mark}' in source]
  return kind


SHOWN = list(examples())
NEEDS_FILES = {
  'folder', 'mnist_rows', 'npz', 'sounds', 'spoken_digit', 'stacked_mnist',
  'stocks', 'table', 'text_files', 'tfds_images', 'tiny_shakespeare',
}  # fmt: skip
# What ships has tests of its own beside these.
FOUND = [
  pytest.param(
    room, name, marks=[] if is_new(f'{room}/{name}') else pytest.mark.slow
  )
  for room in SHIPPED
  for name in modules.available(room)
  if name not in NEEDS_FILES
]


@pytest.fixture(scope='module')
def shown(tmp_path_factory):
  """Makes the manual's examples modules."""
  folder = tmp_path_factory.mktemp('shown')
  for page, _, name, source in SHOWN:
    package = folder / f'of_{pathlib.Path(page).stem.lower()}'
    package.mkdir(exist_ok=True)
    (package / f'{name}.py').write_text(source)
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(folder)
    yield
    for name in [m for m in sys.modules if m.startswith('of_')]:
      del sys.modules[name]


@pytest.mark.parametrize(
  'page, room, name', [case[:3] for case in SHOWN], ids=lambda x: str(x)
)
def test_the_examples_of_the_manual_conform(page, room, name, shown):
  path = f'of_{pathlib.Path(page).stem.lower()}.{name}'
  conformance.CHECKS[room](importlib.import_module(path), path)


@pytest.mark.parametrize('room, name', FOUND)
def test_what_is_in_the_folders_conforms(room, name):
  module = importlib.import_module(f'gan_jax.{room}.{name}')
  conformance.CHECKS[room](module, name)


def test_the_manual_shows_one_of_every_kind():
  assert {room for _, room, _, _ in SHOWN} == set(conformance.CHECKS)
