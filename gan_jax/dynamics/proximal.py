"""All move by the gradients that they have where they arrive.

The proximal point method, w' = w - rate v(w'), of which extragradient and
optimism are approximations: Mokhtari et al. 2020
(https://arxiv.org/abs/1901.08511). Where they arrive is found by going there
again and again, which settles while the rate times the field's slope is below 1
(of the bilinear game of A = 1: rate < 1). One time is `simultaneous`; two times
are, with `sgd`, `extragradient` whose halves see the same batch.
"""

from collections.abc import Callable

import jax

from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import (
  accept,
  finish,
  params_of,
  propose,
  take,
  with_params,
)
from gan_jax.types import UserError


def make(game: Game, *, iterations: int = 5) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Each time starts from the optimizers as they were, so that a step is one
  update of theirs; all times see the same batch and the same draws.

  Args:
    game: the rules.
    iterations: how often to go there, each at the price of a step.

  Raises:
    UserError: no iterations, or a term that is due only every so many steps.
  """
  if iterations < 1:
    raise UserError(f'dynamics.iterations={iterations}: expected at least 1.')
  field_lib.check_prompt(game, 'proximal')
  field = field_lib.make_field(game)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    seen = lambda at: field(with_params(state, at), take(batch, -1), own)

    def again(_, at):
      grads, change = seen(at)
      there = accept(game, state, *propose(game, state, grads), change)
      return params_of(there, game.nets)

    at = params_of(state, game.nets)
    at = jax.lax.fori_loop(0, iterations - 1, again, at)
    grads, change = seen(at)
    state = accept(game, state, *propose(game, state, grads), change)
    return finish(game, state), change.metrics

  return step
