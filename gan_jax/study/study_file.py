"""Reads a study file.

A study is a Python file that imports nothing from the package; its get_study()
returns a plain dict, see KEYS.
"""

import importlib.util
import os
import pathlib

from gan_jax.run import examples
from gan_jax.run.config import library, recipe
from gan_jax.storage import paths
from gan_jax.types import UserError

# The keys of a study and their defaults.
KEYS = {
  'question': '',  # in words; the report's heading
  'base': None,  # 'configs/NAME.py': the recipe that all cells share
  'overrides': {},  # config key -> value, in every cell
  'factors': {},  # config key -> tuple of values, or dict of them by name
  'design': 'grid',  # see design.cells
  'num_seeds': 8,
  'metric': '',  # that is tested; '': the first one of the kind of data
  'also': (),  # metrics that are shown
  'baseline': None,  # {config key: value} or a cell's name; None: the first
}
# Their types, and what to call these in a message. Designs are checked apart.
TYPES = {
  'question': (str, 'a string'),
  'base': (str, "a config, like 'configs/ring8.py'"),
  'overrides': (dict, 'a dict of config keys'),
  'factors': (dict, 'a dict of config keys'),
  'num_seeds': (int, 'a whole number'),
  'metric': (str, 'the name of a metric'),
  'also': ((tuple, list), 'names of metrics'),
  'baseline': (
    (dict, str, type(None)),
    "a dict of config keys, or a cell's name",
  ),
}


def read(path) -> dict:
  """What get_study() of a file returns, with defaults, checked.

  Raises:
    UserError: no such file, an error in it, or a key of the wrong type.
  """
  if not os.path.isfile(path):
    studies = sorted(
      str(p) for p in pathlib.Path('experiments').glob('*/study.py')
    )
    here = ', '.join(studies) or 'none'
    raise UserError(f'--study={path}: no such file; here are {here}.')
  given = _get_study(path)
  if not isinstance(given, dict):
    raise UserError(
      f'--study={path}: get_study() returned {given!r}; expected a dict.'
    )
  for key in given:
    recipe.check_known(KEYS, key, flag=f'--study={path}: {key}')
  return _checked({**KEYS, **given})


def _get_study(path):
  try:
    spec = importlib.util.spec_from_file_location('gan_jax_study', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_study()
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the file does, including exit()
    raise UserError(f'--study={path}: {type(e).__name__}: {e}') from e


def base_of(base: str, path: pathlib.Path) -> str:
  """What a study's base means from any folder.

  Args:
    base: a name, or a file relative to the study's folder or one above it, or
      else to the current one; configs/NAME.py is the package's if there is no
      other.
    path: of the study file.

  Returns:
    it as recipe.load takes it.
  """
  name, colon, argument = base.partition(':')
  if os.sep in name or name.endswith('.py'):
    for folder in path.resolve().parents:
      file = folder / paths.expand(name)
      if file.is_file():
        return f'{file}{colon}{argument}'
    parent, stem = pathlib.PurePath(name).parent, pathlib.PurePath(name).stem
    shipped = str(parent) == library.PACKAGE and library.path_of(stem)
    if shipped and not os.path.isfile(name):
      return f'{stem}{colon}{argument}'
  return base


def with_places(config: dict, path: pathlib.Path) -> dict:
  """A study's config whose data are in the same place from any folder.

  Args:
    config: of a cell, its data beside the study file or relative to the current
      folder.
    path: of the study file.
  """
  options = config['data']
  own = {k: options[k] for k in examples.PLACES if options.get(k)}
  own = {k: v for k, v in own.items() if isinstance(v, str)}
  beside = {k: path.resolve().parent / paths.expand(v) for k, v in own.items()}
  there = {k: str(place) for k, place in beside.items() if place.exists()}
  return examples.with_places(config | {'data': {**options, **there}})


def _checked(given) -> dict:
  for key, (kind, what) in TYPES.items():
    if not isinstance(given[key], kind) or isinstance(given[key], bool):
      raise UserError(f'study: {key}={given[key]!r}: expected {what}.')
  for key in ('overrides', 'factors', 'baseline'):
    names = given[key] if isinstance(given[key], dict) else ()
    _check_names(f'{key}: the key', names)
  _check_names('also: the metric', given['also'])
  _check_num_seeds(given)
  return given


def _check_num_seeds(given):
  if given['num_seeds'] < 1:
    raise UserError(
      f'study: num_seeds={given["num_seeds"]}: expected at least 1.'
    )
  if given['num_seeds'] == 1 and given['baseline'] is not None:
    raise UserError(
      'study: num_seeds=1, but a difference from the baseline cannot be tested'
      ' with one seed; expected 2 or more, or no baseline.'
    )


def _check_names(what, names):
  for name in names:
    if not isinstance(name, str) or not name:
      raise UserError(f'study: {what} {name!r}: expected a name.')
