"""All 16 bits of colours, of which Pillow reads the upper 8.

Pillow's way of unpacking 16 bits of the other byte order finds the lower byte
where it looks for the upper one; so a file that is read twice gives both.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

_NATIVE = {'little': ';16L', 'big': ';16B'}[sys.byteorder]
_OTHER = {';16L': ';16B', ';16B': ';16L'}


def can(image: Any) -> bool:
  """Whether Pillow has both orders for an image that it has not yet read."""
  packed = [_raw(t[3]) for t in image.tile]
  known = image.mode in ('RGB', 'RGBA') and bool(packed)
  return known and all(raw.startswith(f'{image.mode};16') for raw in packed)


def _raw(args):
  """How a decoder's pixels are packed, by the decoder's arguments."""
  return str(args[0] if isinstance(args, tuple) else args)


def read(again: Callable[[], AbstractContextManager[Any]]) -> np.ndarray:
  """The colours of a picture, [H, W, 3 or 4] uint16.

  Args:
    again: () -> the Pillow image, opened and not yet read; `can` is true of it.
  """
  with again() as image:
    upper = np.asarray(image)
  with again() as image:
    image.tile = [t[:3] + (_swapped(t[3]),) for t in image.tile]
    lower = np.asarray(image)
  return (upper.astype(np.uint16) << 8) | lower


def _swapped(args):
  """The arguments of a decoder that reads the other byte of each two."""
  raw = _raw(args).replace(';16N', _NATIVE)
  for order, other in _OTHER.items():
    if raw.endswith(order):
      raw = raw.removesuffix(order) + other
      break
  return (raw, *args[1:]) if isinstance(args, tuple) else raw
