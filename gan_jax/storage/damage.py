"""What is wrong with a step on disk: one short line that names the file.

Orbax raises anything, over many lines, and often without saying which of its
files it could not read.
"""

import contextlib
import errno
import json
import os
import pathlib
import re

from gan_jax.storage import format

NEEDED = ('meta/metadata', 'state/manifest.ocdbt')
JSON = ('meta/metadata', 'state/_METADATA', 'state/array_metadatas/')
MOST = 160  # characters
# What a disk can say to a write; beside it, when Orbax gives only the text.
TOLD = (
  errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES,
  errno.ESTALE,
)  # fmt: skip


def reason(path: pathlib.Path, error: Exception) -> str:
  """Why a step cannot be read.

  Args:
    path: its folder.
    error: that reading it has raised.

  Returns:
    a clause that names the file, or the leaf, where that can be known.
  """
  if isinstance(error, format.Damaged | format.Unlike):
    return str(error)
  found = _missing(path) or _no_json(path) or _named_by(path, error)
  return (found or f'{_state(path)}: {_typed(error)}')[:MOST]


def errno_of(error: BaseException | None) -> int | None:
  """What the disk has said, by the error or what caused it; None if nothing."""
  while error is not None:
    if isinstance(error, OSError) and error.errno:
      return error.errno
    for code in TOLD:
      if os.strerror(code) in str(error):
        return code
    error = error.__cause__ or error.__context__
  return None


def of_a_write(error: Exception) -> str:
  """Why something could not be written, in a clause."""
  code = errno_of(error)
  if code:
    return os.strerror(code)
  return _typed(error)[:MOST]


def _typed(error):
  lines = str(error).strip().splitlines() or ['']
  return f'{type(error).__name__}: {lines[0]}'


def _missing(path):
  """The first file that no step lacks."""
  for name in ('.', *NEEDED):
    wrong = _not_there(path / name, folder=name == '.')
    if wrong:
      return f'{name} {wrong}' if name != '.' else wrong
  return None


def _not_there(path, *, folder=False):
  try:
    os.stat(path)
  except FileNotFoundError:
    return 'is missing'
  except OSError as e:
    return f'cannot be read: {e.strerror}'
  if path.is_dir() != folder:
    return 'is a file' if folder else 'is a folder'
  return None


def _no_json(path):
  """The first of the files that should hold JSON and does not."""
  for file in _files(path, JSON):
    wrong = _not_there(file) or _parsing(file)
    if wrong:
      return f'{file.relative_to(path)} {wrong}'
  return None


def _parsing(file):
  try:
    content = file.read_bytes()
    json.loads(content.decode())
  except OSError as e:
    return f'cannot be read: {e.strerror}'
  except (ValueError, RecursionError):
    return 'is no JSON' if content else 'is empty'
  return None


def _state(path):
  """Files that say what the leaves are like; both hold JSON, but not theirs."""
  return ' or '.join(
    str(file.relative_to(path)) for file in _files(path, JSON[1:])
  )


def _files(path, names):
  """Those that are there; of a folder, which ends in a slash, all in it."""
  for name in names:
    file = path / name
    if not name.endswith('/'):
      yield from [file] if os.path.lexists(file) else []
    elif file.is_dir():
      with contextlib.suppress(OSError):  # Orbax can do without
        yield from [file / one for one in sorted(os.listdir(file))]


def _named_by(path, error):
  """The last file of the step that an error's text names, or the leaf."""
  found = None
  while error is not None and not found:
    text = str(error).partition('[tensorstore_spec')[0]
    files = re.finditer(rf'"({re.escape(str(path))}/[^"]*[^"/])"', text)
    leaf = re.search(r'Error reading "([^"]+)/[^"/]*" in .*?": (.*)', text)
    for file in files:
      name, told = pathlib.Path(file[1]), text[file.end() :].removeprefix(': ')
      wrong = _not_there(name) or f'({" ".join(told.split())})'
      found = f'{name.relative_to(path)} {wrong}'
    if not found and leaf:
      found = f'{leaf[1]} ({" ".join(leaf[2].split())})'
    error = error.__cause__ or error.__context__
  return found
