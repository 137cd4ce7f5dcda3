"""A folder of image files, with or without a subfolder for each class.

Hidden files and folders and those of systems are no data, links are followed;
a line on stderr says what was left out.
"""

import math
import os
import pathlib
import sys
from typing import NamedTuple

import numpy as np

from gan_jax.data import (
  attribute_files,
  classes,
  fingerprint,
  folder_index,
  folders,
  images,
  kept,
  memory,
  news,
  ranges,
  use,
)
from gan_jax.data.files import Files
from gan_jax.data.folder_index import Known
from gan_jax.storage import memory as memory_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError, one_line

EXTENSIONS = (
  '.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.webp', '.bmp', '.gif', '.tif',
  '.tiff', '.avif', '.ppm', '.pgm', '.pbm', '.pnm',
)  # fmt: skip


class Way(NamedTuple):
  """How a folder is read."""

  dir: str  # as it was given
  options: dict  # of `_open`
  skip_corrupt: bool
  table: str

  def open(self, path: pathlib.Path) -> np.ndarray:
    """A picture [H, W, C] uint8."""
    own = {'channels': self.options['channels'] or 3}
    return _open(path, **self.options | own)


def load(
  *,
  dir: str = '',
  image_size: int = 0,
  channels: int = 3,
  skip_corrupt: bool = False,
  table: str = '',
  range: str | tuple = '',
  memory_mb: float = 1024,
) -> Dataset:
  """Finds the images below a folder, in the order of their paths.

  If every image lies in a subfolder, the topmost one is its class; classes are
  numbered in the natural order of their names, 2 before 10. Images are decoded
  as by images.decode, and kept on disk (data/kept); what fits into memory_mb
  lies in memory.

  Args:
    dir: the folder.
    image_size: side of the central square, resized; 0 = as they are, if alike.
    channels: 1 or 3, with opacity 2 or 4.
    skip_corrupt: decode all files once, leave out what cannot be read.
    table: a .csv of vectors in place of classes, see attribute_files.read.
    range: the lowest and the highest value that the files may have, where it
      is not that of their type or they hardly use it, see data/ranges.
    memory_mb: the most that the decoded images may take in memory; what they
      take on disk is told in data/kept.

  Raises:
    UserError: no folder, no image in it, a link in a loop or to nowhere, an
      image that cannot be read, several sizes without image_size, a range in
      doubt, no row in the table; what exceeds the memory is checked when read.
  """
  images.check_options(image_size=image_size, channels=channels, opacity=True)
  limits = ranges.parse(range)
  root, walked = _find(dir, skip_corrupt=skip_corrupt)
  options = {'image_size': image_size, 'channels': channels, 'limits': limits}
  way = Way(dir, options, skip_corrupt, table)
  own = options, skip_corrupt, _table_digest(table)
  index = folder_index.of(walked.files, *own)
  files, learned, label, meaning = _look(walked, root, way, index)
  nbytes = len(files) * math.prod(learned.shape)
  decode = lambda rows: {'x': _decoded(files, rows, learned.shape, way)}
  identity = learned.fingerprint, options, index and index.beside
  read = kept.keep(decode, len(files), nbytes, f'{root}', *identity)
  if nbytes <= memory_mb * 2**20:
    read = _remembered(read, len(files), nbytes, dir)
  _tell(root, files, meaning, walked)
  return Dataset(
    name=one_line(root.resolve().name),
    kind='image',
    shape=learned.shape,
    size=len(files),
    read=read if label is None else _labelled(read, label),
    nbytes=nbytes,
    fingerprint=learned.fingerprint,
    any_order=True,
    **meaning,
  )


def describe(
  *, dir: str = '', image_size: int = 0, channels: int = 3
) -> Dataset:
  """What `load` gives, without a file; how many there are is not known.

  Raises:
    UserError: no image_size, so that the files alone know theirs.
  """
  images.check_options(image_size=image_size, channels=channels, opacity=True)
  if not image_size:
    raise UserError(
      f'data.dir={dir}: data.image_size=N, or only the files know their size.'
    )
  shape = (image_size, image_size, channels or 3)
  return memory.described('folder', 'image', shape, 0, item=1)


def _remembered(read, size, nbytes, dir):
  memory_lib.check_memory(nbytes, f'data.dir={dir}: its images')
  read = memory.remember(read, size)
  read(np.arange(1))  # now, so that a corrupt file is found before training
  return read


def _labels(files, root, table):
  """(labels [N], [N, C] or None; fields of the data set that they mean)."""
  read = lambda rows: label[rows]
  if table:
    label, attributes = attribute_files.read(table, files, root)
    return label, {'attributes': attributes, 'read_labels': read}
  label, class_names = folders.classes(files, root)
  if label is None:
    return None, {}
  count = classes.counter(read, len(label), len(class_names))
  meaning = {'class_names': class_names, 'count_classes': count}
  return label, meaning | {'read_labels': read}


