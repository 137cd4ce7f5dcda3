"""Texts as data sets: cut into windows or lines, the alphabet beside them."""

from collections.abc import Sequence

import numpy as np

from gan_jax.data import alphabet
from gan_jax.types import UserError

END = '\n'  # of a line; fills what is shorter
WINDOWS, LINES = 'windows', 'lines'
LONGEST = 2**16  # characters of a sample


def check_length(length: int):
  """Refuses samples of too few or too many characters.

  Raises:
    UserError: names the range.
  """
  if not 2 <= length <= LONGEST:
    raise UserError(f'data.length={length}: expected 2 to {LONGEST}.')


def windows(text: str, length: int) -> list[str]:
  """Pieces of a text, one after the other; a shorter rest is left out."""
  count = len(text) // length
  return [text[k * length : (k + 1) * length] for k in range(count)]


def lines(text: str, length: int) -> list[str]:
  """The lines of a text, each with its end, filled up to a length.

  Blank ones are left out, and so are those of `length` characters or more.
  """
  own = (line.strip() for line in text.split(END))
  return [line.ljust(length, END) for line in own if 0 < len(line) < length]


CUTS = {WINDOWS: windows, LINES: lines}


def cut(
  texts: Sequence[str],
  *,
  train: Sequence[str],
  by: str,
  length: int,
  source: str,
) -> tuple[np.ndarray, dict]:
  """Texts as samples; none reaches from one text into the next.

  Args:
    texts: to be cut.
    train: those of the training part, which the alphabet is fitted on.
    by: one of CUTS.
    length: characters of a sample.
    source: what an error begins with.

  Returns:
    characters by their numbers, [N, length], and what a Dataset says of them.

  Raises:
    UserError: nothing is long enough, or a character is not in the alphabet.
  """
  rows = [row for text in texts for row in CUTS[by](text, length)]
  if not rows:
    raise UserError(f'{source}: {_short(texts, by, length)}')
  try:
    letters = alphabet.fit(''.join(train) + END * (by == LINES))
  except UserError as e:
    raise UserError(f'{source}: {e}') from e
  x = alphabet.encode(''.join(rows), letters, source=source)
  x = x.reshape(len(rows), length)
  return x, fields(x, letters, lines=by == LINES)


def fields(x: np.ndarray, letters: str, *, lines: bool, **about) -> dict:
  """What a Dataset says of characters by their numbers.

  Args:
    x: [N, T].
    letters: the alphabet.
    lines: whether each sample is a line that ends with END.
    **about: what else the data set tells of itself.
  """
  about = {'alphabet': letters, 'lines': lines} | about
  return {'shape': (x.shape[1], len(letters)), 'about': about}


def _short(texts, by, length):
  """Why there is no sample."""
  longest = max(map(len, texts), default=0)
  if by == WINDOWS:
    return (
      f'no part of it has the {length} characters of data.length; the longest'
      f' has {longest:,}.'
    )
  return f'no line of 1 to {length - 1} characters, as data.length asks for.'
