"""All move by what is new as well: twice this update less the one before.

Optimistic mirror descent: Daskalakis et al. 2018
(https://arxiv.org/abs/1711.00141). With `sgd` it is w -= rate (2 g_t -
g_(t-1)); with `adam`, their Algorithm 1, OptimisticAdam, which has the updates
of Adam in the place of gradients. Before the first update there is none, so
that the first step is twice as long, as in published code; optax's
optimistic_adam_v2 takes it once.
"""

from collections.abc import Callable

import jax

from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.field import still as init  # noqa: F401
from gan_jax.game.forward import DYNAMICS, Game
from gan_jax.game.step import accept, finish, propose, take
from gan_jax.types import UserError


def make(game: Game, *, strength: float = 1.0) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    strength: s, of u_t + s (u_t - u_(t-1)) for updates u; 0 is simultaneous.

  Raises:
    UserError: a strength below 0, or a term that is due only every so many
      steps.
  """
  if options.are_known(strength) and not strength >= 0:
    raise UserError(f'dynamics.strength={strength}: expected >= 0.')
  field_lib.check_prompt(game, 'optimistic')
  field = field_lib.make_field(game)
  ahead = lambda new, old: new + strength * (new - old)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    grads, change = field(state, take(batch, -1), own)
    updates, opts = propose(game, state, grads)
    moves = jax.tree.map(ahead, updates, state.memo[DYNAMICS])
    state = accept(game, state, moves, opts, change)
    state = field_lib.with_memory(state, updates)
    return finish(game, state), change.metrics

  return step
