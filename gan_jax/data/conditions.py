"""Conditions that are vectors: attributes of an example, or other numbers.

Where a data set has them, a label is a vector [C] float32 in place of the
number of a class, and `Dataset.attributes` names its C numbers.
"""

from typing import Any

import numpy as np

from gan_jax.types import Dataset, UserError


def are_vectors(y: Any) -> bool:
  """Whether an array of labels holds a vector for each example.

  A column of whole numbers is none: these are classes in another shape.
  """
  if y is None or y.ndim != 2 or y.dtype.kind not in 'iufb':
    return False
  return y.dtype.kind == 'f' or y.shape[1] > 1


def checked(y: Any, size: int, where: str) -> np.ndarray:
  """Vectors as they are kept, [N, C] float32.

  Args:
    y: [N, C] numbers, such as attributes that are 0 or 1.
    size: N, of the examples.
    where: what an error begins with.

  Raises:
    UserError: another shape, or a number that is not finite.
  """
  y = np.asarray(y)
  if y.ndim != 2 or len(y) != size or not y.shape[1]:
    raise UserError(
      f'{where}: expected {size} conditions [N, C], got {list(y.shape)}.'
    )
  with np.errstate(over='ignore'):
    y = y.astype(np.float32)
  bad = ~np.isfinite(y).all(axis=1)
  if bad.any():
    raise UserError(
      f'{where}: conditions of {bad.sum():,} examples hold NaN or infinity, the'
      f' first is that of example {bad.argmax():,}.'
    )
  return y


def check(dataset: Dataset):
  """Looks at one example of a data set whose conditions are vectors.

  Raises:
    UserError: it has classes as well, or a vector of another shape or type.
  """
  count, where = len(dataset.attributes), f'data {dataset.name}'
  if dataset.class_names:
    raise UserError(
      f'{where}: expected `class_names` or `attributes`, there are both.'
    )
  y = of(dataset, np.arange(1))
  if y.dtype.kind != 'f':  # whole numbers would be taken for classes
    raise UserError(f'{where}: expected conditions of floats, got {y.dtype}.')
  y = checked(y, 1, where)
  if y.shape[1] != count:
    raise UserError(
      f'{where}: conditions of {y.shape[1]} numbers, but {count} `attributes`.'
    )


def of(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
  """The vectors [n, C] of some rows [n], if possible without the samples."""
  if dataset.read_labels:
    return np.asarray(dataset.read_labels(rows))
  return np.asarray(dataset.read(rows)['label'])
