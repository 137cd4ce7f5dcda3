"""Samples of others and what they are compared with, opened by name or path.

Messages of the loaders name the keys of a config (`data.image_size`); here they
become the flags of the command.
"""

import os

import numpy as np

from gan_jax.components import modules
from gan_jax.data import loading, names, news, tfds_files
from gan_jax.datasets import npz as npz_data
from gan_jax.datasets import text_files
from gan_jax.metrics import reference
from gan_jax.metrics.features import inception
from gan_jax.types import Dataset, UserError

# Options of the real data that the samples get as well, where they take them.
SHARED = ('image_size', 'channels', 'skip_corrupt')

FILES = ('folder', 'npz', 'tfds_images')  # loaders that need to be told more


def open_pair(
  samples: str,
  data: str,
  *,
  split: str = '',
  published: bool,
  data_options: dict,
  samples_options: dict,
) -> tuple[Dataset, Dataset | None]:
  """(samples, real ones); None in place of published statistics.

  Images of a folder get the other side's channels, unless the options say
  which.

  Args:
    samples: path of a folder, an .npz, or a .txt of texts.
    data: a name, a folder, an .npz.
    split: of the data set.
    published: whether `data` is taken for statistics.
    data_options: of the real data; those of SHARED are for both sides.
    samples_options: of the samples.

  Raises:
    UserError: they cannot be opened, or an option that they do not take.
  """
  ours = {k: v for k, v in data_options.items() if k in SHARED}
  ours = {k: v for k, v in ours.items() if k in _taken_by_file(samples)}
  rest = {k: v for k, v in data_options.items() if k not in ours}
  ours |= samples_options
  if published:
    if rest:
      raise UserError(f'--data.{min(rest)}: of {data} statistics are used.')
    return open_samples(samples, **ours), None
  rest |= {k: v for k, v in data_options.items() if k in _taken(data)}
  if is_path(data) and os.path.isdir(data):
    fake = open_samples(samples, **ours)
    return fake, open_data(data, split, **_channels(fake) | rest)
  real = open_data(data, split, **rest)
  if not os.path.isdir(samples) and _holds_texts(samples, real):
    return _letters(samples, real, ours), real
  return open_samples(samples, **_channels(real) | ours), real


def _holds_texts(samples, real):
  """Whether a file is of texts, or should be."""
  if samples.endswith('.npz'):
    return text_files.is_text(real) or npz_data.holds_texts(samples)
  return samples.endswith('.txt')


def _letters(samples, real, options):
  """Texts by the alphabet of the real ones."""
  if options:
    raise UserError(f'--samples.{min(options)}: {samples} takes no options.')
  with _flags('samples'):
    return text_files.samples(samples, real)


def _taken(data):
  """The options that a folder, a file or a data set takes."""
  return _taken_by_file(data) if is_path(data) else loading.options_of(data)


def _taken_by_file(path):
  return loading.options_of('folder' if os.path.isdir(path) else 'npz')


def _channels(dataset):
  """The option with which a folder is opened; none leave it to the folder."""
  *plane, channels = dataset.shape
  return {'channels': channels} if plane and channels in (1, 2, 3, 4) else {}


def open_samples(path: str, *, flag: str = 'samples', **options) -> Dataset:
  """A folder of images or an .npz of samples.

  Args:
    path: of the folder or the file.
    flag: of the command, that named the path.
    **options: of this data set; `channels` goes to a folder only.

  Raises:
    UserError: the path is neither, or the samples cannot be read.
  """
  if not os.path.isdir(path) and not path.endswith('.npz'):
    raise UserError(f'--{flag}={path}: expected a folder, an .npz, or a .txt.')
  with _flags(flag):
    return _reading(_open_path(path, options), flag)


