"""Config files and their overrides on the command line.

`--config=NAME[:argument]` calls the get_config of a recipe that comes with the
package, or of a file of one's own; `--config.A.B=VALUE` then sets one value. A
value keeps the type that the file gave it. Below the top level, overrides may
add keys, for options that the file leaves at their defaults.
"""

import ast
import difflib
import os

from ml_collections import ConfigDict

from gan_jax.components import modules
from gan_jax.run.config import library, plain, texts, varying
from gan_jax.storage import paths
from gan_jax.types import D, G, UserError

# Keys of earlier versions, and their replacements.
RENAMED = {'update': 'dynamics'}
_EXPECTED = {
  bool: 'True or False',
  int: 'a whole number',
  float: 'a number',
  str: 'a name',
  tuple: 'comma-separated values',
  ConfigDict: 'a group of options {...}',
}


def load(path: str | os.PathLike, *, flag: str = '--config') -> ConfigDict:
  """A recipe with all its keys.

  Args:
    path: the name of a recipe that comes with the package, or of a file with a
      get_config of one's own; either with an argument, as in 'digits:tiny'.
    flag: what error messages start with.

  Returns:
    what get_config returns; keys that it lacks have their usual values, see
    complete.

  Raises:
    UserError: there is no such recipe, or it fails.
  """
  if not isinstance(path, str | os.PathLike):
    raise UserError(f'{flag}={path!r}: expected a name or a path.')
  name, _, argument = os.fspath(path).partition(':')
  file = _find(name)
  if file is None:
    raise UserError(
      f'{flag}={path}: no such file or recipe; recipes:'
      f' {", ".join(library.names())}.'
    )
  try:
    module = library.load(file)
    config = module.get_config(*([argument] if argument else []))
    if not isinstance(config, dict | ConfigDict):
      raise TypeError(
        f'get_config returned {type(config).__name__}, not a dict'
      )
    config = group(config)
    config.to_dict()  # fails now, not later, if a key is not a string
    return complete(config)
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the file does wrong, even exit()
    raise UserError(f'{flag}={path}: {type(e).__name__}: {e}') from e


def _find(name):
  """The file of a recipe; None if there is none."""
  file = paths.expand(name)
  if os.path.isfile(file) and (os.sep in name or name.endswith('.py')):
    return file
  return library.path_of(name)


def complete(config: dict | ConfigDict) -> ConfigDict:
  """A config with the usual values of the keys that it lacks.

  A group of options is taken as it is given, except that one which should have
  a name and has none (`optim.g`, `latent`) lacks the usual one's options.

  Args:
    config: some of the keys of configs/common.py, and others; numbers of NumPy
      and JAX become Python's.

  Raises:
    UserError: it is no group of options.
  """
  if not plain.is_group(config):
    raise UserError(
      f'config={config!r}: expected a group of options {{...}}, as'
      " gan_jax.recipes.load('digits') gives one."
    )
  made = _filled(group(plain.numbers(config)), group(library.defaults()))
  if plain.is_group(made.get('model')):
    made.model = group({player: {} for player in (G, D)} | dict(made.model))
  optim = made.get('optim')
  for own in optim.values() if plain.is_group(optim) else ():
    if plain.is_group(own) and 'schedule' in own:
      with own.ignore_type():
        own['schedule'] = plain.textual(own['schedule'])
  return made


def _filled(given, usual):
  """A group with the values of another one for the keys that it lacks."""
  made = group(given)
  for key, value in usual.items():
    if key not in made:
      made[key] = value
    elif (
      plain.is_group(value)
      and plain.is_group(made[key])
      and 'name' not in made[key]
    ):
      made[key] = _filled(made[key], value)
  return made


def group(options: dict | ConfigDict = ()) -> ConfigDict:
  """A group of options."""
  # A component outside the package has a dotted name, and may be a key.
  return ConfigDict(dict(options), allow_dotted_keys=True)


