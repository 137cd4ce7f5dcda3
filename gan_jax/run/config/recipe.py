"""A config file, and what the command line changes in it.

`--config=FILE.py[:argument]` calls FILE's get_config; `--config.A.B=VALUE` then
sets one value. A value keeps the type that the file gave it; below the top
level there may be new keys, for options that a file leaves at their defaults.
"""

import ast
import difflib
import importlib.util
import os
import pathlib

from ml_collections import ConfigDict

from gan_jax.types import UserError

# Keys of earlier versions, and what is to be used instead.
RENAMED = {'update': 'dynamics'}
_EXPECTED = {
  bool: 'True or False',
  int: 'a whole number',
  float: 'a number',
  str: 'a name',
  tuple: 'values with commas between them',
  ConfigDict: 'a group of options {...}',
}


def load(path: str, *, flag: str = '--config') -> ConfigDict:
  """What get_config of 'FILE.py' or of 'FILE.py:argument' returns.

  Args:
    path: of the file, and its argument.
    flag: what an error begins with.

  Raises:
    UserError: there is no such file, or it fails.
  """
  file, _, argument = path.partition(':')
  if not os.path.isfile(file):
    found = sorted(str(p) for p in pathlib.Path('configs').glob('[!_]*.py'))
    here = ', '.join(f for f in found if not f.endswith('common.py')) or 'none'
    raise UserError(f'{flag}={path}: no such file; here are {here}.')
  try:
    spec = importlib.util.spec_from_file_location('gan_jax_recipe', file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.get_config(*([argument] if argument else []))
    if not isinstance(config, dict | ConfigDict):
      raise TypeError(f'get_config gave {type(config).__name__}, no dict')
    config = group(config)
    config.to_dict()  # or keys that are no texts would be found out later
    return config
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the file does wrong, exit() too
    raise UserError(f'{flag}={path}: {type(e).__name__}: {e}') from e


def group(options: dict | ConfigDict = ()) -> ConfigDict:
  """A group of options; a component outside the package has a dotted name."""
  return ConfigDict(dict(options), allow_dotted_keys=True)


def take(argv: list[str]) -> tuple[str | None, list[tuple], list[str]]:
  """Takes out of the arguments what concerns the config.

  Returns:
    the path of the file, None if there is none; the overrides (dotted key,
    text); the other arguments.

  Raises:
    UserError: an override has no value.
  """
  path, overrides, rest = None, [], []
  words = iter(argv)
  for word in words:
    flag, equals, text = word.partition('=')
    name = flag.removeprefix('-').removeprefix('-')
    if name == flag or name.partition('.')[0] != 'config':
      rest.append(word)
      continue
    if not equals:
      text = next(words, None)
      if text is None or text.startswith('--'):
        raise UserError(f'{flag}: expected {flag}=VALUE.')
    if name == 'config':
      path = text
    else:
      overrides.append((name.removeprefix('config.'), text))
  return path, overrides, rest


def override(config: ConfigDict, key: str, value, *, flag: str = ''):
  """Sets the value at a dotted key, in place.

  Args:
    config: is changed.
    key: 'loss.name', say.
    value: the value, or the text of a flag that means it.
    flag: what an error begins with; the flag of the command line by default.

  Raises:
    UserError: an unknown key at the top level, or a value of another type.
  """
  flag, (*parents, last) = flag or f'--config.{key}={value}', key.split('.')
  check_known(config, key.split('.')[0], flag=flag)
  for parent in parents:
    if parent not in config:
      config[parent] = group()
    config = config[parent]
    if not isinstance(config, ConfigDict):
      raise UserError(f'{flag}: {parent} is no group of options.')
  value = _typed(flag, value, config.get(last))
  with config.ignore_type():
    config[last] = value


def check_known(known, key: str, *, flag: str):
  """Refuses a key that is not among the known ones.

  Raises:
    UserError: with the nearest key that there is, or with all.
  """
  if key in known:
    return
  if RENAMED.get(key) in known:
    raise UserError(f'{flag}: it is called {RENAMED[key]!r} now.')
  near = difflib.get_close_matches(str(key), list(known), n=1)
  hint = f'did you mean {near[0]!r}?' if near else f'keys: {", ".join(known)}.'
  raise UserError(f'{flag}: no such key; {hint}')


def _typed(flag, given, old):
  """What a value, or a text, means where there was another, or None."""
  value = given if isinstance(old, str) else literal(given)
  if old is None:
    return group(value) if isinstance(value, dict) else value
  if isinstance(old, tuple | list):
    return _sequence(flag, value, old)
  if isinstance(old, ConfigDict) and isinstance(value, dict):
    return group(value)
  if isinstance(old, bool) and value in ('true', 'false', 0, 1):
    return value in ('true', 1)
  if isinstance(old, float) and type(value) is int:
    return float(value)
  if type(value) is not type(old):
    raise _wrong_type(flag, old)
  return value


def _sequence(flag, value, old):
  """A tuple, also of a single value or of words with commas between them."""
  if isinstance(value, str):
    value = [word.strip() for word in value.split(',') if word.strip()]
  values = tuple(value) if isinstance(value, tuple | list) else (value,)
  if old and not all(type(v) is type(old[0]) for v in values):
    raise UserError(f'{flag}: expected values like {tuple(old)}.')
  return values


def _wrong_type(flag, old):
  expected = _EXPECTED.get(type(old), f'a {type(old).__name__}')
  if isinstance(old, ConfigDict):
    name = flag.partition('=')[0]
    return UserError(f'{flag}: expected {expected}, or {name}.NAME=VALUE.')
  return UserError(f'{flag}: expected {expected}, like {old!r}.')


def literal(given):
  """The Python value that a text means, or the text; other values stay."""
  if not isinstance(given, str):
    return given
  try:
    return ast.literal_eval(given)
  except (ValueError, SyntaxError):
    return given
