"""What a study needs: the plans of its cells, and their sum."""

from gan_jax.run.planning import costs, timed
from gan_jax.run.planning import plan as plan_lib
from gan_jax.study import plan as study_plan
from gan_jax.types import UserError

# Of the cells' plans, what is added up.
SUMMED = ('parameters', 'flops_per_step', 'bytes_per_step', 'bytes')
TIMES = ('seconds_per_step', 'seconds_per_run', 'seconds')


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
  once = {
    'compile_step': _once(costs.compile_step, again=lambda step: step),
    # A worker has compiled it already.
    'time_run': _once(timed.measure, again=lambda t: t._replace(start=0.0)),
  }
  cells = {
    name: _of_cell(name, config, {**kwargs, **once})
    for name, config in study_plan.configs(path).items()
  }
  made = {name: _sum([c[name] for c in cells.values()]) for name in SUMMED}
  measured = [c['measured'] for c in cells.values()]
  if all(TIMES[0] in one for one in measured):
    made['measured'] = {
      'device': measured[0]['device'],
      **{name: _sum([one[name] for one in measured]) for name in TIMES},
    }
  return made | {'cells': cells}


def _of_cell(name, config, kwargs):
  try:
    return plan_lib.of_run(config, **kwargs)
  except UserError as e:
    raise UserError(f'study: cell {name!r}: {e}') from e


def _once(function, *, again):
  """The function of a setup, called once for each program.

  Args:
    function: of a setup and more.
    again: what it gave -> what it gives from then on.
  """
  known = {}

  def given(setup, *args, **kwargs):
    key = setup.structure, len(setup.keys), setup.health_every
    if key in known:
      return again(known[key])
    known[key] = function(setup, *args, **kwargs)
    return known[key]

  return given


def _sum(values):
  """Of numbers, or of dicts of them key by key."""
  if not isinstance(values[0], dict):
    return sum(values)
  keys = dict.fromkeys(key for value in values for key in value)
  return {key: sum(value.get(key, 0) for value in values) for key in keys}
