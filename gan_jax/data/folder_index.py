"""What was learned of a folder of pictures when it was last read.

For each folder, and each way to read it, a file in $GAN_JAX_CACHE/folders
(~/.cache/gan_jax/folders). It holds as long as every file below the folder has
the name, the size, the times and the place on disk that it had: these are
looked up at every start. A damaged one is made anew; where none can be written
there is none.
"""

import contextlib
import importlib.metadata
import os
import time
from typing import Any, NamedTuple

import numpy as np

from gan_jax.data import files as files_lib
from gan_jax.data import fingerprint
from gan_jax.data.files import Files
from gan_jax.storage import files as disk
from gan_jax.storage import paths

FOLDER = 'folders'
VERSION = 1  # to be raised where the same files mean something else
FEWEST = 256  # files; fewer are read as quickly
# A file that is written twice within this time may look the same.
SETTLED_SECONDS = 2


class Known(NamedTuple):
  """What only reading the files tells.

  shape: of a picture.
  fingerprint: of the data set.
  unreadable: {row among all files: why it cannot be read}.
  lines: that were said of their range.
  """

  shape: tuple[int, ...]
  fingerprint: str
  unreadable: dict[int, str]
  lines: list[str]


class Index:
  """Where one folder's Known lies, and the folder's state.

  Attributes:
    beside: what the folder's fingerprint may not tell, see fingerprint.beside.
  """

  def __init__(self, files: Files, *options: Any):
    """Looks at all files, not into them.

    Args:
      files: below the folder.
      *options: all else that decides what is learned.
    """
    begun = time.time_ns()
    stamps = files_lib.stamps(files)
    names = '\0'.join(files.names).encode('utf-8', 'surrogateescape')
    self._state = fingerprint.digest(np.frombuffer(names, np.uint8), stamps)
    self.beside = fingerprint.beside(stamps)
    # A time at which the clock still stood when these were looked at could be
    # that of a later change, too.
    newest = stamps[:, 2].max(initial=0)
    self._settled = newest <= begun - SETTLED_SECONDS * 10**9
    self._whole = (stamps[:, 0] >= 0).all()
    name = fingerprint.digest(
      VERSION, importlib.metadata.version('pillow'), options,
      os.path.realpath(files.root),
    )  # fmt: skip
    self._path = paths.cache_dir() / FOLDER / f'{name[:32]}.json'

  def read(self) -> Known | None:
    """What is known, if the folder is as it was."""
    content = disk.read_json(self._path)
    known = content.get('known')
    if content.get('state') != self._state:
      return None
    if content.get('sum') != fingerprint.digest(known):
      return None
    rows = {int(row): why for row, why in known['unreadable'].items()}
    return Known(**known | {'shape': tuple(known['shape']), 'unreadable': rows})

  def write(self, known: Known):
    """Keeps it, unless files are missing or were changed a moment ago."""
    if not (self._whole and self._settled):
      return
    rows = {str(row): why for row, why in known.unreadable.items()}
    plain = known._asdict() | {'shape': list(known.shape), 'unreadable': rows}
    content = {'state': self._state, 'known': plain}
    content['sum'] = fingerprint.digest(plain)
    with contextlib.suppress(OSError):
      disk.write_json(self._path, content)


def of(files: Files, *options: Any) -> Index | None:
  """The index of a folder; None where it is not worth one. See Index."""
  return Index(files, *options) if len(files) >= FEWEST else None
