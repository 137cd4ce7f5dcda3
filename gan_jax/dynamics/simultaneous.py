"""All players move from the same state (simultaneous gradient descent).

Mescheder et al. 2017 (https://arxiv.org/abs/1705.10461), Section 2.
"""

from collections.abc import Callable

from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import AUGMENT, Game
from gan_jax.game.step import finish, move, take
from gan_jax.types import D


def make(game: Game) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
  """
  move_d = move(game, (D,))
  move_others = move(game, tuple(name for name in game.nets if name != D))

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    after_d, on_d = move_d(state, take(batch, 0), own)
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    after, on_g = move_others(state, take(batch, -1), own)
    players = {**after.players, D: after_d.players[D]}
    of_d = {
      name: memo
      for name, memo in after_d.memo.items()
      if name == AUGMENT or name.startswith(f'{D}/')
    }
    both = after._replace(players=players, memo={**after.memo, **of_d})
    return finish(game, both), {**on_d, **on_g}

  return step
