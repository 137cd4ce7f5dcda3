"""The options of components: plain values, and what functions take of them.

Floats are data, everything else is structure: the floating-point options of a
game (a learning rate, a gamma, a half-life) are arguments of its compiled
programs, so another value compiles nothing anew, in this process or in another
one. Whole numbers, names, True and False, and lists decide shapes and branches
and are part of a program.
"""

import functools
import inspect
import operator
import typing
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from gan_jax.components import modules
from gan_jax.types import UserError

# Arguments that a component gets from the step, not from the config.
GIVEN = ('key', 'axis_name')
WORDS = {
  int: 'a whole number',
  float: 'a number',
  bool: 'True or False',
  str: 'a name',
  dict: 'a group of options {...}',
  tuple: 'values with commas between them',
}
_ALSO = {float: int | float, tuple: tuple | list}


def is_of(value: Any, kind: type) -> bool:
  """isinstance, with whole numbers for numbers; but True is no number."""
  if isinstance(value, bool) and kind is not bool:
    return False
  if isinstance(value, jax.core.Tracer | np.floating):  # see split
    return kind is float
  return isinstance(value, _ALSO.get(kind, kind))


def check_kind(flag: str, value: Any, kind: Any):
  """Refuses a value that is not of a plain kind.

  Args:
    flag: how the config names it.
    value: any.
    kind: one of WORDS, or of what they hold, tuple[int, ...]; with any other
      annotation everything will do.

  Raises:
    UserError: it is something else.
  """
  kind = typing.get_origin(kind) or kind
  if kind in WORDS and not is_of(value, kind):
    raise UserError(f'{flag}={value!r}: expected {WORDS[kind]}.')


def whole_number(flag: str, value: Any, *, least: int, most: int) -> int:
  """A whole number, of whichever library, as an int.

  Args:
    flag: what it is, for error messages.
    value: any.
    least: the smallest that will do.
    most: the largest.

  Raises:
    UserError: it is something else.
  """
  try:
    number = None if isinstance(value, bool) else operator.index(value)
  except TypeError:
    number = None
  if number is None or not least <= number <= most:
    which = (
      f'a whole number from {least} to {most}' if least < most else f'{least}'
    )
    raise UserError(f'{flag}={value!r}: expected {which}.')
  return number


def taken_by(function: Callable) -> dict:
  """{name: parameter} of the options of a component's function."""
  return {
    p.name: p
    for p in inspect.signature(function).parameters.values()
    if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN
  }


def check_known(flag: str, given: dict, known):
  """Refuses an option that is not among the known ones.

  Raises:
    UserError: the message lists these.
  """
  for name in given:
    if name not in known:
      there = ', '.join(known) or 'no options'
      raise UserError(f'{flag}.{name}: unknown; {flag} takes {there}.')


def bind(flag: str, given: dict, **functions: Callable) -> dict[str, Callable]:
  """Binds to each function those of the given options that it takes.

  Args:
    flag: how the config names these options.
    given: from the config.
    **functions: of one component, by any name.

  Returns:
    functools.partials by these names.

  Raises:
    UserError: an option that none of them takes, or of another kind.
  """
  taken = {name: taken_by(function) for name, function in functions.items()}
  known = {k: p for own in taken.values() for k, p in own.items()}
  check_known(flag, given, known)
  for name, value in given.items():
    check_kind(f'{flag}.{name}', value, known[name].annotation)
  own = lambda name: {k: v for k, v in given.items() if k in taken[name]}
  return {
    name: functools.partial(function, **own(name))
    for name, function in functions.items()
  }


