"""Prepared data sets of TensorFlow Datasets, read without TensorFlow.

https://www.tensorflow.org/datasets; the folder must have been prepared as
array_record.
"""

import contextlib
import difflib
import functools
import io
import logging
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from gan_jax import select
from gan_jax.data import fingerprint
from gan_jax.data.files import Files, stamps
from gan_jax.storage import paths
from gan_jax.types import UserError

LOOKED = 16  # examples, for whether there are classes
# What TFDS asks for beside TensorFlow when it prepares a data set.
TO_PREPARE = {
  'spoken_digit': ' pydub "audioop-lts; python_version>=\'3.13\'"',
}


def _not_by_tfds(record: logging.LogRecord) -> bool:
  # TFDS logs a warning before it raises the same as an error.
  return 'tensorflow_datasets' not in pathlib.PurePath(record.pathname).parts


logging.getLogger('absl').addFilter(_not_by_tfds)


def folder_of(dir: str) -> pathlib.Path:
  """Where prepared data sets lie; '' stands for TFDS's usual folder."""
  usual = os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
  return paths.expand(dir or usual)


def builder_of(name: str, folder: str, make: Callable | None = None) -> Any:
  """TFDS's builder of a data set in a folder, prepared or not.

  Args:
    name: of the data set.
    folder: where it lies.
    make: of TFDS's options makes the builder, where TFDS cannot by itself; see
      with_features.

  Raises:
    UserError: an unknown name, or a damaged folder.
  """
  import tensorflow_datasets as tfds

  make = make or functools.partial(tfds.builder, name, try_gcs=False)
  try:
    # TFDS prints at length about a missing TensorFlow before it raises.
    with contextlib.redirect_stdout(io.StringIO()):
      return make(data_dir=folder, file_format='array_record')
  except tfds.core.DatasetNotFoundError as e:
    raise _unknown(name) from e
  except Exception as e:  # of a damaged folder, of any type
    if not re.match(r'[a-z]\w*([:/]|$)', name):
      raise _unknown(name) from e
    reason = re.sub(r'.*builder_kwargs "[^"]*": ', '', ' '.join(str(e).split()))
    raise UserError(f'data.name={name!r}: {reason[:200]}') from e


def with_features(name: str, features: dict) -> type:
  """TFDS's builder of a data set, with features that need no TensorFlow.

  Args:
    name: of the data set.
    features: by their names, stored as those that they stand for.

  Returns:
    a class, for builder_of to make.
  """
  import tensorflow_datasets as tfds

  class Builder(tfds.builder_cls(name), skip_registration=True):
    def _info(self):
      own = tfds.features.FeaturesDict(features)
      return tfds.core.DatasetInfo(builder=self, features=own)

  Builder.name = name
  return Builder


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
    f'pip install "tensorflow>=2.20"{TO_PREPARE.get(name, "")}'
    ' && python -c "import tensorflow_datasets'
    f" as tfds; tfds.builder('{name}', data_dir='{folder}', "
    "file_format='array_record').download_and_prepare()\""
  )


def source_of(
  builder: Any, name: str, folder: str, split: str, *, encoded: str = ''
) -> Any:
  """Random access to the examples of a split.

  Args:
    builder: from builder_of.
    name: of the data set.
    folder: where it lies.
    split: one of its splits, or a part of one.
    encoded: the feature whose bytes are not decoded, if any.

  Raises:
    UserError: it is not prepared there (the message says how to), damaged, or
      has no such split.
  """
  import tensorflow_datasets as tfds

  form = builder.info.file_format
  if not builder.info.splits:
    raise _not_prepared('has not been prepared in', name, folder)
  if form is not None and form.value != 'array_record':
    raise _not_prepared(f'is {form.value}, not array_record, in', name, folder)
  decoders = {encoded: tfds.decode.SkipDecoding()} if encoded else None
  try:
    return builder.as_data_source(split=split, decoders=decoders)
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


def make_take(source: Any, name: str, folder: str) -> Callable:
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


def label_feature(builder: Any, take: Callable, size: int) -> Any:
  """The feature `label` if any example has a class; -1 means it has none."""
  import tensorflow_datasets as tfds

  feature = dict(builder.info.features).get('label')
  if not isinstance(feature, tfds.features.ClassLabel):
    return None
  rows = np.unique(np.linspace(0, size - 1, LOOKED).astype(int))
  return feature if any(int(e['label']) >= 0 for e in take(rows)) else None


def attributes_of(builder: Any) -> tuple[str, ...]:
  """The names in the feature `attributes`, a dict of truth values; or ()."""
  import tensorflow_datasets as tfds

  feature = dict(builder.info.features).get('attributes')
  if not isinstance(feature, tfds.features.FeaturesDict):
    return ()
  flags = {k: np.dtype(f.np_dtype).kind == 'b' for k, f in feature.items()}
  return tuple(flags) if all(flags.values()) else ()


def digest(builder: Any, *given) -> str:
  """The fingerprint of a prepared data set as it was asked for.

  Args:
    builder: from builder_of.
    *given: whatever decides what is made of the files.
  """
  files = _files_of(builder)
  name = builder.info.full_name
  return fingerprint.digest_files(files, files.root, name, *given)


def beside(builder: Any) -> str:
  """What the fingerprint may not tell, see fingerprint.beside."""
  return fingerprint.beside(stamps(_files_of(builder)))


def _files_of(builder):
  root = pathlib.Path(str(builder.data_dir))
  return Files(root, sorted(p.name for p in root.iterdir() if p.is_file()))
