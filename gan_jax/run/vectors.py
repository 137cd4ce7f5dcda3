"""Conditions of samples that are vectors: drawn, or asked for by somebody."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.components import modules
from gan_jax.data import names
from gan_jax.types import UserError

FLAG = '--condition'
_LARGEST = float(np.finfo(np.float32).max)


def parse(words: str, attributes: Sequence[str]) -> tuple[list, list]:
  """What --condition says of a vector.

  Args:
    words: all its numbers, 0,1,0.5; or some of them by name, Smiling=1,Male=0.
    attributes: the names of its C numbers.

  Returns:
    (places [K] in the vector, their numbers [K]).

  Raises:
    UserError: too few numbers, a name that there is not, what is no number.
  """
  parts = [part.strip() for part in words.split(',')]
  flag, count = f'{FLAG}={words}', len(attributes)
  if not all('=' in part for part in parts):
    values = [_number(part, flag) for part in parts]
    if len(values) != count:
      raise UserError(
        f'{flag}: expected {count} numbers, or NAME=NUMBER of some of'
        f' {names.listed(attributes)}; got {len(values)}.'
      )
    return list(range(count)), values
  pairs = [part.rpartition('=') for part in parts]
  places = [_place(name.strip(), attributes, flag) for name, _, _ in pairs]
  return places, [_number(value, flag) for _, _, value in pairs]


def _place(name, attributes, flag):
  if name in attributes:
    return attributes.index(name)
  near = modules.near(name, attributes)
  hint = f'; did you mean {near[0]!r}?' if near else '.'
  raise UserError(
    f'{flag}: no such attribute {name!r}{hint} There are'
    f' {names.listed(attributes)}.'
  )


def _number(text, flag):
  try:
    value = float(text)
  except ValueError:
    value = np.nan
  if not abs(value) <= _LARGEST:
    raise UserError(f'{flag}: expected numbers, got {text!r}.')
  return value


def given(label: Any, attributes: Sequence[str], n: int) -> Any:
  """Conditions [n, C] float32 of what somebody gives for n samples.

  Args:
    label: [C], of all of them, or [n, C]; it may be traced.
    attributes: the names of the C numbers.
    n: of samples.

  Raises:
    UserError: another shape, or numbers that are not finite.
  """
  count, xp = len(attributes), np
  if isinstance(label, jax.core.Tracer):
    xp = jnp
  try:
    label = xp.asarray(label, xp.float32)
  except (TypeError, ValueError) as e:
    raise UserError(
      f'label: expected a vector of {count} numbers'
      f' ({names.listed(attributes)}).'
    ) from e
  if label.shape not in ((count,), (n, count)):
    raise UserError(
      f'label has the shape {list(label.shape)}: expected [{count}], or'
      f' [{n}, {count}], the numbers {names.listed(attributes)}.'
    )
  if xp is np and not np.isfinite(label).all():
    raise UserError('label: it holds NaN or infinity.')
  return xp.broadcast_to(label, (n, count))
