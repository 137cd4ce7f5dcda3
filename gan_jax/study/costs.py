"""What a study needs: the plans of its cells, and their sum."""

from gan_jax.run.planning import costs
from gan_jax.run.planning import plan as plan_lib
from gan_jax.study import plan as study_plan
from gan_jax.types import UserError

# Of the cells' plans, what is added up.
SUMMED = ('parameters', 'flops_per_step', 'bytes_per_step', 'bytes')
TIMES = ('seconds_per_step', 'seconds_per_run')


def of_study(path, **kwargs) -> dict:
  """The plan of a study; cells that differ in numbers alone compile once.

  Args:
    path: of the study file.
    **kwargs: of run.planning.plan.of_run.

  Returns:
    {'cells': {name: the plan of its runs}}, and their sums under the names that
    a plan has.

  Raises:
    UserError: see plan.configs and run.planning.plan.of_run.
  """
  compiled = {}
  cells = {
    name: _of_cell(name, config, compiled, kwargs)
    for name, config in study_plan.configs(path).items()
  }
  made = {name: _sum([c[name] for c in cells.values()]) for name in SUMMED}
  timed = [c['measured'] for c in cells.values()]
  if all(TIMES[0] in one for one in timed):
    made['measured'] = {
      'device': timed[0]['device'],
      **{name: sum(one[name] for one in timed) for name in TIMES},
    }
  return made | {'cells': cells}


def _of_cell(name, config, compiled, kwargs):
  def compile_step(setup):
    if setup.structure not in compiled:
      compiled[setup.structure] = costs.compile_step(setup)
    return compiled[setup.structure]

  try:
    return plan_lib.of_run(config, compile_step=compile_step, **kwargs)
  except UserError as e:
    raise UserError(f'study: cell {name!r}: {e}') from e


def _sum(values):
  """Of numbers, or of dicts of them key by key."""
  if not isinstance(values[0], dict):
    return sum(values)
  keys = dict.fromkeys(key for value in values for key in value)
  return {key: sum(value.get(key, 0) for value in values) for key in keys}
