"""Codes of a latent that somebody sets: --code=c0=3,c1=-1..1.

c0, c1, ... are a run's codes in their order: those of several values, then the
uniform ones. Chen et al. 2016 (InfoGAN), https://arxiv.org/abs/1606.03657.
"""

import numpy as np

from gan_jax.run.samplers import settling
from gan_jax.types import UserError

STEPS = 8  # of a uniform code that is walked


def parse(words: str, setup) -> tuple[tuple, tuple | None]:
  """What --code says.

  Args:
    words: NAME=VALUE with commas between; one value may be a walk, FROM..TO.
    setup: setup.Setup.

  Returns:
    (Way.code: pairs of a first place and values, (first place, [K, n] numbers)
    of the walk or None).

  Raises:
    UserError: a latent without codes, no such code, no such value.
  """
  places = settling.codes_of(setup)
  if not places:
    raise UserError(
      f'code={words}: the latent of this run has no codes (latent.categories,'
      ' latent.continuous).'
    )
  fixed, walk = {}, None
  for part in words.split(','):
    name, _, value = part.strip().partition('=')
    known = name[:1] == 'c' and name[1:].isascii() and name[1:].isdecimal()
    if not known or int(name[1:]) >= len(places):
      raise UserError(
        f'code={words}: no code {name!r}; expected c0=VALUE, ... and there are'
        f' c0 to c{len(places) - 1}.'
      )
    place, count = places[int(name[1:])]
    first, dots, last = value.partition('..')
    if dots and walk:
      raise UserError(f'code={words}: expected one walk FROM..TO at most.')
    numbers = _numbers(words, name, count, first, last if dots else None)
    if dots:
      walk = place, numbers
    else:
      fixed[place] = tuple(map(float, numbers[0]))
  return tuple(fixed.items()), walk


def _numbers(words, name, count, first, last):
  """The code's numbers [K, n]: of its one value, or of all in a walk."""
  ends = [_value(words, name, count, text) for text in (first, last or first)]
  if not count:
    steps = 1 if last is None else STEPS
    return np.linspace(*ends, steps, dtype=np.float32)[:, None]
  step = 1 if ends[0] <= ends[1] else -1
  which = np.arange(ends[0], ends[1] + step, step)
  return np.eye(count, dtype=np.float32)[which]


def _value(words, name, count, text):
  if count:
    whole = text.isascii() and text.isdecimal() and int(text) < count
    if not whole:
      raise UserError(
        f'code={words}: {name} has the values 0 to {count - 1}, not {text!r}.'
      )
    return int(text)
  try:
    value = float(text)
  except ValueError:
    value = np.nan
  if not abs(value) <= 1e6:
    raise UserError(
      f'code={words}: {name} is a number, in training from -1 to 1; not'
      f' {text!r}.'
    )
  return value
