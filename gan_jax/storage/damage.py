"""What is wrong with a step on disk: one short line that names the file.

Orbax raises anything, over many lines, and often without saying which of its
files it could not read.
"""

import contextlib
import errno
import json
import os
import pathlib

from gan_jax.storage import format

NEEDED = ('meta/metadata', 'state/manifest.ocdbt')
JSON = ('meta/metadata', 'state/_METADATA', 'state/array_metadatas/')
MOST = 160  # characters
QUOTE = '": '  # between what TensorStore quotes and why it failed
# Errors of a write, known by their text where Orbax passes on only that.
DISK_ERRORS = (
  errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES,
  errno.ESTALE,
)  # fmt: skip


def reason(path: pathlib.Path, error: Exception) -> str:
  """Why a step cannot be read.

  Args:
    path: the step's folder.
    error: what reading it has raised.

  Returns:
    a clause that names the file or the leaf, where that can be known.
  """
  if isinstance(error, format.Damaged | format.Unlike):
    return str(error)
  why = _missing(path) or _invalid_json(path) or _named_by(path, error)
  return (why or f'{_descriptions(path)}: {_typed(error)}')[:MOST]


def errno_of(error: BaseException | None) -> int | None:
  """The errno of an error or of what caused it; None if no disk is to blame."""
  while error is not None:
    if isinstance(error, OSError) and error.errno:
      return error.errno
    for code in DISK_ERRORS:
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
  """What is wrong with the first file that every step needs and has not."""
  for name in ('.', *NEEDED):
    wrong = _not_readable(path / name, is_folder=name == '.')
    if wrong:
      return f'{name} {wrong}' if name != '.' else wrong
  return None


def _not_readable(path, *, is_folder=False):
  try:
    os.stat(path)
  except FileNotFoundError:
    return 'is missing'
  except OSError as e:
    return f'cannot be read: {e.strerror}'
  if path.is_dir() != is_folder:
    return 'is a file' if is_folder else 'is a folder'
  return None


def _invalid_json(path):
  """What is wrong with the first file that should hold JSON and does not."""
  for file in _files(path, JSON):
    wrong = _not_readable(file) or _not_json(file)
    if wrong:
      return f'{file.relative_to(path)} {wrong}'
  return None


def _not_json(file):
  try:
    content = file.read_bytes()
    json.loads(content.decode())
  except OSError as e:
    return f'cannot be read: {e.strerror}'
  except (ValueError, RecursionError):
    return 'is no JSON' if content else 'is empty'
  return None


def _descriptions(path):
  """The files that describe the leaves: they hold JSON, but the wrong one."""
  return ' or '.join(
    str(file.relative_to(path)) for file in _files(path, JSON[1:])
  )


def _files(path, names):
  """Those of the names that exist; of a folder (`name/`), the files in it."""
  for name in names:
    file = path / name
    if not name.endswith('/'):
      yield from [file] if os.path.lexists(file) else []
    elif file.is_dir():
      with contextlib.suppress(OSError):  # Orbax can do without
        yield from [file / one for one in sorted(os.listdir(file))]


def _named_by(path, error):
  """What an error or its cause quotes: a file of the step, or else a leaf."""
  while error is not None:
    # TensorStore says `Error reading "w/0" in ... "/.../20/state/d/f": why` and
    # then shows its own specification, which quotes yet more.
    text = str(error).partition('[tensorstore_spec')[0]
    quoted = text.split('"')[1::2]
    why = f'({" ".join(text.rpartition(QUOTE)[2].split())})'
    for name in reversed(quoted):
      if name.startswith(f'{path}/') and not name.endswith('/'):
        file = pathlib.Path(name)
        return f'{file.relative_to(path)} {_not_readable(file) or why}'
    leaves = [q for q in quoted if '/' in q and not q.startswith('/')]
    if leaves:
      return f'{leaves[0].rpartition("/")[0]} {why}'
    error = error.__cause__ or error.__context__
  return None
