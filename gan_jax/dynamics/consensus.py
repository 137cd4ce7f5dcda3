"""All move against v + gamma grad(|v|^2 / 2), v being all players' gradients.

Mescheder et al. 2017 (https://arxiv.org/abs/1705.10461), Section 4: besides its
own loss, each player lessens the length of the field, which vanishes where all
are at rest. The second term is J^T v, at the price of a second backward pass.
"""

from collections.abc import Callable

import jax

from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import apply, finish, take
from gan_jax.types import UserError


def make(game: Game, *, gamma: float = 0.1) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    gamma: weight of the second term.

  Raises:
    UserError: a gamma below 0, or a term that is due only every so many steps.
  """
  if options.are_known(gamma) and not gamma >= 0:
    raise UserError(f'dynamics.gamma={gamma}: expected >= 0.')
  field_lib.check_prompt(game, 'consensus')
  both = field_lib.with_transposed(game)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    grads, turned, change = both(state, take(batch, -1), own)
    grads = jax.tree.map(lambda v, t: v + gamma * t, grads, turned)
    return finish(game, apply(game, state, grads, change)), change.metrics

  return step
