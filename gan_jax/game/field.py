"""The game's vector field, and what else dynamics share.

At a state, every player has the gradient of its own loss; together these are
the field v. Its Jacobian J says whether the players come to rest: Mescheder et
al. 2017 (https://arxiv.org/abs/1705.10461), Section 3.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game.forward import DYNAMICS, Game
from gan_jax.game.step import Change, gradient, params_of, with_params
from gan_jax.types import D, State, Tree, UserError


def make_field(game: Game) -> Callable:
  """The gradients of all players, at the same state and of the same draws.

  D's is that of its loss; the others', that of the sum of theirs.

  Returns:
    (state, batch, key) -> ({player: gradient}, Change), for a batch of one
    move, as step.gradient does.
  """
  sides = (D,), tuple(name for name in game.nets if name != D)
  own = [gradient(game, who) for who in sides]

  def field(state, batch, key):
    grads, variables, memo, metrics = {}, {}, {}, {}
    for of_side in own:
      more, change = of_side(state, batch, key)
      grads |= more
      variables |= change.vars
      memo |= change.memo
      metrics |= change.metrics
    return grads, Change(variables, memo, metrics)

  return field


def with_transposed(game: Game) -> Callable:
  """The field v and J^T v, the gradient of |v|^2 / 2.

  Returns:
    (state, batch, key) -> (v, J^T v, Change).
  """
  field = make_field(game)

  def both(state, batch, key):
    at = lambda params: field(with_params(state, params), batch, key)
    params = params_of(state, game.nets)
    grads, pull, change = jax.vjp(at, params, has_aux=True)
    # The mean after the gradient, as everywhere: see forward.make_means.
    return grads, game.mean(pull(grads)[0]), change

  return both


def along(game: Game, state: State, batch: dict, key, direction: dict) -> tuple:
  """(v, J u): the field, and its change along u = {player: tree}."""
  field = make_field(game)
  at = lambda params: field(with_params(state, params), batch, key)[0]
  return jax.jvp(at, (params_of(state, game.nets),), (direction,))


def check_prompt(game: Game, name: str):
  """Refuses terms that are due every so many steps.

  They are an update of their own, which a dynamics of one field has none of.

  Args:
    game: the rules.
    name: of the dynamics.

  Raises:
    UserError: there is such a term.
  """
  for terms in game.terms.values():
    for term_name, term in terms.items():
      if term.every > 1:
        raise UserError(
          f'penalties.{term_name}.every={term.every}: dynamics.name={name}'
          ' makes one update of all terms; expected every=1.'
        )


def with_memory(state: State, memory: Tree) -> State:
  """The state, in which the dynamics remembers this."""
  return state._replace(memo={**state.memo, DYNAMICS: memory})


def still(game: Game, state: State) -> dict:
  """A memory of updates before the first one: zeros, {player: tree}."""
  return jax.tree.map(jnp.zeros_like, params_of(state, game.nets))
