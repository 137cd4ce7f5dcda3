"""Any image data set of TensorFlow Datasets, read without TensorFlow.

https://www.tensorflow.org/datasets; the folder must have been prepared as
array_record. Names that no other data set has are looked up here, so
`data.name = 'mnist'` is enough.
"""

import contextlib
import difflib
import functools
import io
import logging
import math
import os
import pathlib
import re

import numpy as np

from gan_jax import select
from gan_jax.data import classes, fingerprint, memory, ranges, use
from gan_jax.data import images as images_lib
from gan_jax.storage import memory as memory_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError

JUDGED = 512  # images, evenly spread, whose range is looked at
LOOKED = 16  # examples, for whether there are classes


def _not_by_tfds(record: logging.LogRecord) -> bool:
  # TFDS logs a warning before it raises the same as an error.
  return 'tensorflow_datasets' not in pathlib.PurePath(record.pathname).parts


logging.getLogger('absl').addFilter(_not_by_tfds)


def load(
  *,
  name: str,
  dir: str = '',
  split: str = 'train',
  image_size: int = 0,
  channels: int = 0,
  range: str | tuple = '',
  memory_mb: float = 1024,
) -> Dataset:
  """Opens a prepared data set; the images are decoded when first read.

  Args:
    name: as TFDS calls it: 'mnist', 'celeb_a', 'lsun/bedroom', 'mnist:3.0.1'.
    dir: the folder it was prepared in; '' = $TFDS_DATA_DIR or, if that is
      unset, ~/tensorflow_datasets.
    split: 'train', 'test', 'train[:1000]', 'train+test'.
    image_size: side of the images, 0 = as they are.
    channels: 1 or 3, 0 = as they are.
    range: the lowest and the highest value that images may have, where it is
      not that of their type or they hardly use it, see data/ranges.
    memory_mb: the most that the decoded images may take; above it they are
      decoded again whenever they are read.

  Raises:
    UserError: an unknown name or split, a folder that is not prepared (the
      message says how to prepare it), or images whose range is in doubt.
  """
  images_lib.check_options(image_size=image_size, channels=channels)
  limits = ranges.parse(range)
  folder = str(folder_of(dir))
  builder = _builder(name, folder)
  key, shape = _image_feature(builder, name, image_size, channels)
  source = _source(builder, key, name, folder, split)
  take = _make_take(source, name, folder)
  label = _label_feature(builder, take, len(source))
  _judge(take, key, len(source), limits, f'data.name={name!r}')

  read = _make_read(take, key, label, name, image_size, shape, limits)
  nbytes = len(source) * math.prod(shape)
  if nbytes <= memory_mb * 2**20:
    memory_lib.check_memory(nbytes, f'data.name={name!r}: its images')
    read = memory.remember(read, len(source))
  return Dataset(
    name=name,
    kind='image',
    shape=shape,
    size=len(source),
    read=read,
    nbytes=nbytes,
    class_names=tuple(label.names) if label else (),
    fingerprint=_fingerprint(builder, split, shape, limits),
    # The pictures stay encoded.
    count_classes=classes.counter(
      lambda rows: np.array([e['label'] for e in take(rows)]),
      len(source),
      len(label.names) if label else 0,
    ),
  )


def _make_take(source, name, folder):
  """Rows [n] -> examples; a damaged record raises UserError."""

  def take(rows):
    try:
      examples = source.__getitems__([int(r) for r in rows])
    except Exception as e:  # of any type
      raise _damaged(name, folder, e) from e
    if any(e is None or any(v is None for v in e.values()) for e in examples):
      raise _damaged(name, folder, ValueError('an incomplete example'))
    return examples

  return take


def _judge(take, key, size, limits, where):
  """Refuses images whose range is in doubt, or asks, see data/use."""
  rows = np.linspace(0, size - 1, min(size, JUDGED)).astype(int)
  files = [functools.partial(_opened, take, key, row) for row in rows]
  use.judge(files, limits, where)


def _opened(take, key, row):
  return io.BytesIO(take([row])[0][key])


def _make_read(take, key, label, name, image_size, shape, limits):
  decode = functools.partial(
    _decode, name=name, image_size=image_size, shape=shape, limits=limits
  )

  def read(rows):
    examples = take(rows)
    images = images_lib.in_parallel(decode, [e[key] for e in examples])
    batch = {'x': np.stack(images)}
    if label:
      batch['label'] = np.array([e['label'] for e in examples], np.int32)
    return batch

  return read


def folder_of(dir: str) -> pathlib.Path:
  """Where prepared data sets lie; '' stands for TFDS's usual folder."""
  usual = os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
  return paths.expand(dir or usual)


