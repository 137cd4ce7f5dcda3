"""Checks that the metrics share: features and labels."""

import numpy as np

from gan_jax.types import UserError


def features(x, name: str, *, least: int = 1) -> np.ndarray:
  """Features on the host in float64, checked.

  Args:
    x: features [N, D], any kind of number.
    name: what to call them in an error.
    least: how many examples are needed.

  Returns:
    float64 [N, D].

  Raises:
    UserError: not [N, D], fewer than `least` examples, NaN or infinity.
  """
  x = np.asarray(x)
  if x.ndim != 2 or not x.shape[1]:
    raise UserError(f'{name}: expected an array [N, D], got {list(x.shape)}')
  if len(x) < least:
    raise UserError(f'{name}: at least {least} examples needed, got {len(x)}')
  x = x.astype(np.float64)
  bad = int((~np.isfinite(x)).any(axis=1).sum())
  if bad:
    raise UserError(f'{name}: {bad} of {len(x)} examples hold NaN or infinity')
  return x  # [N, D]


def unconverted(x, name: str, *, least: int = 1) -> np.ndarray:
  """Checks as `features` does, but without the copy of a large array.

  Args:
    x: features [N, D], any kind of number.
    name: what to call them in an error.
    least: how many examples are needed.

  Returns:
    [N, D] on the host, in its own type.

  Raises:
    UserError: as `features`.
  """
  x = np.asarray(x)
  whole = x.ndim == 2 and x.shape[1] and len(x) >= least
  if not whole or not np.isfinite(x).all():
    features(x, name, least=least)
  return x


def label_range(labels: np.ndarray, num_classes: int, what: str):
  """Refuses labels [N] outside 0 ... num_classes - 1.

  Args:
    labels: integers, at least one.
    num_classes: number of classes.
    what: begins the error: 'class_coverage: labels'.

  Raises:
    UserError: names the lowest and the highest of them.
  """
  if labels.min() < 0 or labels.max() >= num_classes:
    raise UserError(
      f'{what} from {labels.min()} to {labels.max()} do not fit '
      f'{num_classes} classes'
    )


def pair(a, b, names: tuple[str, str], *, least: int = 1) -> tuple:
  """Two sets of features as `features` gives them, of the same dimension.

  Args:
    a: features [N, D].
    b: features [M, D].
    names: what to call them in an error.
    least: how many examples are needed of each.

  Returns:
    float64 [N, D] and [M, D].

  Raises:
    UserError: as `features`, or the dimensions differ.
  """
  a, b = (
    features(x, n, least=least) for x, n in zip((a, b), names, strict=True)
  )
  same_dimension(a.shape[1], b.shape[1], names)
  return a, b


def same_dimension(a: int, b: int, names: tuple[str, str]):
  """Raises UserError, with both names, unless a and b are equal."""
  if a != b:
    raise UserError(f'{names[0]} have {a} dimensions, {names[1]} {b}')
