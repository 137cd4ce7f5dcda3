"""What an .npz says of its examples' labels: classes, or vectors."""

from typing import Any

import numpy as np

from gan_jax.data import conditions, names
from gan_jax.types import UserError

NAMES_KEY, ATTRIBUTES_KEY = 'class_names', 'attributes'


def read(
  y: np.ndarray | None, arrays: dict[str, np.ndarray], size: int, path: str
) -> tuple[np.ndarray | None, dict[str, tuple[str, ...]]]:
  """The labels of a file's examples, and what they mean.

  Args:
    y: its array of labels, if there is one.
    arrays: among which NAMES_KEY [C] or ATTRIBUTES_KEY [C] may be.
    size: N, of the examples.
    path: of the file.

  Returns:
    classes [N] int32 and {'class_names': [C]}, vectors [N, C] float32 and
    {'attributes': [C]}, or None and {}.

  Raises:
    UserError: they are of another shape or type, or unlike their names.
  """
  if y is None:
    return None, {}
  if conditions.are_vectors(y):
    label = conditions.checked(y, size, f'data.path={path}')
    there = arrays.get(ATTRIBUTES_KEY)
    return label, {'attributes': _attributes(there, label.shape[1], path)}
  label, class_names = _classes(y, arrays.get(NAMES_KEY), size, path)
  return label, {'class_names': class_names}


def _attributes(declared, count, path):
  """The names of a vector's numbers; without any they are counted from 0."""
  if declared is None:
    return tuple(map(str, range(count)))
  attributes = _declared(declared, path, ATTRIBUTES_KEY)
  if len(attributes) != count or len(set(attributes)) != count:
    raise UserError(
      f'data.path={path}: expected `{ATTRIBUTES_KEY}` of {count} different'
      f' names, one for each number of a condition; there are'
      f' {len(set(attributes))}.'
    )
  return attributes


def _classes(y, declared, size, path):
  """(labels [N], class names) of labels and the names in the file, if any."""
  if y.shape != (size,):
    raise UserError(
      f'data.path={path}: expected {size} labels [N], or vectors [N, C], got'
      f' {y.dtype} {list(y.shape)}.'
    )
  if y.dtype.kind not in 'iubUS' or (y.dtype.kind == 'i' and y.min() < 0):
    least = f', down to {y.min()}' if y.dtype.kind == 'i' else ''
    raise UserError(
      f'data.path={path}: expected labels that are integers from 0, or names,'
      f' got {y.dtype}{least}; conditions that are numbers are [N, C].'
    )
  class_names = None
  if declared is not None:
    class_names = _declared(declared, path, NAMES_KEY)
  if class_names is not None and y.dtype.kind in 'iub':
    _check_below(y.max(), class_names, path)
    return y.astype(np.int32), class_names
  given, label = np.unique(y, return_inverse=True)
  given = [names.tidy(v) for v in given.tolist()]
  class_names = class_names or names.in_order(given)
  if unknown := sorted(set(given) - set(class_names)):
    raise UserError(
      f'data.path={path}: `{NAMES_KEY}` lacks {names.listed(unknown)},'
      ' which is among the labels.'
    )
  number = {name: k for k, name in enumerate(class_names)}
  return np.array([number[n] for n in given], np.int32)[label], class_names


def _declared(declared: Any, path, key):
  """The names that the file gives to its classes, or attributes."""
  if declared.dtype.kind not in 'US' or declared.ndim != 1:
    raise UserError(
      f'data.path={path}: expected `{key}` [C] of text, got'
      f' {declared.dtype} {list(declared.shape)}.'
    )
  return tuple(map(names.tidy, declared.tolist()))


def _check_below(highest, class_names, path):
  if highest >= len(class_names):
    raise UserError(
      f'data.path={path}: a label is {highest}, but `{NAMES_KEY}` has only'
      f' {len(class_names)} names, for 0 to {len(class_names) - 1}.'
    )
