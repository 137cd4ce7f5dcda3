"""D moves, then everybody else.

Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), Algorithm 1. The
players beside D (G, and an encoder if there is one) move together, along the
gradient of the sum of their losses.
"""

from collections.abc import Callable

from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.repeated import repeated
from gan_jax.game.step import finish, move, take
from gan_jax.types import D


def make(game: Game, *, d_steps: int = 1) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  The batch holds d_steps batches, or one more if G is to meet real samples
  that D has not just met (relativistic losses; Jolicoeur-Martineau 2018,
  https://arxiv.org/abs/1807.00734).

  Args:
    game: the rules.
    d_steps: updates of D in a step, each on its own batch.
  """
  move_d = move(game, (D,))
  move_others = move(game, tuple(name for name in game.nets if name != D))

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    state, on_d = repeated(game, move_d, state, batch, key, d_steps)
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    state, on_g = move_others(state, take(batch, -1), own)
    return finish(game, state), {**on_d, **on_g}

  return step
