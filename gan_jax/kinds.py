"""Plain values of a config, and whether they are of the kind they should be."""

from typing import Any

from gan_jax.types import UserError

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
  return isinstance(value, _ALSO.get(kind, kind))


def check(flag: str, value: Any, kind: Any):
  """Refuses a value that is not of a plain kind.

  Args:
    flag: how the config names it.
    value: any.
    kind: one of WORDS; with any other annotation everything will do.

  Raises:
    UserError: it is something else.
  """
  if kind in WORDS and not is_of(value, kind):
    raise UserError(f'{flag}={value!r}: expected {WORDS[kind]}.')
