"""data.json: a run's data as far as its networks and its samples need them.

With it a run can be opened where its data are not.
"""

import math
import pathlib
from typing import Any

import numpy as np

from gan_jax.data import classes
from gan_jax.run.setup import Setup
from gan_jax.storage import files
from gan_jax.types import Dataset, UserError

NAME = 'data.json'
FIELDS = (
  'name', 'kind', 'shape', 'size', 'nbytes', 'class_names', 'attributes',
  'modes', 'fingerprint', 'about', 'any_order',
)  # fmt: skip


class Unwritable(TypeError):
  """A value that JSON cannot hold, so that it would come back as another."""


def write(workdir, setup: Setup):
  """Describes a run's data; does nothing where that is not possible.

  Of a conditional run the classes are counted, for labels are drawn by them.

  Args:
    workdir: of the run.
    setup: the networks and their data.
  """
  try:
    facts = _to_json(setup.dataset)['dataset']
  except Unwritable:
    return
  facts['has_splits'] = setup.open_split is not None
  facts['class_counts'] = _counts(setup) if setup.num_classes else None
  files.write_json(pathlib.Path(workdir) / NAME, facts)


def read(workdir) -> tuple[Dataset, bool] | None:
  """(the data set without `read`, whether it has splits); None if unknown."""
  facts = files.read_json(pathlib.Path(workdir) / NAME)
  try:
    return _dataset(facts), bool(facts['has_splits'])
  except (KeyError, TypeError, ValueError, AttributeError):
    return None


def _counts(setup):
  """Examples of each class; None where only reading all of them would tell."""
  if setup.dataset.count_classes is None and not setup.structure.resident:
    return None
  try:
    return classes.counts(setup.dataset).tolist()
  except UserError:
    return None


def _dataset(facts):
  # An older file does not know.
  facts = {'any_order': False, 'attributes': {'tuple': []}} | facts
  fields = {name: _from_json(facts[name]) for name in FIELDS}
  return Dataset(
    **fields, read=_unread, count_classes=_counter(facts.get('class_counts'))
  )


def _counter(counts):
  """What knows the counts of all examples, but not of some."""
  if counts is None:
    return None
  known = np.array(counts, np.int64)

  def count(rows=None):
    if rows is not None:
      raise UserError(
        'data.json tells only how many of all examples there are.'
      )
    return known

  return count


def _unread(rows):
  raise UserError('data.json describes these data; they are not here.')


# What JSON has no word for is a dict of one key.


def _to_json(value: Any) -> Any:
  """A value as JSON that _from_json makes the same value of.

  Raises:
    Unwritable: there is none.
  """
  if isinstance(value, Dataset):
    return {
      'dataset': {name: _to_json(getattr(value, name)) for name in FIELDS}
    }
  if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in 'biuf':
    finite = np.isfinite(value).all()
    if finite:
      return {'array': value.tolist(), 'dtype': value.dtype.str}
  elif type(value) is tuple:
    return {'tuple': [_to_json(one) for one in value]}
  elif type(value) is list:
    return [_to_json(one) for one in value]
  elif type(value) is dict:
    return {'items': [[_to_json(k), _to_json(v)] for k, v in value.items()]}
  elif value is None or type(value) in (bool, int, str):
    return value
  elif type(value) is float and math.isfinite(value):
    return value
  raise Unwritable(f'{type(value).__name__}')


def _from_json(value):
  if isinstance(value, list):
    return [_from_json(one) for one in value]
  if not isinstance(value, dict):
    return value
  word, inner = next(iter(value.items()))
  if word == 'array':
    return np.array(inner, np.dtype(value['dtype']))[()]
  if word == 'tuple':
    return tuple(map(_from_json, inner))
  if word == 'dataset':
    return _dataset(inner)
  return {_from_json(k): _from_json(v) for k, v in inner}
