"""From factors and their levels to the cells of a study.

A factor is a config key, a level one of its values. D. C. Montgomery, Design
and Analysis of Experiments: a full grid shows main effects and interactions;
one factor at a time needs fewer runs, but does not show how factors interact.
"""

import itertools
from typing import Any, NamedTuple

from gan_jax.types import UserError

DESIGNS = ('grid', 'one_at_a_time', 'leave_one_out')
BASE, FULL = 'base', 'full'  # names of the cells without and with all factors


class Cell(NamedTuple):
  """A point of the design."""

  name: str
  overrides: dict[str, Any]  # config key -> value
  levels: dict[str, str]  # factor -> name of the level, where it is set


def cells(design, factors: dict) -> tuple[Cell, ...]:
  """The cells of a design, in the order of the tables.

  Args:
    design: 'grid': every combination; 'one_at_a_time': the base, and each
      level alone; 'leave_one_out': all factors at their only level, and all
      but one of them; or a tuple of override dicts, or a dict of them by name.
    factors: config key -> tuple of values, or dict of values by name.

  Raises:
    UserError: nothing to vary, or two cells or levels with the same name.
  """
  if isinstance(design, (tuple, list, dict)):
    if factors:
      raise UserError('study: factors cannot be used with a list of overrides.')
    made = _listed(design)
  else:
    made = _by_factors(design, factors)
  _check_unique([cell.name for cell in made], 'cells')
  return tuple(made)


def _by_factors(design, factors):
  if design not in DESIGNS:
    there = ', '.join(DESIGNS)
    raise UserError(
      f'study: design={design!r}: there are {there}, or a tuple of overrides.'
    )
  named = {key: level_names(key, values) for key, values in factors.items()}
  if not named:
    raise UserError(f'study: factors is empty, design={design!r} needs one.')
  make = {
    'grid': _grid,
    'one_at_a_time': _one_at_a_time,
    'leave_one_out': _leave_one_out,
  }
  return make[design](named)


def level_names(factor: str, values) -> dict[str, Any]:
  """The levels of a factor by name; values without names get one.

  Args:
    factor: the config key.
    values: tuple of values, or dict of values by name.

  Raises:
    UserError: no level, or two with the same name.
  """
  if not isinstance(values, (dict, tuple, list)) or not values:
    raise UserError(
      f'study: factors[{factor!r}]={values!r}: expected one level or more.'
    )
  if isinstance(values, dict):
    return {str(name): value for name, value in values.items()}
  names = [level_name(factor, value) for value in values]
  _check_unique(names, f'levels of {factor!r}')
  return dict(zip(names, values, strict=True))


def level_name(factor: str, value) -> str:
  """A value in words: 'lsgan', 'learning_rate=0.001', 'r1 gamma=0.1'."""
  if isinstance(value, str):
    return value or 'none'
  if isinstance(value, dict):
    return _dict_name(value) or 'none'
  return f'{factor.rpartition(".")[2]}={_short(value)}'


def _dict_name(value):
  """'adam learning_rate=0.001' of a component, 'r1 gamma=0.1' of penalties."""
  if 'name' in value:
    rest = {k: v for k, v in value.items() if k != 'name'}
    return ' '.join([str(value['name']), *_options(rest)])
  if value and all(isinstance(v, dict) for v in value.values()):
    each = [' '.join([k, *_options(v)]) for k, v in value.items()]
    return ' + '.join(each)
  return ' '.join(_options(value))


def _options(options):
  return [f'{k}={_short(v)}' for k, v in options.items()]


def _short(value):
  if isinstance(value, float):
    return f'{value:g}'
  if isinstance(value, (tuple, list)):
    return '-'.join(map(_short, value)) or 'none'
  return str(value)


def _cell(levels, factors):
  overrides = {key: factors[key][name] for key, name in levels.items()}
  return Cell(', '.join(levels.values()), overrides, levels)


def _grid(factors):
  choices = itertools.product(*(factors[key] for key in factors))
  every = [dict(zip(factors, names, strict=True)) for names in choices]
  return [_cell(levels, factors) for levels in every]


def _one_at_a_time(factors):
  alone = [{key: name} for key, levels in factors.items() for name in levels]
  return [Cell(BASE, {}, {}), *(_cell(levels, factors) for levels in alone)]


def _leave_one_out(factors):
  for key, levels in factors.items():
    if len(levels) != 1:
      raise UserError(
        f'study: factors[{key!r}] has {len(levels)} levels; leave_one_out'
        " takes one: a factor that is left out has the base's value."
      )
  full = {key: next(iter(levels)) for key, levels in factors.items()}
  made = [_cell(full, factors)._replace(name=FULL)]
  for key in factors:
    levels = {k: name for k, name in full.items() if k != key}
    made.append(_cell(levels, factors)._replace(name=f'without {full[key]}'))
  return made


def _listed(design):
  if not design:
    raise UserError('study: design is empty; expected one cell or more.')
  if not isinstance(design, dict):
    design = {_overrides_name(one): one for one in _overrides(design)}
  for name, one in design.items():
    if not isinstance(one, dict):
      raise UserError(
        f'study: design[{name!r}]={one!r}: expected a dict of overrides.'
      )
    for key in one:
      if not isinstance(key, str) or not key:
        raise UserError(f'study: design[{name!r}]: not a config key: {key!r}.')
  return [Cell(str(name), one, {}) for name, one in design.items()]


def _overrides(design):
  names = []
  for one in design:
    if not isinstance(one, dict):
      raise UserError(f'study: design: expected dicts of overrides, got {one}.')
    names.append(_overrides_name(one))
  _check_unique(names, 'cells')
  return design


def _overrides_name(overrides):
  named = (level_name(str(k), v) for k, v in overrides.items())
  return ', '.join(named) or BASE


def _check_unique(names, what):
  again = [name for name in names if names.count(name) > 1]
  if again:
    raise UserError(
      f'study: two {what} are called {again[0]!r}; name them: {{name: value}}.'
    )
