"""A folder of image files, with or without a subfolder for each class.

Hidden files and folders and those of systems are no data, links are followed;
a line on stderr says what was left out.
"""

import functools
import math
import os
import sys

import numpy as np

from gan_jax.data import (
  attribute_files,
  classes,
  fingerprint,
  folders,
  images,
  memory,
  news,
  ranges,
  use,
)
from gan_jax.storage import memory as memory_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError, one_line

EXTENSIONS = (
  '.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.webp', '.bmp', '.gif', '.tif',
  '.tiff', '.avif', '.ppm', '.pgm', '.pbm', '.pnm',
)  # fmt: skip


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
  as by images.decode; what does not fit into memory_mb is decoded again
  whenever it is read.

  Args:
    dir: the folder.
    image_size: side of the central square, resized; 0 = as they are, if alike.
    channels: 1 or 3, with opacity 2 or 4.
    skip_corrupt: decode all files once, leave out what cannot be read.
    table: a .csv of vectors in place of classes, see attribute_files.read.
    range: the lowest and the highest value that the files may have, where it
      is not that of their type or they hardly use it, see data/ranges.
    memory_mb: the most that the decoded images may take.

  Raises:
    UserError: no folder, no image in it, a link in a loop or to nowhere, an
      image that cannot be read, several sizes without image_size, a range in
      doubt, no row in the table; what exceeds the memory is checked when read.
  """
  images.check_options(image_size=image_size, channels=channels, opacity=True)
  limits = ranges.parse(range)
  root, walked = _find(dir, skip_corrupt=skip_corrupt)
  files = walked.files
  open_image = functools.partial(
    _open, image_size=image_size, channels=channels or 3, limits=limits
  )
  if skip_corrupt:
    files = _readable(files, open_image, root, walked.skipped)
  use.judge(files, limits, f'data.dir={dir}')
  label, meaning = _labels(files, root, table)
  shape = open_image(files[0]).shape
  read = _make_read(files, label, shape, open_image)
  nbytes = len(files) * math.prod(shape)
  if nbytes <= memory_mb * 2**20:
    read = _remembered(read, len(files), nbytes, dir)
  _tell(root, files, meaning, walked)
  return Dataset(
    name=one_line(root.resolve().name),
    kind='image',
    shape=shape,
    size=len(files),
    read=read,
    nbytes=nbytes,
    fingerprint=_fingerprint(files, root, shape, (label, meaning), limits),
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


def _make_read(files, label, shape, open_image):
  def read(rows):
    chosen = [files[r] for r in rows]
    decoded = images.in_parallel(open_image, chosen)
    _check_shapes(decoded, chosen, shape)
    batch = {'x': np.stack(decoded)}
    return batch if label is None else {**batch, 'label': label[rows]}

  return read


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


def _readable(files, open_image, root, skipped):
  """The files that can be opened; warns of the others, and counts them."""
  errors = images.in_parallel(lambda path: _error(path, open_image), files)
  for path, e in zip(files, errors, strict=True):
    if e:
      reason = _reason(e.__cause__ or e)
      print(one_line(f'warning: {path}: skipped ({reason}).'), file=sys.stderr)
  good = [p for p, e in zip(files, errors, strict=True) if not e]
  if not good:
    raise UserError(f'data.dir={root}: none of its images can be read.')
  if len(good) < len(files):
    skipped['unreadable'] += len(files) - len(good)
  return good


def _error(path, open_image):
  try:
    open_image(path)
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
