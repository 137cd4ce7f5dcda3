"""The labels of samples as the flags of `sample` ask for them."""

from typing import Any

import numpy as np

from gan_jax.kinds.drawing import sheets
from gan_jax.run import draws, vectors
from gan_jax.run import labels as labels_lib
from gan_jax.types import UserError


def classes_asked(flags: Any) -> tuple[str, str]:
  """(what --class or --classes says, which of them says it).

  Raises:
    UserError: both do.
  """
  one, other = getattr(flags, 'class'), flags.classes
  if one and other:
    raise UserError(f'--class={one} and --classes={other} are the same flag.')
  return (other, draws.NUMBERED) if other else (one, '--class')


def asked(setup, flags: Any, *, grid: bool) -> np.ndarray | None:
  """Labels [num] int, or vectors [num, C]; None where G knows none.

  Args:
    setup: setup.Setup.
    flags: of `sample`.
    grid: whether a picture is made, whose columns are classes unless the flags
      say otherwise.

  Raises:
    UserError: labels that this generator is not told of.
  """
  if setup.attributes or flags.condition:
    return _vectors(setup, flags)
  words, flag = classes_asked(flags)
  if words:
    return draws.labels_of(_classes(setup, words, flag, flags), flags.num)
  labels_lib.check_classes(flags.labels, setup)
  if grid and setup.num_classes and not flags.labels:
    columns = sheets.evenly(setup.num_classes, sheets.COLUMNS)
    return draws.labels_of(columns, flags.num)
  how = flags.labels or labels_lib.DATA
  return draws.labels_of_draw(setup, how, flags.num, seed=flags.seed)


def _vectors(setup, flags):
  """The vectors of the samples: those of examples, with --condition's numbers.

  If it gives all of them, no examples are needed.
  """
  words, attributes = flags.condition, setup.attributes
  if not attributes:
    raise UserError(
      f'{vectors.FLAG}={words}: this generator is told of no vectors, but of'
      f' {"classes" if setup.conditional else "nothing"}.'
    )
  name, flag = classes_asked(flags)
  if name:
    raise UserError(
      f'{flag}={name}: this generator is told of vectors; expected'
      f' {vectors.FLAG}={attributes[0]}=1, or other numbers.'
    )
  labels_lib.check_classes(flags.labels, setup)
  places, numbers = vectors.parse(words, attributes) if words else ([], [])
  made = np.zeros((flags.num, len(attributes)), np.float32)
  if len({*places}) < len(attributes):
    how = labels_lib.DATA
    made = draws.labels_of_draw(setup, how, flags.num, seed=flags.seed)
  made[:, places] = numbers
  return made


def _classes(setup, words, flag, flags):
  """The numbers of the classes that are asked for."""
  if flags.labels:
    raise UserError(f'--labels={flags.labels} does not go with {flag}.')
  classes = draws.class_numbers(setup, words, flag=flag)
  if flags.num < len(classes):
    raise UserError(
      f'--num={flags.num}: expected at least one of each of the'
      f' {len(classes)} classes of {flag}.'
    )
  return classes
