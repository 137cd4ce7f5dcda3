"""What is said of data beside errors: lines on stderr, each of them once.

Both lines and errors name options by their keys in a config; a command that
calls them otherwise rewords them.
"""

import contextlib
import contextvars
import functools
import sys
from collections.abc import Callable, Iterator

from gan_jax.types import UserError, one_line

_reword = contextvars.ContextVar('reword', default=str)


def tell(line: str):
  """Prints a line on stderr, unless it was said before or is empty."""
  if line:
    _print(one_line(_reword.get()(line)))


@functools.cache  # data may be opened twice
def _print(line):
  print(line, file=sys.stderr)


@contextlib.contextmanager
def worded(reword: Callable) -> Iterator[None]:
  """Within it, lines and errors are reworded.

  Args:
    reword: text -> text.
  """
  token = _reword.set(reword)
  try:
    yield
  except UserError as e:
    raise UserError(reword(str(e))) from e
  finally:
    _reword.reset(token)
