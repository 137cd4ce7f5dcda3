"""The recipes that come with the package, found from any folder.

They are the top-level folder configs/ of a clone, and gan_jax/configs in an
installed package. A recipe may import others, as they do: `from configs import
common`; this works for a copy of one, too, wherever it lies.
"""

import importlib.util
import pathlib
import sys
import types

import gan_jax

PACKAGE = 'configs'
COMMON = 'common'  # what all share; no recipe


def folder() -> pathlib.Path:
  """Where the recipes lie."""
  root = pathlib.Path(gan_jax.__file__).resolve().parent
  inside = root / PACKAGE
  return inside if inside.is_dir() else root.parent / PACKAGE


def names() -> list[str]:
  """Of all recipes."""
  files = folder().glob('[!_]*.py')
  return sorted(path.stem for path in files if path.stem != COMMON)


def path_of(name: str) -> pathlib.Path | None:
  """The file of a recipe by its name; None if there is none of that name."""
  return folder() / f'{name}.py' if name in names() else None


def make_importable(file: pathlib.Path):
  """Lets a recipe import others: those beside it first, then the package's.

  Args:
    file: of the recipe.
  """
  beside = file.resolve().parent
  own = [beside] if beside.name == PACKAGE else []
  paths = list(dict.fromkeys(map(str, [*own, folder(), *_elsewhere()])))
  before = sys.modules.get(PACKAGE)
  if before is not None and list(getattr(before, '__path__', ())) == paths:
    return
  # What was imported from other folders are other recipes.
  for name in [n for n in sys.modules if n.partition('.')[0] == PACKAGE]:
    del sys.modules[name]
  package = types.ModuleType(PACKAGE)
  package.__path__ = paths
  sys.modules[PACKAGE] = package


def _elsewhere():
  """Folders of a package of that name that Python finds by itself."""
  there = [pathlib.Path(p or '.') / PACKAGE for p in sys.path]
  return [p.resolve() for p in there if p.is_dir()]


def load(file: pathlib.Path):
  """The module of a recipe's file, run anew.

  Raises:
    whatever the file does wrong.
  """
  make_importable(file)
  spec = importlib.util.spec_from_file_location('gan_jax_recipe', file)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def defaults():
  """All keys of a recipe with their usual values, from configs/common.py."""
  return load(folder() / f'{COMMON}.py').default()
