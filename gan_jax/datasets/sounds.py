"""A folder of .wav files, with or without a subfolder for each class.

Hidden files and folders and those of systems are no data, links are followed;
a line on stderr says what was left out, mixed, resampled, cut and padded.
"""

import os
from collections import Counter

import numpy as np

from gan_jax.data import fingerprint, folders, memory, news, waves
from gan_jax.kinds.hearing import wav
from gan_jax.storage import memory as memory_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError, one_line

EXTENSIONS = ('.wav', '.wave')


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
  waves.check_options(length=length, sample_rate=sample_rate)
  root, walked = _find(dir)
  files, read, notes = _read(walked, sample_rate, skip_corrupt=skip_corrupt)
  rate = sample_rate or _same_rate(files, read)
  x = waves.fitted([w for w, _ in read], files, length, notes)  # [N, T, 1]
  label, class_names = folders.classes(files, root)
  more = waves.in_words(notes)
  left = (root, files, class_names, walked)
  news.tell(folders.left_out(*left, thing='sound', more=more))
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


def describe(*, length: int = 0) -> Dataset:
  """What `load` gives, without a sound; how many there are is not known.

  Raises:
    UserError: no length, which the files alone know then.
  """
  return waves.described('sounds', 'audio', length, size=0)


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
  files, read, notes = [], [], Counter()
  for path in walked.files:
    try:
      wave = _opened(path, rate, notes)
    except UserError:
      if not skip_corrupt:
        raise
      walked.skipped['unreadable'] += 1
      continue
    files.append(path)
    read.append(wave)
  if not files:
    raise UserError(
      f'{walked.files[0].parent}: none of its {len(walked.files)} .wav files'
      ' can be read.'
    )
  return files, read, notes


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
  x = waves.resampled(x.mean(axis=1), own, rate, notes)
  return wav.levels(x), rate or own


def _same_rate(files, read):
  """The rate of all files."""
  (_, first), *_ = read
  for path, (_, rate) in zip(files, read, strict=True):
    if rate != first:
      raise UserError(
        f'{path}: {rate} samples a second, {files[0].name} has {first};'
        ' data.sample_rate=N resamples all to one rate.'
      )
  return first
