"""Many files below a folder: a sequence of paths that are made when needed.

A million `pathlib.Path` take a gigabyte and seconds; their names take neither.
"""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from gan_jax.data import images


class Files(Sequence):
  """Files below a folder, in an order.

  Attributes:
    root: the folder.
    names: of the files below it, with '/' between the parts.
  """

  def __init__(self, root: pathlib.Path, names: list[str]):
    """See the attributes."""
    self.root, self.names = root, names

  def __len__(self):
    return len(self.names)

  def __getitem__(self, at):
    if isinstance(at, slice):
      return Files(self.root, self.names[at])
    return self.root / self.names[at]


def names_of(files: Sequence[pathlib.Path], root: pathlib.Path) -> list[str]:
  """The names of files below a folder, with '/' between the parts."""
  if isinstance(files, Files) and files.root == root:
    return files.names
  return [p.relative_to(root).as_posix() for p in files]


def stamps(files: Files) -> np.ndarray:
  """What changes if a file does: [N, 4] int64, -1 for one that is not there.

  Its size, and when its content and its entry were last written, in
  nanoseconds; its number on the disk. Links are followed.
  """
  top = os.path.join(files.root, '')
  each = images.in_parallel(lambda name: _stamp(top + name), files.names)
  return np.array(each, np.int64).reshape(-1, 4)


def _stamp(path):
  try:
    own = os.stat(path)
  except OSError:
    return -1, -1, -1, -1
  return own.st_size, own.st_mtime_ns, own.st_ctime_ns, own.st_ino % 2**63
