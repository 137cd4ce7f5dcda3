"""What data sets of sound share: 16 bits, one sample rate, one length."""

import math
import pathlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gan_jax.data import memory
from gan_jax.types import Dataset, UserError

LENGTHS = 4, 2**22  # samples of a sound
RATES = 1000, 384_000  # Hz


def check_options(*, length: int, sample_rate: int):
  """Refuses options out of range; 0 stands for: as they are."""
  ranges = {'length': (length, LENGTHS), 'sample_rate': (sample_rate, RATES)}
  for name, (value, (least, most)) in ranges.items():
    if value and not least <= value <= most:
      raise UserError(
        f'data.{name}={value}: expected {least} to {most}, or 0: as they are.'
      )


def described(name: str, kind: str, length: int, *, size: int) -> Dataset:
  """Sounds without their samples, see memory.described.

  Raises:
    UserError: no length, which the files alone know then.
  """
  check_options(length=length, sample_rate=0)
  if not length:
    raise UserError(
      'data.length=0: the length of a sound is known only from its file.'
    )
  return memory.described(name, kind, (length, 1), size, item=2)


def resampled(x: np.ndarray, own: int, rate: int, notes: Counter) -> np.ndarray:
  """A sound at another rate: its moments are as far apart as that asks for.

  Args:
    x: [T] float.
    own: its rate, in Hz.
    rate: the rate it gets, or 0: as it is.
    notes: what was done to how many; added to.

  Returns:
    [T rate / own], rounded up.
  """
  import scipy.signal

  if not rate or own == rate:
    return x
  notes[f'resampled to {rate} Hz'] += 1
  both = math.gcd(own, rate)
  return scipy.signal.resample_poly(x, rate // both, own // both)


def fitted(
  waves: Sequence[np.ndarray],
  files: Sequence[pathlib.PurePath],
  length: int,
  notes: Counter,
) -> np.ndarray:
  """Sounds of one length: cut, or padded with silence.

  Args:
    waves: of each [T] int16.
    files: that they are of.
    length: samples of each, or 0: as they are, if alike.
    notes: what was done to how many; added to.

  Returns:
    [N, length, 1] int16.

  Raises:
    UserError: several lengths, and none to fit them to.
  """
  if not length:
    length = len(waves[0])
    for path, wave in zip(files, waves, strict=True):
      if len(wave) != length:
        raise UserError(
          f'{path}: {len(wave):,} samples, {files[0].name} has {length:,};'
          ' data.length=N cuts or pads all to one length.'
        )
  x = np.zeros((len(waves), length, 1), np.int16)
  for row, wave in zip(x, waves, strict=True):
    part = wave[:length]
    row[: len(part), 0] = part
    notes[f'cut to {length:,} samples'] += len(wave) > length
    notes[f'padded to {length:,} samples'] += len(wave) < length
  return x


def in_words(notes: Counter) -> tuple[str, ...]:
  """What was done: ('2 resampled to 8000 Hz', ...)."""
  return tuple(f'{count:,} {what}' for what, count in notes.items() if count)
