"""A folder of image files, with or without a subfolder for each class."""

import functools
import math
import os
import pathlib
import sys

import numpy as np

from gan_jax.data import fingerprint, images, memory
from gan_jax.storage import memory as memory_lib
from gan_jax.types import Dataset, UserError, one_line

EXTENSIONS = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.gif')


def load(
  *,
  dir: str = '',
  image_size: int = 0,
  channels: int = 3,
  skip_corrupt: bool = False,
  memory_mb: float = 1024,
) -> Dataset:
  """Finds the images below a folder, in the order of their paths.

  If every image lies in a subfolder, the uppermost one is its class. Images
  are turned upright; of an animation the first frame counts, of 16 bits the
  upper 8, and what is transparent lies on white. They are cut to the central
  square and resized if image_size says so. What does not fit into memory_mb is
  decoded again whenever it is read.

  Args:
    dir: the folder.
    image_size: side of the images, 0 = as they are, if all are alike.
    channels: 1 or 3.
    skip_corrupt: leave unreadable files out, naming each on stderr. All files
      are decoded once to find them.
    memory_mb: most that the decoded images may take.

  Raises:
    UserError: no folder, no image in it, an image that cannot be read, or
      images of several sizes without image_size. Of what does not fit into
      memory, only reading tells.
  """
  images.check_options(image_size=image_size, channels=channels)
  root, files = _find(dir)
  open_image = functools.partial(
    _open, image_size=image_size, channels=channels or 3
  )
  if skip_corrupt:
    files = _readable(files, open_image, root)
  label, class_names = _classes(files, root)
  shape = open_image(files[0]).shape
  read = _make_read(files, label, shape, open_image)
  nbytes = len(files) * math.prod(shape)
  if nbytes <= memory_mb * 2**20:
    memory_lib.check_memory(nbytes, f'data.dir={dir}: its images')
    read = memory.remember(read, len(files))
    read(np.arange(1))  # now: a corrupt file must stop us before training
  return Dataset(
    name=one_line(root.resolve().name),
    kind='image',
    shape=shape,
    size=len(files),
    read=read,
    nbytes=nbytes,
    class_names=class_names,
    fingerprint=fingerprint.digest_files(files, root, shape, class_names),
  )


def _make_read(files, label, shape, open_image):
  def read(rows):
    chosen = [files[r] for r in rows]
    decoded = images.in_parallel(open_image, chosen)
    _check_shapes(decoded, chosen, shape)
    batch = {'x': np.stack(decoded)}
    return batch if label is None else {**batch, 'label': label[rows]}

  return read


def _find(folder):
  if not folder:
    raise UserError('data.dir: expected a folder of images, there is none.')
  root = pathlib.Path(os.path.expanduser(folder))
  if not os.path.isdir(root):
    raise UserError(f'data.dir={folder}: there is no such folder.')
  files = [
    p
    for p in sorted(root.rglob('*'), key=lambda p: p.relative_to(root).parts)
    if p.suffix.lower() in EXTENSIONS
    and not p.name.startswith('.')
    and not p.is_dir()
  ]
  if not files:
    kinds = ' '.join(EXTENSIONS)
    raise UserError(f'data.dir={folder}: no image in this folder ({kinds}).')
  return root, files


def _open(path, *, image_size, channels):
  try:
    if os.path.exists(path) and not os.path.isfile(path):
      raise OSError('not a file')  # a pipe would keep us waiting
    return images.decode(path, image_size=image_size, channels=channels)
  except images.UNREADABLE as e:
    raise UserError(
      f'{path}: cannot be read as an image; data.skip_corrupt=True leaves such'
      f' files out ({_reason(e)}).'
    ) from e


def _reason(error):
  return str(error).partition('\n')[0] or type(error).__name__


def _readable(files, open_image, root):
  def complaint(path):
    try:
      open_image(path)
    except UserError as e:
      return e

  complaints = images.in_parallel(complaint, files)
  for path, e in zip(files, complaints, strict=True):
    if e:
      reason = _reason(e.__cause__ or e)
      line = one_line(f'warning: {path}: skipped ({reason}).')
      print(line, file=sys.stderr)
  good = [p for p, e in zip(files, complaints, strict=True) if not e]
  if not good:
    raise UserError(f'data.dir={root}: none of its images can be read.')
  return good


def _classes(files, root):
  """(labels [N], class names), or (None, ()) if a file is in no subfolder."""
  parts = [p.relative_to(root).parts for p in files]
  if any(len(p) == 1 for p in parts):
    return None, ()
  names, label = np.unique([p[0] for p in parts], return_inverse=True)
  return label.astype(np.int32), tuple(map(one_line, names.tolist()))


def _check_shapes(decoded, files, shape):
  for x, path in zip(decoded, files, strict=True):
    if x.shape != shape:
      raise UserError(
        f'{path}: {x.shape[0]}x{x.shape[1]}, others are'
        f' {shape[0]}x{shape[1]}; data.image_size=N makes all alike.'
      )
