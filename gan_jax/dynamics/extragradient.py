"""All look ahead, then step from where they stood by what they saw there.

Korpelevich 1976, as Gidel et al. 2019 (https://arxiv.org/abs/1802.10551),
Algorithm 2, have it with any optimizer: ExtraAdam is this with `adam`. Both
halves are steps of the optimizers: moments and counts are updated in both, so
that a schedule counts two updates in a step. Both players look ahead before
either steps.
"""

from collections.abc import Callable

from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import (
  accept,
  apply,
  finish,
  params_of,
  propose,
  take,
  with_params,
)


def make(game: Game) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  The two halves draw latents of their own; of real samples too, where the batch
  holds two batches (fresh_real).

  Args:
    game: the rules.

  Raises:
    UserError: a term that is due only every so many steps.
  """
  field_lib.check_prompt(game, 'extragradient')
  field = field_lib.make_field(game)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    ahead = apply(game, state, *field(state, take(batch, 0), own))
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    grads, change = field(ahead, take(batch, -1), own)
    updates, opts = propose(game, ahead, grads)
    stood = with_params(ahead, params_of(state, game.nets))
    after = accept(game, stood, updates, opts, change)
    return finish(game, after), change.metrics

  return step
