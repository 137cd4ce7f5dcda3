"""The kind of a data set: gan_jax/kinds/NAME.py, located and checked."""

import functools
from types import ModuleType
from typing import Any

from gan_jax import select
from gan_jax.types import Dataset, UserError

# What a kind's module defines; gan_jax/kinds/README.md says what each means.
MEMBERS = (
  'SHOWN', 'MAX_REAL', 'RANGE', 'BACKDROP', 'SUFFIXES', 'FEATURES',
  'to_model_range', 'from_model_range', 'to_metrics', 'mirror',
  'usual_metrics', 'picture', 'export', 'neighbours', 'MEASURED', 'as_images',
  'lines', 'fragment',
)  # fmt: skip


@functools.cache
def named(name: str) -> ModuleType:
  """The module of a kind, by its name or the dotted name of one outside.

  Raises:
    UserError: there is no such module, or it lacks one of MEMBERS.
  """
  module = select.module('kinds', name, flag='kind')
  lacking = [member for member in MEMBERS if not hasattr(module, member)]
  if lacking:
    raise UserError(f'kind={name!r}: the module has no {", ".join(lacking)}.')
  return module


def of(dataset: Dataset) -> ModuleType:
  """The module of a data set's kind.

  Raises:
    UserError: see named.
  """
  return named(dataset.kind)


def in_model_range(dataset: Dataset, x: Any) -> Any:
  """Raw examples [..., *] of a data set as its networks see them."""
  return of(dataset).to_model_range(x, dataset=dataset)