def _builder(name, folder):
  import tensorflow_datasets as tfds

  try:
    # TFDS prints at length about a missing TensorFlow before it raises.
    with contextlib.redirect_stdout(io.StringIO()):
      return tfds.builder(
        name, data_dir=folder, file_format='array_record', try_gcs=False
      )
  except tfds.core.DatasetNotFoundError as e:
    raise _unknown(name) from e
  except Exception as e:  # of a damaged folder, of any type
    if not re.match(r'[a-z]\w*([:/]|$)', name):
      raise _unknown(name) from e
    reason = re.sub(r'.*builder_kwargs "[^"]*": ', '', ' '.join(str(e).split()))
    raise UserError(f'data.name={name!r}: {reason[:200]}') from e


def _unknown(name):
  import tensorflow_datasets as tfds

  ours = select.available('datasets')
  theirs = tfds.list_builders(with_community_datasets=False)
  near = difflib.get_close_matches(name, ours + theirs, 1)
  hint = f' (did you mean {near[0]!r}?)' if near else ''
  return UserError(
    f'data.name={name!r}: unknown{hint}; there are {", ".join(ours)}, and any'
    ' image data set of TFDS by its name: mnist, cifar10, celeb_a, ...'
  )


def prepare_command(name: str, folder: str) -> str:
  """The shell command that downloads and prepares a data set."""
  return (
    'pip install "tensorflow>=2.20" && python -c "import tensorflow_datasets'
    f" as tfds; tfds.builder('{name}', data_dir='{folder}', "
    "file_format='array_record').download_and_prepare()\""
  )


def _source(builder, key, name, folder, split):
  """Random access to the split's examples, images as encoded bytes."""
  import tensorflow_datasets as tfds

  form = builder.info.file_format
  if not builder.info.splits:
    raise _not_prepared('has not been prepared in', name, folder)
  if form is not None and form.value != 'array_record':
    raise _not_prepared(f'is {form.value}, not array_record, in', name, folder)
  try:
    return builder.as_data_source(
      split=split, decoders={key: tfds.decode.SkipDecoding()}
    )
  except FileNotFoundError as e:
    raise _not_prepared('lacks files in', name, folder) from e
  except (ValueError, KeyError, AssertionError) as e:
    there = ', '.join(builder.info.splits)
    raise UserError(
      f'data.split={split!r}: not a split of {name}, or empty; splits: {there}.'
    ) from e
  except Exception as e:
    raise _damaged(name, folder, e) from e


def _damaged(name, folder, error):
  return UserError(
    f'data.name={name!r}: its files in data.dir={folder} are damaged'
    f' ({type(error).__name__}: {str(error)[:200]}).'
  )


def _not_prepared(problem, name, folder):
  return UserError(
    f'data.name={name!r} {problem} data.dir={folder}; to prepare it: '
    + prepare_command(name, folder)
  )


def _image_feature(builder, name, image_size, channels):
  """Key of the image and the shape it will have: ('image', (H, W, C))."""
  import tensorflow_datasets as tfds

  features = dict(builder.info.features or {})
  pictures = [
    k for k, f in features.items() if isinstance(f, tfds.features.Image)
  ]
  if not pictures:
    there = ', '.join(features) or 'none'
    raise UserError(
      f'data.name={name!r}: no image among its features: {there}.'
    )
  key = 'image' if 'image' in pictures else pictures[0]
  if np.dtype(features[key].np_dtype).kind == 'f':  # packed into four bytes
    raise UserError(
      f'data.name={name!r}: its {key!r} holds floats; expected whole numbers.'
    )
  height, width, depth = features[key].shape
  depth = channels or (1 if depth == 1 else 3)
  if image_size:
    return key, (image_size, image_size, depth)
  if height is None or width is None:
    raise UserError(
      f'data.name={name!r}: its images differ in size; data.image_size=N'
      ' gives all one size.'
    )
  return key, (height, width, depth)


def _label_feature(builder, take, size):
  """The feature `label` if any example has a class; -1 means it has none."""
  import tensorflow_datasets as tfds

  feature = dict(builder.info.features).get('label')
  if not isinstance(feature, tfds.features.ClassLabel):
    return None
  rows = np.unique(np.linspace(0, size - 1, LOOKED).astype(int))
  return feature if any(int(e['label']) >= 0 for e in take(rows)) else None


def _decode(encoded, *, name, image_size, shape, limits):
  try:
    x = images_lib.decode(
      io.BytesIO(encoded),
      image_size=image_size,
      channels=shape[-1],
      limits=limits,
    )
  except UserError as e:
    raise UserError(f'data.name={name!r}: {e}') from e
  except images_lib.UNREADABLE as e:
    raise UserError(f'data.name={name!r}: a damaged image ({e}).') from e
  if x.shape != shape:
    raise UserError(
      f'data.name={name!r}: an image is {x.shape}, others are {shape};'
      ' data.image_size=N gives all one size.'
    )
  return x


def _fingerprint(builder, split, shape, limits):
  root = pathlib.Path(str(builder.data_dir))
  files = sorted(p for p in root.iterdir() if p.is_file())
  usual = limits in (None, ranges.LEVELS)
  given = (split, shape) if usual else (split, shape, limits)
  return fingerprint.digest_files(files, root, builder.info.full_name, *given)