def take(
  argv: list[str], group: str = 'config'
) -> tuple[str | None, list[tuple], list[str]]:
  """Separates the arguments of a group from the others.

  Args:
    argv: of a command.
    group: takes --GROUP=VALUE and --GROUP.KEY=VALUE.

  Returns:
    The value of the group itself or None (of `config` the path of its file);
    the keys with their values [(dotted key, text)]; the other arguments.

  Raises:
    UserError: an override has no value.
  """
  own, keys, rest = None, [], []
  words = iter(argv)
  for word in words:
    flag, equals, text = word.partition('=')
    name = flag.removeprefix('-').removeprefix('-')
    if name == flag or name.partition('.')[0] != group:
      rest.append(word)
      continue
    if not equals:
      text = next(words, None)
      if text is None or text.startswith('--'):
        raise UserError(f'{flag}: expected {flag}=VALUE.')
    if name == group:
      own = text
    else:
      keys.append((name.removeprefix(f'{group}.'), text))
  return own, keys, rest


def override(config: ConfigDict, key: str, value, *, flag: str = ''):
  """Sets the value at a dotted key, in place.

  Args:
    config: is modified.
    key: such as 'loss.name'.
    value: the value, or a flag's text for it.
    flag: what error messages start with; the command line's flag by default.

  Raises:
    UserError: an unknown key at the top level, or a value of another type.
  """
  value = plain.numbers(value)
  flag, top = flag or f'--config.{key}={value}', key.split('.')[0]
  check_known(config, top, flag=flag)
  *parents, last = _parts(config, key)
  name = (config.get('data') or {}).get('name')
  as_it_is = isinstance(value, str) and texts.of_key(key, name)
  for parent in parents:
    if parent not in config:
      config[parent] = group()
    config = config[parent]
    if not isinstance(config, ConfigDict):
      raise UserError(f'{flag}: {parent} is not a group of options.')
  old = value if as_it_is else config.get(last)
  if varying.is_swap(key, literal(value), old):
    value = literal(value)
    value = group(value) if isinstance(value, dict) else float(value)
  else:
    value = _typed(flag, value, old)
  if top == 'optim':
    value = plain.textual(value)
    value = group(value) if isinstance(value, dict) else value
  with config.ignore_type():
    config[last] = value


def _parts(config, key):
  """A dotted key in parts; the dotted name of a penalty is one of them."""
  top, *rest = key.split('.')
  if top != 'penalties' or len(rest) < 2:
    return [top, *rest]
  there = config.get(top) or ()
  known = [k for k in there if f'{".".join(rest)}.'.startswith(f'{k}.')]
  if known:
    count = max(len(k.split('.')) for k in known)
  elif rest[0] in modules.available(top):
    count = 1
  else:  # where nothing is found, the last part is taken for an option
    parts = modules.prefix(rest, flag=top)
    count = parts if parts > 1 else len(rest) - 1
  return [top, '.'.join(rest[:count]), *rest[count:]]


def check_known(known, key: str, *, flag: str):
  """Refuses an unknown key.

  Raises:
    UserError: naming the most similar known key, or all of them.
  """
  if key in known:
    return
  if RENAMED.get(key) in known:
    raise UserError(f'{flag}: renamed to {RENAMED[key]!r}.')
  near = difflib.get_close_matches(str(key), list(known), n=1)
  hint = f'did you mean {near[0]!r}?' if near else f'keys: {", ".join(known)}.'
  raise UserError(f'{flag}: no such key; {hint}')


def _typed(flag, given, old):
  """A value, or the meaning of a text, as the type of the old value."""
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
  """A tuple; also from a single value or from comma-separated words."""
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
  """The Python value of a text, or else the text; other values as they are."""
  if not isinstance(given, str):
    return given
  try:
    return ast.literal_eval(given)
  except (ValueError, SyntaxError):
    return given
