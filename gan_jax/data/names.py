"""Names of classes: their order, and what makes two of them the same."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from gan_jax.types import UserError, one_line

_DIGITS = re.compile('([0-9]+)')
_NUMBER = re.compile('[0-9]{1,18}')


def tidy(name: Any) -> str:
  """A name on one line in Unicode's composed form, from text or bytes.

  File systems differ in the form in which they keep an accent.
  """
  if isinstance(name, bytes):
    name = name.decode('utf-8', 'backslashreplace')
  return one_line(unicodedata.normalize('NFC', str(name)))


def natural(name: str) -> tuple:
  """Sorts names as people do, 'class2' before 'class10'.

  Numbers within names count as numbers, the rest as text; names that differ
  only in leading zeros are ordered as text.
  """
  # Text and numbers alternate, so like is always compared with like.
  parts = enumerate(_DIGITS.split(name))
  return [_size(part) if i % 2 else part for i, part in parts], name


def _size(digits):
  """Orders digits as the numbers that they are, however many they are."""
  digits = digits.lstrip('0')
  return len(digits), digits


def in_order(names: Iterable[str]) -> tuple[str, ...]:
  """Names in their natural order, each once."""
  return tuple(sorted(set(names), key=natural))


def number(name: str) -> int | None:
  """The class number that a name is; None for any other name."""
  return int(name) if _NUMBER.fullmatch(name) else None


def numbered(
  theirs: tuple[str, ...],
  ours: tuple[str, ...],
  *,
  declared: tuple[bool, bool] = (False, False),
) -> list[int]:
  """The number among our classes of each of theirs; the names decide.

  Theirs may lack some of ours. Where only one side has names and the other one
  numbers all as many classes from 0, numbers are places in a declared order:
  names that were only sorted ('eight', 'five', ...) say nothing of numbers.

  Args:
    theirs: names of classes, by number.
    ours: the same.
    declared: whether somebody says which number each of theirs, of ours has: a
      publisher, or the file. Otherwise they are in natural order.

  Raises:
    UserError: names that ours lack, or numbers that nobody can know.
  """
  for key in (lambda name: name, number):
    places = {key(name): k for k, name in enumerate(ours)}
    if None not in places and len(places) == len(ours):
      if all(key(name) in places for name in theirs):
        return [places[key(name)] for name in theirs]
  if theirs == ours:  # with one name twice
    return list(range(len(ours)))
  if len(theirs) == len(ours) and _count_up(theirs) != _count_up(ours):
    named_side = int(_count_up(theirs))
    named = (theirs, ours)[named_side]
    if not declared[named_side] and named == in_order(named):
      raise UserError(
        f'one side numbers its classes, the other names them {listed(named)}:'
        ' nothing says which number is which name; the array `class_names` of'
        ' an .npz does, or names on both sides.'
      )
    return list(range(len(ours)))
  lacking = [name for name in theirs if name not in ours] or theirs
  raise UserError(
    f'{listed(lacking)} not among the classes {listed(ours)}; names decide'
    ' which classes are the same (of an .npz: the array `class_names`).'
  )


def _count_up(names):
  return [number(name) for name in names] == list(range(len(names)))


def listed(names: Iterable[str], most: int = 5) -> str:
  """The first names, and how many more there are."""
  names = list(names)
  shown = ', '.join(map(one_line, names[:most]))
  more = len(names) - most
  return f'{shown} and {more:,} more' if more > 0 else shown
