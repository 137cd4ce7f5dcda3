"""Names of classes: their order, and what makes two of them the same."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from gan_jax.types import one_line

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
