"""Which values the numbers of a penalty can have, by their names."""

from gan_jax.types import UserError

SHARES = ('p', 'nu', 'decay')  # from 0 to 1
SIZES = ('gamma', 'weight', 'sigma')  # of 0 or more
STEPS = ('epsilon',)  # of more than 0


def check(flag: str, given: dict):
  """Refuses a number that has no meaning; traced ones pass.

  Args:
    flag: how the config names these options.
    given: by name; whatever ends in `weight` is one.

  Raises:
    UserError: which, and what was expected.
  """
  for name, value in given.items():
    kind = name.rpartition('_')[2]
    if not isinstance(value, float | int):
      continue  # traced, or no number
    if name in SHARES and not 0 <= value <= 1:
      raise UserError(f'{flag}.{name}={value}: expected a number from 0 to 1.')
    if kind in SIZES and not value >= 0:
      raise UserError(f'{flag}.{name}={value}: expected at least 0.')
    if kind in STEPS and not value > 0:
      raise UserError(f'{flag}.{name}={value}: expected more than 0.')
