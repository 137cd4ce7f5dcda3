"""The moving average of another width, of what a run's checkpoints hold.

Runs with `ema.name=power` keep averages of some widths at each checkpoint; see
game/ema_posthoc for how others follow from these.
"""

import os

import jax

from gan_jax.components import options
from gan_jax.game import ema, ema_posthoc
from gan_jax.run import setup as setup_lib
from gan_jax.storage import paths
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import State, UserError


def taken(
  workdir, config: dict, setup, step: int, state: State, sigma: float | None
) -> tuple[State, float]:
  """(a run's state with its averages of another width, their distance).

  Args: see of_width; sigma: None for the run's own.
  """
  if sigma is None:
    return state, 0.0
  own, distance = of_width(workdir, config, setup, step, sigma)
  return state._replace(ema=own), distance


def of_width(
  workdir: str | os.PathLike,
  config: dict,
  setup: setup_lib.Setup,
  step: int,
  sigma: float,
) -> tuple[dict, float]:
  """State.ema [S, ...] as if it had been of that width up to a step.

  Args:
    workdir: of the run; all its checkpoints up to the step are read.
    config: of the run.
    setup: of this config.
    step: of one of its checkpoints.
    sigma: the width, as a share of the time of training.

  Returns:
    (the averages by player, how far their profile is from the one that is
    asked for; see ema_posthoc.distance).

  Raises:
    UserError: the run has no averages by a power, or none has this width.
  """
  own = config['ema']
  if own.get('name') != 'power':
    raise UserError(
      f'ema={sigma}: this run keeps no averages of which others can be made;'
      ' those with ema.name=power do.'
    )
  usual = options.taken_by(ema.make_power)['sigma'].default
  widths = [own.get('sigma', usual), *own.get('more', ())]
  names = ['', *(f'@{i}' for i in range(1, len(widths)))]
  states = _states(workdir, setup, step)
  wanted, made, gap = ema_posthoc.Profile(sigma, step), {}, 0.0
  for player in {ema.player_of(name) for name in states[step].ema}:
    kept = [
      (ema_posthoc.Profile(width, at), state.ema[f'{player}{name}'])
      for at, state in states.items()
      for name, width in zip(names, widths, strict=True)
    ]
    made[player], gap = ema_posthoc.averaged(kept, wanted)
  return made, gap


def _states(workdir, setup, step) -> dict[int, State]:
  """Of the checkpoints up to a step, the newest first."""
  like = jax.eval_shape(setup.init)
  folder = paths.expand(workdir) / 'checkpoints'
  with Checkpoints(folder, read_only=True) as checkpoints:
    steps = [s for s in checkpoints.steps() if 0 < s <= step]
    return {
      s: checkpoints.restore(like, which=s).state
      for s in sorted(steps, reverse=True)
    }
