"""Whether a run has reached its goal, config.stop_when."""

import numpy as np

from gan_jax.components import options as options_lib
from gan_jax.metrics import records as records_lib
from gan_jax.report import text
from gan_jax.types import UserError


def mean_of(records: list[dict], metric: str) -> float | None:
  """Mean over the seeds, or None without such a score."""
  scored = records_lib.known([r for r in records if r['metric'] == metric])
  values = [r['value'] for r in scored]
  return float(np.mean(values)) if values else None


def reached(records: list[dict], goal: dict) -> bool:
  """Whether the mean over the seeds is below, or above, the goal.

  Args:
    records: of one step.
    goal: {} or {'metric': name, 'below': value} or {..., 'above': value}.
  """
  value = mean_of(records, goal['metric']) if goal else None
  if value is None:
    return False
  return value < goal.get('below', -np.inf) or value > goal.get('above', np.inf)


def words(records: list[dict], goal: dict) -> str:
  """'modes 8, above 7.5' of a goal that was reached."""
  side = 'below' if 'below' in goal else 'above'
  value = text.number(mean_of(records, goal['metric']))
  return f'{goal["metric"]} {value}, {side} {goal[side]:g}'


def check(goal: dict, names: tuple[str, ...]):
  """Refuses a config.stop_when that could never be reached.

  Raises:
    UserError: not {'metric': one of names, 'below' or 'above': number}.
  """
  if not goal:
    return
  keys = set(goal)
  if keys not in ({'metric', 'below'}, {'metric', 'above'}):
    raise UserError(
      "stop_when: expected {'metric': ..., 'below': ...} or 'above', got"
      f' {goal}.'
    )
  for key in keys - {'metric'}:
    options_lib.check_kind(f'stop_when.{key}', goal[key], float)
  if goal['metric'] not in names:
    raise UserError(
      f'stop_when.metric={goal["metric"]!r} is not among the metrics of this'
      f' run: {", ".join(names)}.'
    )


def last_step(step: int, records: list[dict], config: dict) -> int:
  """Of a run at a step: that where it is, if it has reached its goal there."""
  here = [r for r in records if r['step'] == step]
  done = reached(here, config['stop_when'])
  return step if done else config['steps']
