"""Which values pictures may have: what is in doubt is asked about.

A file says of which type its numbers are, not how far they might go. Pictures
that leave most of the usual range unused are dark, or they are of another range
(floats in [0, 1], 12 bits in 16): nobody can tell but their owner, by
`data.range=low,high`.
"""

import numbers
from typing import Any

import numpy as np

from gan_jax.data import news
from gan_jax.types import UserError

LEVELS = (0, 255)
MODEL = (-1, 1)
# Of the usual range. Whole numbers below the one are refused, as they may be of
# another range; up to the other, a line asks.
DOUBTED, ASKED = 1 / 4, 1 / 2


def parse(given: Any) -> tuple[float, float] | None:
  """(lowest, highest) of what data.range says; None if it says nothing.

  Raises:
    UserError: it is not two numbers in order.
  """
  if given in ('', None, ()):
    return None
  pair = given.strip('()[] ').split(',') if isinstance(given, str) else given
  pair = tuple(map(_number, pair)) if isinstance(pair, tuple | list) else ()
  if len(pair) == 2 and -np.inf < pair[0] < pair[1] < np.inf:
    return pair
  raise UserError(
    f'data.range={given!r}: expected the lowest and the highest value that'
    ' there may be: 0,1 or 0,4095.'
  )


def _number(value):
  """A number or its text as a plain one; NaN if it is none."""
  is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
  try:
    number = float(value) if is_number or isinstance(value, str) else np.nan
  except (ValueError, OverflowError):
    return np.nan
  return int(number) if number.is_integer() else number


def check_inside(x: np.ndarray, limits: tuple[float, float]):
  """Refuses values outside of the range that was given, and no numbers.

  Raises:
    UserError: names both.
  """
  low, high = x.min(), x.max()
  if not (limits[0] <= low and high <= limits[1]):  # NaN is in no range
    raise UserError(
      f'data.range={_pair(limits)}: there are values in'
      f' {span(low, high, limits)}.'
    )


def span(low: float, high: float, limits: tuple[float, float]) -> str:
  """Values in words, with as many digits as tell them from the limits."""
  short = {f'{v:g}' for v in (low, high) if not limits[0] <= v <= limits[1]}
  digits = '.12g' if short & {f'{v:g}' for v in limits} else '.6g'
  return f'[{low:{digits}}, {high:{digits}}]'


def to_model(x: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
  """Values of any type -> float32, the limits at -1 and 1."""
  if tuple(limits) == MODEL:
    return x.astype(np.float32)
  return (2 * _share(x, limits) - 1).astype(np.float32)


def to_levels(x: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
  """Values of any type -> uint8, the limits at 0 and 255."""
  return np.rint(255 * _share(x, limits)).astype(np.uint8)


def _share(x, limits):
  low, high = limits
  return (x.astype(np.float64) - low) / (high - low)


def judge_floats(low: float, high: float, where: str):
  """Refuses floats that may not mean [-1, 1], or asks about them.

  Args:
    low, high: of all values.
    where: what the line begins with.

  Raises:
    UserError: none is negative, or they hardly are.
  """
  here = f'{where}: floats in [{low:g}, {high:g}]'
  model = f'data.range={_pair(MODEL)} if they are of the range [-1, 1]'
  if low >= 0:
    raise UserError(f'{here}: data.range=0,1 if 0 is black, {model}.')
  # Resizing leaves values a little below 0 of pictures in [0, 1].
  if low > -DOUBTED and high > ASKED:
    raise UserError(
      f'{here}, hardly below 0: if 0 is black, cut them off at 0 and 1 and give'
      f' data.range=0,1; {model}.'
    )
  # A generator that has hardly learned does make grey pictures.
  if low >= -ASKED or high <= ASKED:
    news.tell(
      f'warning: {here}: data.range=LOW,HIGH says which there may be, {model}.'
    )


def judge_whole(high: int, most: int, where: str):
  """Refuses whole numbers that may not mean [0, most], or asks about them.

  All zero is black in every range.

  Args:
    high: of all values.
    most: what their type may hold.
    where: what the line begins with.

  Raises:
    UserError: they use too little of the range.
  """
  line = (
    f'{where}: values up to {high} of {most}: data.range=0,{_likely(high)} if'
    f' that is their range, data.range=0,{most} if they are as dark as that.'
  )
  if high == 0:
    return
  if high < DOUBTED * most:
    raise UserError(line)
  if high <= ASKED * most:
    news.tell(f'warning: {line}')


def judge_own(x: np.ndarray, where: str):
  """Judges images of a data set of one's own, which should be in model range.

  Args:
    x: [N, H, W, C], some of them.
    where: what the line begins with.

  Raises:
    UserError: they are neither uint8 nor floats in [-1, 1].
  """
  kind, low, high = x.dtype.kind, x.min(), x.max()
  if x.dtype != np.uint8 and kind != 'f':
    raise UserError(
      f'{where}: images of {x.dtype}; expected uint8, or floats in [-1, 1].'
    )
  if kind == 'f' and not (MODEL[0] <= low and high <= MODEL[1]):
    raise UserError(
      f'{where}: images in {span(low, high, MODEL)}; expected floats in'
      ' [-1, 1], or uint8.'
    )
  doubtful = high < DOUBTED * LEVELS[1] if kind == 'u' else low > -DOUBTED
  if doubtful and low < high:
    news.tell(
      f'warning: {where}: images in [{low:g}, {high:g}]; networks are given'
      ' what `load` gives, and expect uint8 to 255, or floats in [-1, 1].'
    )


def _likely(high):
  """All of so many bits, if the values use nearly all of them."""
  full = 2 ** int(high).bit_length() - 1
  return full if high > 0.9 * full else high


def _pair(limits):
  return ','.join(f'{v:g}' for v in limits)