def open_data(data: str, split: str = '', **options) -> Dataset:
  """A data set by its name, or samples by their path as in open_samples.

  Args:
    data: a name or a path.
    split: of the data set.
    **options: of this data set.

  Raises:
    UserError: the data set does not exist, or has no splits.
  """
  if 'split' in options:
    raise UserError('--data.split: the flag is --split.')
  if split and not has_splits(data):
    if split != 'train':
      raise UserError(f'--split={split}: {data} has no splits.')
    split = ''
  if is_path(data):
    with _flags('data'):
      return _reading(_open_path(data, options), 'data')
  if os.path.isdir(data):
    news.tell(
      f'--data={data}: the data set of that name; the folder is'
      f' --data={os.path.join(".", data)}'
    )
  with _flags('name'):
    return _reading(loading.load(data, split=split, **options), 'name')


def _open_path(path, options):
  if os.path.isdir(path):
    return loading.load('folder', dir=path, **options)
  return loading.load('npz', path=path, **options)


def _reading(dataset, flag):
  """The data set; what is wrong when it is read is told in flags too."""

  def read(rows):
    with _flags(flag):
      return dataset.read(rows)

  return dataset._replace(read=read)


def _flags(flag):
  """Names the flags of the command where loaders name a config's keys.

  Args:
    flag: 'samples', 'data', or 'name' for data by their name.
  """
  if flag == 'name':
    own = {'name': '--data', 'dir': '--data_dir', 'split': '--split'}
  else:
    own = {'dir': f'--{flag}', 'path': f'--{flag}', 'range': f'--{flag}.range'}
  group = lambda key: 'data' if flag == 'name' or key in SHARED else flag
  return news.flags(lambda key: own.get(key, f'--{group(key)}.{key}'))


def statistics_of(data: str, space: str) -> str:
  """What a file's published statistics are good for.

  Args:
    data: any data; an .npz may hold `mu` and `sigma`.
    space: of features that was asked for, or ''.

  Returns:
    'all': there are no samples beside them; 'some': the metrics that need no
    more of the real samples, where the space is Inception's, as '' then is; or
    '': there are none, or they are of another space.
  """
  is_file = data.endswith('.npz') and os.path.isfile(data)
  if not is_file or not reference.holds_statistics(data):
    return ''
  if not npz_data.holds_samples(data):
    return 'all'
  fits = reference.dimensions(data) == inception.DIMENSIONS
  return 'some' if fits and space in ('', 'inception') else ''


def is_path(data: str) -> bool:
  """Whether it is a folder or an .npz rather than the name of a data set.

  Of a folder and a data set of the same name, the data set is meant.
  """
  if data.endswith('.npz'):
    return True
  return os.path.isdir(data) and not _is_name(data)


def _is_name(data):
  """Whether it is the name of a data set that is here."""
  if data in FILES or os.sep in data or data in ('.', '..'):
    return False
  prepared = tfds_files.folder_of('') / data
  return data in modules.available('datasets') or prepared.is_dir()


def has_splits(data: str) -> bool:
  """Whether it is the name of a data set with splits."""
  return not is_path(data) and 'split' in loading.options_of(data)


# ------------------------------------------------------------------ classes


def declares(data: str) -> bool:
  """Whether the numbers of its classes are said, not only their names.

  By a data set's publisher, or by an .npz.
  """
  if not is_path(data):
    return True
  return os.path.isfile(data) and npz_data.declares(data)


def with_classes_of(
  fake: Dataset, real: Dataset, *, declared: tuple[bool, bool]
) -> tuple[Dataset, str]:
  """Samples whose labels mean what those of the real ones mean.

  Args:
    fake: the samples.
    real: what they are compared with.
    declared: of each, see declares.

  Returns:
    the samples with the classes of real, and ''; or without any classes, and
    why they do not match, '' where one side has none.
  """
  bare = fake._replace(class_names=())
  if not fake.class_names or not real.class_names:
    return bare, ''
  try:
    places = names.numbered(
      fake.class_names, real.class_names, declared=declared
    )
  except UserError as e:
    return bare, str(e)
  return _renumbered(fake, np.array(places, np.int32), real.class_names), ''


def _renumbered(fake, places, class_names):
  def read(rows):
    batch = fake.read(rows)
    label = batch['label']
    # One that has no class keeps having none.
    return batch | {'label': np.where(label < 0, label, places[label])}

  own = {'count_classes': None, 'read_labels': None}
  return fake._replace(read=read, class_names=class_names, **own)
