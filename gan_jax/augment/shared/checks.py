"""What augmentations refuse, each in one line that names the flag."""

import jax

from gan_jax.types import UserError


def check_images(name: str, x: jax.Array):
  """Refuses samples that are no images [B, H, W, C]; UserError."""
  if x.ndim != 4:
    raise UserError(
      f'augment.name={name}: expected images [B, H, W, C], not {x.shape}.'
    )


def check_range(flag: str, options: dict, high: float | None, *names: str):
  """Refuses numbers below 0, or above the highest that has a meaning.

  Args:
    flag: how the config names the options.
    options: numbers at hand; those that are not given have their defaults.
    high: None for any.
    *names: of these options.

  Raises:
    UserError: which, and what was expected.
  """
  for name in names:
    value = options.get(name, 0)
    if not 0 <= value <= (value if high is None else high):
      wanted = 'at least 0' if high is None else f'from 0 to {high:g}'
      raise UserError(f'{flag}.{name}={value}: expected {wanted}.')


def check_above(flag: str, options: dict, *names: str):
  """Refuses numbers that are not above 0; UserError."""
  for name in names:
    if not options.get(name, 1) > 0:
      raise UserError(f'{flag}.{name}={options[name]}: expected more than 0.')


def names_of(flag: str, value: str | tuple, known: tuple) -> tuple[str, ...]:
  """Names from a config, a tuple or a text with commas between them.

  Args:
    flag: how the config names them.
    value: of the config.
    known: names that there are.

  Raises:
    UserError: another name, or none.
  """
  words = value.split(',') if isinstance(value, str) else value
  names = tuple(str(word).strip() for word in words)
  if not names or not set(names) <= set(known) or len(set(names)) < len(names):
    raise UserError(
      f'{flag}={value!r}: expected some of {", ".join(known)}, each once.'
    )
  return names