def _tell(root, files, meaning, walked):
  """Says what was left out."""
  class_names = meaning.get('class_names', ())
  news.tell(folders.left_out(root, files, class_names, walked, thing='image'))


def _fingerprint(files, root, shape, labels, limits):
  """As ever where there is no table, and the range is as ever."""
  label, meaning = labels
  given = shape, meaning.get('class_names', ())
  given += () if limits in (None, ranges.LEVELS) else (limits,)
  given += (label, meaning['attributes']) if 'attributes' in meaning else ()
  return fingerprint.digest_files(files, root, *given)


def _look(walked, root, way, index):
  """(files that can be read, Known, labels, fields that they mean).

  What the folder's index knows is not looked up in the files again.
  """
  known = index.read() if index else None
  learned = known or _learn(walked.files, way)
  files = _without(walked, learned)
  label, meaning = _labels(files, root, way.table)
  if known:
    for line in known.lines:
      news.tell(line)
    return files, known, label, meaning
  try:
    limits, labels = way.options['limits'], (label, meaning)
    digest = _fingerprint(files, root, learned.shape, labels, limits)
  except OSError:
    images.in_parallel(way.open, files)  # names the first that is at fault
    raise
  learned = learned._replace(fingerprint=digest)
  if index:
    index.write(learned)
  return files, learned, label, meaning


def _table_digest(table):
  """Of the table's content; whether there is one is told elsewhere."""
  path = paths.expand(table) if table else None
  there = path is not None and path.is_file()
  return fingerprint.digest_files([path], path.parent) if there else ''


def _learn(files, way):
  """What reading the files tells, without a fingerprint."""
  unreadable = _unreadable(files, way) if way.skip_corrupt else {}
  good = _chosen(files, unreadable)
  with news.noted() as lines:
    use.judge(good, way.options['limits'], f'data.dir={way.dir}')
  return Known(way.open(good[0]).shape, '', unreadable, lines)


def _chosen(files, unreadable):
  names = [n for k, n in enumerate(files.names) if k not in unreadable]
  return Files(files.root, names) if unreadable else files


def _without(walked, learned):
  """The files that can be read; warns of the others, and counts them."""
  for row, reason in learned.unreadable.items():
    line = f'warning: {walked.files[row]}: skipped ({reason}).'
    print(one_line(line), file=sys.stderr)
  if learned.unreadable:
    walked.skipped['unreadable'] += len(learned.unreadable)
  return _chosen(walked.files, learned.unreadable)


def _decoded(files, rows, shape, way):
  """Pictures [n, H, W, C] uint8."""
  chosen = [files[r] for r in rows]
  decoded = images.in_parallel(way.open, chosen)
  _check_shapes(decoded, chosen, shape)
  return np.stack(decoded)


def _labelled(read, label):
  return lambda rows: {**read(rows), 'label': label[rows]}


def _find(folder, *, skip_corrupt):
  """(the folder's path, what is in it)."""
  if not folder:
    raise UserError('data.dir: expected a folder of images.')
  root = paths.expand(folder)
  if not os.path.isdir(root):
    raise UserError(f'data.dir={folder}: there is no such folder.')
  walked = folders.walk(root, EXTENSIONS)
  broken = [why for why in walked.skipped if why.startswith('broken link')]
  if broken and not skip_corrupt:
    raise UserError(
      f'{broken[0]}; data.skip_corrupt=True leaves such files out.'
    )
  if not walked.files:
    kinds = ' '.join(EXTENSIONS)
    there = folders.describe(walked.skipped)
    raise UserError(
      f'data.dir={folder}: no image in this folder ({kinds})'
      + (f'; there are: {there}.' if there else '.')
    )
  return root, walked


def _open(path, **options):
  try:
    if os.path.exists(path) and not os.path.isfile(path):
      raise OSError('not a file')  # a pipe would block
    return images.decode(path, **options)
  except UserError as e:
    raise UserError(f'{path}: {e}') from e
  except images.UNREADABLE as e:
    raise UserError(
      f'{path}: cannot be read as an image; data.skip_corrupt=True leaves such'
      f' files out ({_reason(e)}).'
    ) from e


def _reason(error):
  return str(error).partition('\n')[0] or type(error).__name__


def _unreadable(files, way):
  """{row: reason} of the files that cannot be opened."""
  errors = images.in_parallel(lambda path: _error(path, way), files)
  if all(errors):
    raise UserError(f'data.dir={way.dir}: none of its images can be read.')
  return {row: _reason(e.__cause__ or e) for row, e in enumerate(errors) if e}


def _error(path, way):
  try:
    way.open(path)
  except UserError as e:
    if isinstance(e.__cause__, UserError):  # it could be read
      raise
    return e


def _check_shapes(decoded, files, shape):
  for x, path in zip(decoded, files, strict=True):
    if x.shape != shape:
      raise UserError(
        f'{path}: {x.shape[0]}x{x.shape[1]}, others are'
        f' {shape[0]}x{shape[1]}; data.image_size=N gives all one size.'
      )
