"""What this machine can hold: told before it is asked for."""

import os

from gan_jax.types import UserError


def check_memory(nbytes: int, what: str):
  """Refuses what this machine could never hold.

  Args:
    nbytes: that are needed.
    what: takes them.

  Raises:
    UserError: there are not so many.
  """
  there = memory()
  if nbytes > there:
    raise UserError(
      f'{what}: {nbytes / 2**30:,.1f} GB are needed, this machine has'
      f' {there / 2**30:,.1f} GB.'
    )


def memory() -> int:
  """Bytes of this machine's memory."""
  return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
