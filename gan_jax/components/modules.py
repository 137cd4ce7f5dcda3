"""Modules and functions by the names that a config gives them."""

import difflib
import importlib
import importlib.util
import os
import pkgutil
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import jax

import gan_jax
from gan_jax.types import UserError

LOOKS_AT_A_FLOAT = (
  'it looks at the value of an array or an option in Python, but arrays and'
  ' floats are traced; use jnp.where, or make the option a whole number or a'
  ' name.'
)
WANTS_NUMPY = 'it gives a traced array to NumPy; use jax.numpy.'


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
    hints = (_hint(str(name), choices), choices)
    there = ''.join(f'; {hint}' for hint in hints if hint)
    line = f'{flag}={name!r}: there is no such module{there}.'
    raise UserError(line.replace('?;', '?').replace('?.', '?'))
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


def _hint(name, choices):
  """What somebody may have meant by a name that nothing has."""
  dotted = name.removesuffix('.py').replace(os.sep, '.').strip('.')
  parent = dotted.rpartition('.')[0]
  there = choices.partition(': ')[2].split(', ')
  there += [*_siblings(parent), *_siblings(parent.rpartition('.')[0])]
  if not parent and dotted and os.path.isfile(f'{dotted}.py'):
    return (
      f'{dotted}.py has to lie in a folder, say mine, and is named'
      f' mine.{dotted} then'
    )
  likely = near(dotted, filter(None, there), cutoff=0.7)
  return f'did you mean {likely[0]!r}?' if likely else ''


def near(
  name: str, names: Iterable[str], *, count: int = 1, cutoff: float = 0.6
) -> list[str]:
  """The names most like one, the nearest first; capitals make no difference.

  Args:
    name: that somebody has given.
    names: that there are; of those that differ only in capitals the first.
    count: of the names, at most.
    cutoff: how alike they are at least, see difflib.get_close_matches.
  """
  lower = {one.lower(): one for one in reversed(list(names))}
  alike = difflib.get_close_matches(name.lower(), lower, count, cutoff)
  return [lower[one] for one in alike]


def _siblings(package):
  """Dotted names of the modules of a package."""
  try:
    spec = importlib.util.find_spec(package) if package else None
    places = spec and spec.submodule_search_locations or ()
  except Exception:  # whatever a package does wrong, this is only a hint
    return []
  return [f'{package}.{m.name}' for m in pkgutil.iter_modules(places)]


# What says enough without its type.
_PLAIN = (ArithmeticError, AttributeError, TypeError, ValueError)


def in_words(error: Exception, *, typed: bool = False) -> str:
  """The first line of what went wrong in a component.

  Args:
    error: that it raised.
    typed: whether the line always names the error's type.
  """
  if isinstance(error, jax.errors.ConcretizationTypeError):
    return LOOKS_AT_A_FLOAT
  if isinstance(error, jax.errors.TracerArrayConversionError):
    return WANTS_NUMPY
  lines, name = str(error).strip().splitlines(), type(error).__name__
  if lines and isinstance(error, _PLAIN) and not typed:
    return lines[0]
  return f'{name}: {lines[0].strip()}' if lines else name


def _broken(flag, name, error):
  lines = str(error).strip().splitlines() or ['']
  return UserError(
    f'{flag}={name!r}: {type(error).__name__}: {lines[0]}{place(error)}.'
  )


def place(error: BaseException) -> str:
  """Where in somebody's own files an error arose, ' (FILE, line N)'; or ''."""
  if isinstance(error, SyntaxError):
    return ''  # its words say so
  for frame in reversed(traceback.extract_tb(error.__traceback__)):
    if not frame.filename.startswith(('<', *_OTHERS)):
      return f' ({frame.filename}, line {frame.lineno})'
  return ''


# Folders of Python, of its packages, and of this one.
_OTHERS = (
  os.path.join(os.path.dirname(gan_jax.__file__), ''),
  *(sysconfig.get_path(name) for name in ('stdlib', 'purelib', 'platlib')),
)
