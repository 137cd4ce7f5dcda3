"""Names written into pictures, whatever their letters."""

import functools
import pathlib
from collections.abc import Iterable, Sequence


@functools.cache
def _plain(size):
  """Pillow's own font, of plain letters."""
  from PIL import ImageFont

  return ImageFont.load_default(size)


@functools.cache
def _wide(size):
  """DejaVu Sans, which comes with Matplotlib: accents, Greek, Cyrillic, ..."""
  return _dejavu('DejaVuSans', size)


@functools.cache
def mono(size: int):
  """DejaVu Sans Mono: letters of one width, with signs for what has none."""
  return _dejavu('DejaVuSansMono', size)


def _dejavu(name, size):
  import matplotlib
  from PIL import ImageFont

  folder = pathlib.Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
  return ImageFont.truetype(str(folder / f'{name}.ttf'), size)


def font(text: str, size: int):
  """A font for a text, of Pillow.

  Args:
    text: that is to be written.
    size: of a letter, in pixels.
  """
  return _plain(size) if text.isascii() else _wide(size)


def titles(names: Iterable[str], classes: Sequence[str] = ()) -> list[str]:
  """How names of classes are written: '3 ?' where there are no letters for one.

  Without their numbers all classes of a foreign alphabet would look the same.

  Args:
    names: to be written.
    classes: all that there are, in their order.
  """
  number = {str(name): k for k, name in enumerate(classes)}
  made = []
  for name in map(str, names):
    seen = legible(name)
    known = seen == name or name not in number
    made.append(seen if known else f'{number[name]} {seen}')
  return made


def legible(text: str) -> str:
  """The text with a '?' for each letter that no font here has."""
  if text.isascii():
    return text
  return ''.join(c if c.isascii() or _has(c) else '?' for c in text)


@functools.cache
def _has(letter):
  """Whether the letter has a shape of its own."""
  return _shape(letter) != _shape('\U0010ffff')


def _shape(letter):
  mask = _wide(16).getmask(letter)
  return mask.size, bytes(mask)
