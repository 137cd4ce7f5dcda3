"""Modules and functions by the names that a config gives them."""

import importlib
import importlib.util
import pkgutil
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from gan_jax.types import UserError


def available(kind: str) -> list[str]:
  """Names of the components of a kind ('losses', 'models', ...)."""
  package = importlib.import_module(f'gan_jax.{kind}')
  modules = pkgutil.iter_modules(package.__path__)
  return sorted(m.name for m in modules if not m.ispkg)


def is_outside(name: Any) -> bool:
  """Whether a name is the dotted one of something outside a room."""
  return isinstance(name, str) and '.' in name and not {':', '/'} & set(name)


def named(
  path: str,
  *,
  flag: str,
  name: str | None = None,
  needs: Iterable[str] = (),
  choices: str = '',
) -> Any:
  """The module of a dotted name.

  Args:
    path: its dotted name.
    flag: how the config names it, for error messages.
    name: as the config has it; the path by default.
    needs: what it has to define.
    choices: what there is in its place, for the error message.

  Raises:
    UserError: there is no such module, it fails, or it lacks something.
  """
  name = path if name is None else name
  if not name or not _exists(path, flag, name):
    there = f'; {choices}' if choices else ''
    raise UserError(f'{flag}={name!r}: there is no such module{there}.')
  try:
    file = importlib.import_module(path)
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the module does wrong, exit() too
    raise _broken(flag, name, e) from e
  for needed in needs:
    if not hasattr(file, needed):
      raise UserError(f'{flag}={name!r}: the module has no {needed}.')
  return file


def _exists(path, flag, name):
  return _spec(path, flag, name) is not None


def _spec(path, flag, name):
  try:
    return importlib.util.find_spec(path)
  except (ImportError, ValueError):
    return None
  except Exception as e:  # whatever a package does wrong
    raise _broken(flag, name, e) from e


def function(path: str, *, flag: str, usual: str) -> Callable:
  """The function of a dotted name.

  Args:
    path: 'package.module.function', or a module whose function `usual` it is.
    flag: how the config names it, for error messages.
    usual: name of a module's function.

  Raises:
    UserError: there is no such function.
  """
  parent, _, last = path.rpartition('.')
  if _exists(path, flag, path):
    return getattr(named(path, flag=flag, needs=[usual]), usual)
  function = getattr(named(parent, flag=flag, name=path), last, None)
  if not callable(function):
    raise UserError(f'{flag}={path!r}: {parent} has no function {last}.')
  return function


def prefix(parts: list[str], *, flag: str) -> int:
  """How many of the first parts of a dotted key are the name of a module.

  Only packages are imported, so that a module does nothing before its time.

  Args:
    parts: of a key, say 'my.module.weight'.
    flag: for error messages.

  Returns:
    the most that are a module's name; 0 if there is none.
  """
  most = 0
  for count in range(1, len(parts) + 1):
    path = '.'.join(parts[:count])
    spec = _spec(path, flag, path) if parts[count - 1] else None
    if spec is None:
      break
    most = count if spec.origin else most  # a bare folder is no module
    if spec.submodule_search_locations is None:
      break
  return most


def _broken(flag, name, error):
  at = traceback.extract_tb(error.__traceback__)[-1]
  return UserError(
    f'{flag}={name!r}: {type(error).__name__}: {error}'
    f' ({at.filename}, line {at.lineno}).'
  )
