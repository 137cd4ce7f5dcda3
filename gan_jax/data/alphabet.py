"""The characters of a text, and the numbers that stand for them."""

import unicodedata

import numpy as np

from gan_jax.types import UserError

MOST = 2**16  # characters, so that four of them fit into 64 bits
NAMED = 5  # unseen characters in a line, at most


def fit(text: str) -> str:
  """All characters of a text, each once, in the order of their code points.

  Raises:
    UserError: there are more than MOST.
  """
  letters = ''.join(sorted(set(text)))
  if len(letters) > MOST:
    raise UserError(
      f'{len(letters):,} different characters; expected at most {MOST:,}.'
    )
  return letters


def encode(text: str, letters: str, *, source: str) -> np.ndarray:
  """The numbers of a text's characters: uint8 [len(text)], or uint16.

  Args:
    text: any.
    letters: the alphabet, ascending: number k is letters[k].
    source: what an error begins with.

  Raises:
    UserError: names characters that the alphabet lacks.
  """
  codes, known = _codes(text), _codes(letters)
  place = np.searchsorted(known, codes)
  place = np.minimum(place, len(known) - 1)
  if len(unseen := np.unique(codes[known[place] != codes])):
    raise UserError(f'{source}: {_unseen(unseen)}')
  return place.astype(np.uint8 if len(letters) <= 256 else np.uint16)


def _codes(text):
  """Code points [len(text)]; lone surrogates have theirs."""
  return np.frombuffer(text.encode('utf-32-le', 'surrogatepass'), np.uint32)


def _unseen(codes):
  """What is said of characters that nobody was trained on."""
  names = ', '.join(_name(chr(c)) for c in codes[:NAMED])
  more = f' and {len(codes) - NAMED} more' if len(codes) > NAMED else ''
  them = 'a character' if len(codes) == 1 else f'{len(codes)} characters'
  return f'it has {them} that the training part lacks: {names}{more}.'


def _name(letter):
  """A character as a line can show it: 'ж' (CYRILLIC SMALL LETTER ZHE)."""
  name = unicodedata.name(letter, f'U+{ord(letter):04X}')
  return f'{letter!r} ({name})'
