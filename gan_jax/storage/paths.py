"""The one rule for all paths that people give, in flags, configs and files.

`~` and `~user` are home folders; what is relative is relative to the current
folder when it is given, and stored absolute.
"""

import os
import pathlib

from gan_jax.types import UserError


def expand(path) -> pathlib.Path:
  """The path that is meant.

  Raises:
    UserError: no path; `~user` of nobody (a folder of such a name is ./~user).
  """
  if not isinstance(path, str | os.PathLike):
    raise UserError(f'{path!r}: expected a path.')
  text = os.fspath(path)
  if not text.startswith('~'):
    return pathlib.Path(text)
  expanded = os.path.expanduser(text)
  if expanded == text:
    raise UserError(
      f'{text}: there is no such user; a file of that name is ./{text}.'
    )
  return pathlib.Path(expanded)


def given(path) -> pathlib.Path:
  """The same; an empty one, which would be the current folder, is refused.

  Raises:
    UserError: see expand.
  """
  if path == '':
    raise UserError("'': expected a path; the current folder is '.'.")
  return expand(path)


def text(path: str) -> str:
  """The same as a text; '' stays what it is, and so does a slash at the end."""
  if not path.startswith('~'):
    return path
  return f'{expand(path)}{os.sep if path.endswith(os.sep) else ""}'


def absolute(path: str) -> str:
  """The same from any folder, if there is such a file; other text as it is.

  What a data set of one's own calls its path may be an address.
  """
  place = os.path.abspath(expand(path)) if path else ''
  return place if place and os.path.exists(place) else path


def cache_dir(folder=None) -> pathlib.Path:
  """Where what may be made again is kept: weights, statistics, programs.

  Args:
    folder: default $GAN_JAX_CACHE, or gan_jax where caches are.

  Raises:
    UserError: see expand.
  """
  caches = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
  usual = os.environ.get('GAN_JAX_CACHE') or os.path.join(caches, 'gan_jax')
  return expand(folder or usual)
