"""Our step as `train` runs it: config, setup, program, on its own layout."""

from collections.abc import Callable

import jax
import numpy as np

from gan_jax.data import kinds, loading
from gan_jax.run import setup as setup_lib
from gan_jax.types import D, G


def real_data(config: dict) -> np.ndarray:
  """All of a config's data in model range, float32 [N, *shape]."""
  dataset = setup_lib.build(config).dataset
  x = loading.arrays(dataset)['x']
  return np.asarray(kinds.in_model_range(dataset, x), np.float32)


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

  def advance(n):
    nonlocal kept, total
    most = program.max_steps or n
    for first in range(0, n, most):
      now = min(most, n - first)
      kept, total = program.advance(kept, total, data(first), now)
    jax.block_until_ready(total)

  return advance
