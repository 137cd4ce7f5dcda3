"""A folder of .wav files, with or without a subfolder for each class.

Hidden files and folders and those of systems are no data, links are followed;
a line on stderr says what was left out, mixed, resampled, cut and padded.
"""

import math
import os
from collections import Counter

import numpy as np

from gan_jax.data import fingerprint, folders, memory, news
from gan_jax.kinds.hearing import wav
from gan_jax.storage import memory as memory_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError, one_line

EXTENSIONS = ('.wav', '.wave')
LENGTHS = 4, 2**22  # samples of a sound
RATES = 1000, 384_000  # Hz


def load(
  *,
  dir: str = '',
  length: int = 0,
  sample_rate: int = 0,
  skip_corrupt: bool = False,
) -> Dataset:
  """Reads the sounds below a folder, in the order of their paths.

  Files of 8, 16, 24 or 32 bits or of floats; 16 bits are kept. Channels are
  mixed to one by their mean. If every file lies in a subfolder, the topmost one
  is its class.

  Args:
    dir: the folder.
    length: samples of each sound: its beginning, or silence after its end; 0 =
      as they are, if alike.
    sample_rate: in Hz, to which files of another are resampled; 0 = as they
      are, if alike.
    skip_corrupt: leave out what cannot be read.

  Raises:
    UserError: no folder, no .wav file in it, one that cannot be read or holds
      no sound, several lengths or rates and no option for them.
  """
  _check(length, sample_rate)
  root, walked = _find(dir)
  files, waves, notes = _read(walked, sample_rate, skip_corrupt=skip_corrupt)
  rate = sample_rate or _same_rate(files, waves)
  x = _fitted(files, [w for w, _ in waves], length, notes)  # [N, T, 1]
  label, class_names = folders.classes(files, root)
  words = tuple(f'{count:,} {what}' for what, count in notes.items())
  left = (root, files, class_names, walked)
  news.tell(folders.left_out(*left, thing='sound', more=words))
  data = memory.from_arrays(
    one_line(root.resolve().name),
    'audio',
    x,
    label,
    class_names=class_names,
    about={'sample_rate': rate},
  )
  given = (x.shape, rate, class_names)
  digest = fingerprint.digest_files(files, root, *given)
  return data._replace(fingerprint=digest, any_order=True)


def _find(folder):
  """(the folder's path, what is in it)."""
  if not folder:
    raise UserError('data.dir: expected a folder of .wav files.')
  root = paths.expand(folder)
  if not os.path.isdir(root):
    raise UserError(f'data.dir={folder}: there is no such folder.')
  walked = folders.walk(root, EXTENSIONS)
  if not walked.files:
    there = folders.describe(walked.skipped)
    raise UserError(
      f'data.dir={folder}: no .wav file in this folder'
      + (f'; there are: {there}.' if there else '.')
    )
  memory_lib.check_memory(
    sum(p.stat().st_size for p in walked.files),
    f'data.dir={folder}: its sounds',
  )
  return root, walked


def _read(walked, rate, *, skip_corrupt):
  """(files, [(mono [T] int16, Hz)], what was done to how many)."""
  files, waves, notes = [], [], Counter()
  for path in walked.files:
    try:
      wave = _opened(path, rate, notes)
    except UserError:
      if not skip_corrupt:
        raise
      walked.skipped['unreadable'] += 1
      continue
    files.append(path)
    waves.append(wave)
  if not files:
    raise UserError(
      f'{walked.files[0].parent}: none of its {len(walked.files)} .wav files'
      ' can be read.'
    )
  return files, waves, notes


def _opened(path, rate, notes):
  """(mono [T] int16, Hz) of a file."""
  try:
    if not os.path.isfile(path):
      raise OSError('not a file')  # a pipe would block
    x, own, bits = wav.read(path)
    if not np.isfinite(x).all():
      raise ValueError('values that are no numbers')
  except wav.UNREADABLE as e:
    reason = str(e).partition('\n')[0] or type(e).__name__
    raise UserError(
      f'{path}: cannot be read as a .wav file; data.skip_corrupt=True leaves'
      f' such files out ({reason}).'
    ) from e
  notes['mixed to mono'] += x.shape[1] > 1
  notes['of more than 16 bits, which are kept of them'] += bits > 16
  x = x.mean(axis=1)
  if rate and own != rate:
    notes[f'resampled to {rate} Hz'] += 1
    x = _resampled(x, own, rate)
  return wav.levels(x), rate or own


def _resampled(x, own, rate):
  import scipy.signal

  both = math.gcd(own, rate)
  return scipy.signal.resample_poly(x, rate // both, own // both)


def _same_rate(files, waves):
  """The rate of all files."""
  (_, first), *_ = waves
  for path, (_, rate) in zip(files, waves, strict=True):
    if rate != first:
      raise UserError(
        f'{path}: {rate} samples a second, {files[0].name} has {first};'
        ' data.sample_rate=N resamples all to one rate.'
      )
  return first


def _fitted(files, waves, length, notes):
  """[N, T, 1] int16: cut, or padded with silence."""
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
  for what in [what for what, count in notes.items() if not count]:
    del notes[what]
  return x


def _check(length, sample_rate):
  ranges = {'length': (length, LENGTHS), 'sample_rate': (sample_rate, RATES)}
  for name, (value, (least, most)) in ranges.items():
    if value and not least <= value <= most:
      raise UserError(
        f'data.{name}={value}: expected {least} to {most}, or 0: as they are.'
      )
