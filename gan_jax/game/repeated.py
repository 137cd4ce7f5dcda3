"""What a step does several times: D's moves, each on its own batch."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import take
from gan_jax.types import State


def repeated(
  game: Game, moved: Callable, state: State, batch: dict, key, times: int
) -> tuple[State, dict]:
  """D's moves of a step, each on its own batch and by its own key.

  Args:
    game: the rules.
    moved: (state, batch, key) -> (state, metrics), of one move.
    state: before the first one.
    batch: of the step.
    key: of the step.
    times: how many moves there are.

  Returns:
    the state after the last one, and what that measured.
  """

  def one(state, i):
    own = keys_lib.stream(key, keys_lib.D_MOVE, i)
    return moved(state, take(batch, i), own)

  if times == 1 or game.unroll:
    for i in range(times):
      state, metrics = one(state, i)
    return state, metrics
  # A loop is compiled once, whatever the number of moves.
  state, every = jax.lax.scan(one, state, jnp.arange(times))
  return state, jax.tree.map(lambda x: x[-1], every)
