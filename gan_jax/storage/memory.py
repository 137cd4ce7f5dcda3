"""What this machine can hold, checked before it is asked for."""

import os

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