def call(flag: str, function: Callable, options: dict, /, **fixed) -> Any:
  """function(**options, **fixed); what is wrong with the options is told.

  Args:
    flag: how the config names these options.
    function: takes all of them by name.
    options: from the config.
    **fixed: not from the config.

  Raises:
    UserError: an unknown or a missing option, or a value that does not do.
  """
  if not isinstance(options, dict):
    raise UserError(f'{flag}={options!r}: expected a group of options.')
  signature = inspect.signature(function)
  parameters = signature.parameters.values()
  takes = [p.name for p in parameters if p.name not in fixed]
  if not any(p.kind is p.VAR_KEYWORD for p in parameters):
    for name in options:
      if name not in takes:
        there = ', '.join(takes)
        raise UserError(f'{flag}.{name}: unknown; {flag} takes {there}.')
  for p in parameters:
    if p.name in options:
      check_kind(f'{flag}.{p.name}', options[p.name], p.annotation)
  try:
    signature.bind(**options, **fixed)
  except TypeError as e:
    raise UserError(f'{flag}: {e}.') from e
  return _told(flag, function, **options, **fixed)


def trace(flag: str, function: Callable, *args) -> Any:
  """jax.eval_shape(function, *args); what goes wrong is told.

  Raises:
    UserError: a value in the config does not do.
  """
  return _told(flag, jax.eval_shape, function, *args)


def _told(flag, function, /, *args, **kwargs):
  try:
    return function(*args, **kwargs)
  except UserError:
    raise
  except Exception as e:
    raise UserError(f'{flag}: {modules.in_words(e)}{modules.place(e)}') from e


def attempt(flag: str, function: Callable, options: dict, *args) -> Any:
  """Traces a component; its floats too, as they will be in the program.

  Returns:
    the shapes of what it gives.

  Raises:
    UserError: whatever is wrong with it.
  """
  floats = {k: v for k, v in options.items() if isinstance(v, float)}
  run = lambda floats, *args: function(*args, **floats)
  return trace(flag, run, floats, *args)


def shape_of(value: Any, batch_size: int) -> str:
  """The shape of what a component gives, as error messages tell it: [B, 1]."""
  if not hasattr(value, 'shape'):
    return type(value).__name__
  sizes = ('B' if size == batch_size else str(size) for size in value.shape)
  return f'[{", ".join(sizes)}]'


# ------------------------------------------------------------------ floats


def with_floats(options: dict, *sources: Any) -> dict:
  """Options with all their floats: the defaults too, and no whole numbers.

  Args:
    options: of a component.
    *sources: functions, whose keyword-only arguments they are, or flax.linen
      modules, whose fields they are.

  Returns:
    the options, with a float for each one that is declared as such.
  """
  filled = dict(options)
  for name, (kind, default) in _declared(sources).items():
    value = filled.get(name, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
      filled[name] = float(value)
  return filled


def _declared(sources):
  """{name: (annotation, default)} of functions and modules."""
  declared = {}
  for source in sources:
    if inspect.isclass(source):
      for name, field in source.__dataclass_fields__.items():
        declared[name] = field.type, field.default
    else:
      for name, p in taken_by(source).items():
        declared[name] = p.annotation, p.default
  return declared


class Fixed(float):
  """A float that is a part of the program."""


def fixed(options: dict) -> dict:
  """Nested options whose floats stay with the structure."""
  keep = lambda v: Fixed(v) if isinstance(v, float) else v
  return {
    name: fixed(value) if isinstance(value, dict) else keep(value)
    for name, value in options.items()
  }


def split(options: dict) -> tuple[dict, dict]:
  """Takes the floats out of nested options.

  Returns:
    (structure, numbers): the options without their floats, and only these, as
    float32 [], in the same nested dicts.
  """
  structure, numbers = {}, {}
  for name, value in options.items():
    if isinstance(value, dict):
      structure[name], inner = split(value)
      if inner:
        numbers[name] = inner
    elif isinstance(value, float) and not isinstance(value, Fixed):
      numbers[name] = np.float32(value)
    else:
      structure[name] = value
  return structure, numbers


def merge(structure: dict, numbers: dict) -> dict:
  """The inverse of split; the numbers may be traced."""
  merged = dict(structure)
  for name, value in numbers.items():
    inner = isinstance(value, dict)
    merged[name] = merge(structure.get(name, {}), value) if inner else value
  return merged


def are_known(options: Any) -> bool:
  """Whether all numbers in options are at hand, not traced: to be checked."""
  leaves = jax.tree.leaves(options)
  return not any(isinstance(x, jax.core.Tracer) for x in leaves)
