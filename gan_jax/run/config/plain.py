"""Values of a config as config.json can hold them."""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

DEEPEST = 20  # levels of groups; what is deeper is refused elsewhere


def is_group(value: Any) -> bool:
  """Whether it is a group of options."""
  return isinstance(value, Mapping | ConfigDict)


def numbers(value: Any, levels: int = DEEPEST) -> Any:
  """A value whose numbers, at any depth, are Python's own.

  Args:
    value: any; groups become dicts.
    levels: as deep as this.
  """
  if not levels:
    return value
  if is_group(value):
    return {key: numbers(value[key], levels - 1) for key in value}
  if type(value) in (tuple, list):
    return type(value)(numbers(v, levels - 1) for v in value)
  is_number = hasattr(value, 'dtype') and getattr(value, 'ndim', 1) == 0
  return value.item() if is_number else value


def textual(value: Any, levels: int = DEEPEST) -> Any:
  """A value whose keys, at any depth, are texts where they are numbers.

  A schedule has steps as keys, a config (and JSON) only texts.
  """
  if not levels:
    return value
  if is_group(value):
    name = lambda key: str(key) if type(key) is int else key
    return {name(k): textual(v, levels - 1) for k, v in value.items()}
  if type(value) in (tuple, list):
    return type(value)(textual(v, levels - 1) for v in value)
  return value
