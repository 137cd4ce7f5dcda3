"""Numbers that become schedules, and schedules numbers; see game/schedules."""

from typing import Any

from ml_collections import ConfigDict

GROUPS = ('penalties', 'optim')  # of whose members the numbers may vary
ONE = ('augment',)  # a group whose own numbers may


def is_swap(key: str, value: Any, old: Any) -> bool:
  """Whether a value takes a schedule's place, or a number's as a schedule.

  Args:
    key: dotted.
    value: the new one.
    old: the one that is there, None if there is none.
  """
  group, *path = key.split('.')
  least = {**dict.fromkeys(GROUPS, 2), **dict.fromkeys(ONE, 1)}
  if len(path) < least.get(group, len(key)) or path[-1] in ('schedule', 'then'):
    return False
  if _is_schedule(value):
    return old is None or _is_number(old)
  return _is_number(value) and _is_schedule(old)


def _is_schedule(value):
  return isinstance(value, dict | ConfigDict) and 'name' in value


def _is_number(value):
  return isinstance(value, int | float) and not isinstance(value, bool)
