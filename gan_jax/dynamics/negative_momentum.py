"""D moves, then everybody else; each with momentum, which may be negative.

Gidel et al. 2019 (https://arxiv.org/abs/1807.04740): on a bilinear game, heavy
ball converges if its momentum is negative and the players alternate, and never
where they move at once. A move is the optimizer's and beta times the player's
last one. With `sgd` it is the same as optim.NAME.momentum=beta under
`alternating`; here it goes with any optimizer, and with all players.
"""

from collections.abc import Callable

import jax

from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.field import still as init  # noqa: F401
from gan_jax.game.forward import DYNAMICS, Game
from gan_jax.game.repeated import repeated
from gan_jax.game.step import (
  finish,
  move,
  params_of,
  projected,
  take,
  with_params,
)
from gan_jax.types import D, UserError


def make(game: Game, *, beta: float = -0.5, d_steps: int = 1) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    beta: the momentum, between -1 and 1.
    d_steps: updates of D in a step, each on its own batch.

  Raises:
    UserError: a beta outside its range.
  """
  if options.are_known(beta) and not -1 < beta < 1:
    raise UserError(f'dynamics.beta={beta}: expected between -1 and 1.')
  move_d = _pushed(game, (D,), beta)
  others = tuple(name for name in game.nets if name != D)
  move_others = _pushed(game, others, beta)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    state, on_d = repeated(game, move_d, state, batch, key, d_steps)
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    state, on_g = move_others(state, take(batch, -1), own)
    return finish(game, state), {**on_d, **on_g}

  return step


def _pushed(game, who, beta):
  """A move of some players, and beta times the last one of each."""
  plain = move(game, who)

  def moved(state, batch, key):
    before, memory = params_of(state, who), state.memo[DYNAMICS]
    state, metrics = plain(state, batch, key)
    last = {name: memory[name] for name in who}
    push = lambda p, d: p + beta * d
    after = jax.tree.map(push, params_of(state, who), last)
    after = {name: projected(game, name, p) for name, p in after.items()}
    way = jax.tree.map(lambda a, b: a - b, after, before)
    state = field_lib.with_memory(state, {**memory, **way})
    return with_params(state, after), metrics

  return moved
