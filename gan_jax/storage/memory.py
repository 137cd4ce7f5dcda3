"""What this machine can hold, checked before it is asked for."""

import os
import resource
import sys

from gan_jax.types import UserError


def check_memory(nbytes: int, what: str):
  """Refuses what this machine could never hold.

  Args:
    nbytes: how many bytes are needed.
    what: what takes them, in words.

  Raises:
    UserError: this machine has fewer.
  """
  available = memory()
  if nbytes > available:
    raise UserError(
      f'{what}: {nbytes / 2**30:,.1f} GB are needed, this machine has'
      f' {available / 2**30:,.1f} GB.'
    )


def memory() -> int:
  """The size of this machine's memory in bytes."""
  return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


def peak() -> int:
  """Bytes of memory that this process has had at most."""
  most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return most if sys.platform == 'darwin' else most * 1024
