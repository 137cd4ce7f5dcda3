"""Which values of a config are texts, whatever they look like.

A folder may be called 2024, 1e3 or None. What a data set takes is read from the
source of its `load`, as importing it may start JAX.
"""

import ast
import functools
import importlib.util
import pathlib

from gan_jax.components import modules

USUAL = ('name', 'dir', 'path', 'split')  # where the source is not found


def of_key(key: str, data_name) -> bool:
  """Whether the value at a key is a text.

  Args:
    key: dotted, such as 'data.dir' or 'model.name'.
    data_name: of the data set.
  """
  group, _, option = key.partition('.')
  if group == 'data' and option:
    return of_data(option, data_name)
  return bool(option) and option.rpartition('.')[2] == 'name'


def of_data(option: str, name) -> bool:
  """Whether a data set's option is a text."""
  kinds = _kinds(name) if isinstance(name, str) else {}
  return kinds.get(option, 'str' if option in USUAL else '') == 'str'


@functools.cache
def _kinds(name):
  """{option: annotation} of a data set's `load`; {} if it is not found."""
  try:
    tree = ast.parse(_file(name).read_bytes())
  except (OSError, SyntaxError, ValueError, ImportError, AttributeError):
    return {}
  for node in tree.body:
    if isinstance(node, ast.FunctionDef) and node.name == 'load':
      given = (*node.args.args, *node.args.kwonlyargs)
      return {a.arg: ast.unparse(a.annotation) for a in given if a.annotation}
  return {}


def _file(name):
  """Of the module of a data set; raises whatever where there is none."""
  if name in modules.available('datasets'):
    module = f'gan_jax.datasets.{name}'
  elif '.' in name and ':' not in name and '/' not in name:
    module = name
  else:
    module = 'gan_jax.datasets.tfds_images'
  return pathlib.Path(importlib.util.find_spec(module).origin)
