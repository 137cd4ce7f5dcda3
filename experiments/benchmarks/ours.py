"""Our step as `train` runs it: config, setup, program, on its own layout."""

from collections.abc import Callable

import jax
import numpy as np

from gan_jax.data import kinds, loading
from gan_jax.devices import layout
from gan_jax.run import setup as setup_lib
from gan_jax.types import D, G


def real_data(setup: setup_lib.Setup) -> dict[str, np.ndarray]:
  """All of the data in model range: x float32 [N, *shape], and labels.

  Labels [N] int64 are there only if the networks see them.
  """
  arrays = loading.arrays(setup.dataset)
  x = kinds.in_model_range(setup.dataset, arrays['x'])
  made = {'x': np.asarray(x, np.float32)}
  if setup.conditional:
    made['label'] = np.asarray(arrays['label'], np.int64)
  return made


def variables(state) -> tuple[dict, dict]:
  """Those of the first seed's G and D at the beginning, of a setup's init()."""
  first = lambda tree: jax.tree.map(lambda x: np.asarray(x[0]), tree)
  return tuple(
    first({'params': player.params, **player.vars})
    for player in (state.players[G], state.players[D])
  )


def num_params(setup: setup_lib.Setup) -> tuple[int, int]:
  """Of one G and of one D."""
  state = jax.eval_shape(setup.init)
  return tuple(
    sum(p.size for p in jax.tree.leaves(player.params)) // len(setup.keys)
    for player in (state.players[G], state.players[D])
  )


def make_advance(setup: setup_lib.Setup, **kwargs) -> Callable:
  """Returns n -> None: takes n steps of all seeds and waits for them.

  Args:
    setup: from setup.build.
    **kwargs: of setup.make_program; layout, for one.
  """
  program = setup_lib.make_program(setup, **kwargs)
  data = setup_lib.make_data(setup, program, step=0)
  kept = program.put(setup.init())
  total = program.put(program.zeros)

  step = 0

  def advance(n):
    nonlocal kept, total, step
    last = step + n
    while step < last:
      now = layout.most_steps(program.max_steps, step, last - step)
      kept, total = program.advance(kept, total, data(step), now)
      step += now
    jax.block_until_ready(total)

  return advance
