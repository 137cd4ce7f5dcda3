"""What is said of data beside errors: lines on stderr, each of them once.

Both lines and errors name options by their keys in a config; a command that
calls them otherwise rewords them.
"""

import contextlib
import contextvars
import functools
import re
import sys
from collections.abc import Callable, Iterator

from gan_jax.types import UserError, one_line

# Keys of config.data in a line. Not any word: a file may be called data.npz.
_KEY = re.compile(
  r'(?<![\w./-])data\.(dir|path|name|split|image_size|channels|skip_corrupt|'
  r'range|memory_mb|size|data_seed|std|radius|spacing|flip|held_out|'
  r'\w+(?=: unknown; ))\b(?!\.)'
)
_reword = contextvars.ContextVar('reword', default=str)
_noted = contextvars.ContextVar('noted', default=None)


def tell(line: str):
  """Prints a line on stderr, unless it was said before or is empty."""
  if line:
    if (noted := _noted.get()) is not None:
      noted.append(line)
    _print(one_line(_reword.get()(line)))


@functools.cache  # data may be opened twice
def _print(line):
  print(line, file=sys.stderr)


@contextlib.contextmanager
def noted() -> Iterator[list[str]]:
  """Within it, lines are printed and added to the list that it gives."""
  lines = []
  token = _noted.set(lines)
  try:
    yield lines
  finally:
    _noted.reset(token)


@contextlib.contextmanager
def flags(flag_of: Callable) -> Iterator[None]:
  """Within it, lines and errors name flags in place of a config's keys.

  Args:
    flag_of: 'range' -> the flag that stands for data.range: '--data.range'.
  """
  reword = lambda text: _KEY.sub(lambda key: flag_of(key[1]), text)
  token = _reword.set(reword)
  try:
    yield
  except UserError as e:
    raise UserError(reword(str(e))) from e
  finally:
    _reword.reset(token)
