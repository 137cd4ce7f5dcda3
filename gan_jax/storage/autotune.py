"""The kernels that XLA chose for a run on a GPU, whole or not there.

`autotune.textproto` lies in a workdir beside its checkpoints: XLA's results as
a text, below a line that protobuf takes for a comment: the version of jaxlib
that made them, as others may not read them, and their checksum.
"""

import pathlib
import re
import zlib
from importlib import metadata

from gan_jax.storage import files

NAME = 'autotune.textproto'
_HEAD = re.compile(r'# of jaxlib (\S+), crc32 ([0-9a-f]{8})\n')


class Damaged(ValueError):
  """A file that is not what was written."""


def version() -> str:
  """Of the jaxlib that is installed."""
  return metadata.version('jaxlib')


def write(workdir: pathlib.Path, results: str):
  """Keeps what XLA has written, unless that is what is there.

  Raises:
    OSError: it cannot be written.
  """
  head = f'# of jaxlib {version()}, crc32 {_checksum(results)}\n'
  path = workdir / NAME
  try:
    if path.read_text('utf-8') == head + results:
      return
  except (OSError, UnicodeDecodeError):
    pass
  files.write_text(path, head + results)


def read(workdir: pathlib.Path) -> str:
  """What this version of jaxlib wrote; '' if there is nothing of the kind.

  Raises:
    Damaged: it is not what was written.
    OSError: it cannot be read.
  """
  path = workdir / NAME
  if not path.exists():
    return ''
  try:
    text = path.read_text('utf-8')
  except UnicodeDecodeError as error:
    raise Damaged(f'{path} is no text') from error
  head = _HEAD.match(text)
  results = text[head.end() :] if head else ''
  if not head or _checksum(results) != head[2]:
    raise Damaged(f'{path} is damaged')
  return results if head[1] == version() else ''


def _checksum(text):
  return f'{zlib.crc32(text.encode()):08x}'
