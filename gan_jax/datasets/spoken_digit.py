"""3,000 recordings of spoken digits, from TensorFlow Datasets.

Z. Jackson et al., Free Spoken Digit Dataset, v1.0.9: six speakers, 8 kHz,
https://www.tensorflow.org/datasets/catalog/spoken_digit; the folder must have
been prepared as array_record, which needs TensorFlow. Reading it needs none:
TFDS's own feature for sound asks for TensorFlow as soon as it is made, but
stores a sound as a plain list of whole numbers, so it is read as one.

A line on stderr says what was resampled, cut and padded.
"""

import pathlib
from collections import Counter

import numpy as np

from gan_jax.data import memory, news, tfds_files, waves
from gan_jax.kinds.hearing import wav
from gan_jax.types import Dataset, UserError

NAME = 'spoken_digit'
RATE = 8000  # Hz
CLASSES = 10
SIZE = 3000
CHUNK = 256  # sounds at a time: they are read as numbers of 64 bits


def load(
  *,
  dir: str = '',
  split: str = 'train',
  length: int = 0,
  sample_rate: int = 0,
) -> Dataset:
  """Reads the sounds of a split; their classes are the digits.

  Args:
    dir: the folder it was prepared in; '' = $TFDS_DATA_DIR or, if that is
      unset, ~/tensorflow_datasets.
    split: 'train', all there is, or a part of it: 'train[:2400]'.
    length: samples of each sound: its beginning, or silence after its end; 0 =
      as they are, if alike.
    sample_rate: in Hz, to which they are resampled; 0 = as they are, 8000.

  Raises:
    UserError: a folder that is not prepared (the message says how to prepare
      it) or damaged, several lengths and no option for them, or an option out
      of range.
  """
  waves.check_options(length=length, sample_rate=sample_rate)
  folder = str(tfds_files.folder_of(dir))
  builder = tfds_files.builder_of(NAME, folder, _builder_class())
  source = tfds_files.source_of(builder, NAME, folder, split)
  take = tfds_files.make_take(source, NAME, folder)
  notes = Counter()
  files, sounds, label = _read(take, len(source), sample_rate, notes)
  x = waves.fitted(sounds, files, length, notes)  # [N, T, 1]
  _tell(len(x), notes)
  rate = sample_rate or RATE
  data = memory.from_arrays(
    NAME,
    'audio',
    x,
    label,
    class_names=tuple(builder.info.features['label'].names),
    about={'sample_rate': rate},
  )
  digest = tfds_files.digest(builder, split, x.shape, rate)
  return data._replace(fingerprint=digest)


def describe(*, length: int = 0, sample_rate: int = 0) -> Dataset:
  """What `load` gives of all recordings, without one.

  Raises:
    UserError: no length, though theirs differ.
  """
  about = {'sample_rate': sample_rate or RATE}
  names = tuple(map(str, range(CLASSES)))
  made = waves.described(NAME, 'audio', length, size=SIZE)
  return made._replace(about=about, class_names=names)


def _builder_class():
  import tensorflow_datasets as tfds

  own = tfds.features
  features = {
    'audio': own.Tensor(shape=(None,), dtype=np.int64),  # for own.Audio
    'label': own.ClassLabel(num_classes=CLASSES),
    'audio/filename': own.Text(),
  }
  return tfds_files.with_features(NAME, features)


def _read(take, size, rate, notes):
  """(their files, [[T] int16], labels [N])."""
  files, sounds, label = [], [], []
  for start in range(0, size, CHUNK):
    for example in take(range(start, min(start + CHUNK, size))):
      path = pathlib.PurePath(example['audio/filename'].decode())
      files.append(path)
      sounds.append(_levels(example['audio'], path, rate, notes))
      label.append(int(example['label']))
  return files, sounds, label


def _levels(x, path, rate, notes):
  """[T] int16 of a sound as it is stored: the levels of 16 bits."""
  if not x.size or x.min() < -wav.FULL or x.max() >= wav.FULL:
    raise UserError(
      f'data.name={NAME!r}: {path}: expected levels of 16 bits, there are'
      + (f' {x.min()} to {x.max()}.' if x.size else ' none.')
    )
  x = (x / wav.FULL).astype(np.float32)  # exact, and so is the way back
  return wav.levels(waves.resampled(x, RATE, rate, notes))


def _tell(size, notes):
  """Says what was done to the sounds; nothing if they are as they were."""
  if words := waves.in_words(notes):
    many = f'{size:,} sound{"s" * (size > 1)}'
    news.tell(f'data.name={NAME}: {"; ".join([many, *words])}.')
