"""Functions of optax by their names, or one's own by dotted ones."""

import inspect
from collections.abc import Callable

import optax

from gan_jax.components import modules, options
from gan_jax.types import UserError


def factory(name: str, *, flag: str = 'optim') -> Callable:
  """The function that makes an optimizer or a schedule.

  Args:
    name: of a function of optax or optax.contrib, or the dotted name of one, or
      of a module with a function `make`.
    flag: how the config names it, for error messages.

  Raises:
    UserError: there is no such function.
  """
  options.check_kind(flag, name, str)
  if '.' in name:
    return modules.function(name, flag=flag, usual='make')
  function = getattr(optax, name, None) or getattr(optax.contrib, name, None)
  if not callable(function):
    near = modules.near(name, [*dir(optax), *dir(optax.contrib)])
    hint = f'; did you mean {near[0]!r}?' if near else '.'
    raise UserError(
      f'{flag}={name!r}: neither optax nor optax.contrib has such a'
      f' function{hint}'
    )
  return function


def takes(name: str, *, flag: str = 'optim') -> list[str]:
  """Names of the arguments of what `factory` finds."""
  return list(inspect.signature(factory(name, flag=flag)).parameters)


def call(flag, function, kwargs):
  """Calls an optax factory; an error names unknown or missing arguments."""
  try:
    inspect.signature(function).bind(**kwargs)
    return function(**kwargs)
  except (TypeError, ValueError) as e:
    known = ', '.join(inspect.signature(function).parameters)
    name = getattr(function, '__name__', 'it')
    raise UserError(f'{flag}: {e}; {name} takes {known}.') from e
