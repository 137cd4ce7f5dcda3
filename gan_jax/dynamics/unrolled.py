"""G plays against the D that D is about to be, some of its updates ahead.

Metz et al. 2017 (https://arxiv.org/abs/1611.02163), equations (7) to (10): G's
loss is taken after `unroll` further updates of D, and its gradient goes through
them. D itself moves once; both move from the same state.
"""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import apply, finish, gradient, take
from gan_jax.types import D, UserError

# Adam's root has no slope at 0, where the gradients of dead units are.
TINY = 1e-12


def ignored(own: dict) -> str:
  """The option that has no effect beside the others, or ''."""
  usual = inspect.signature(make).parameters['rate'].default
  return '' if own.get('plain') or own.get('rate', usual) == usual else 'rate'


def make(
  game: Game, *, unroll: int = 5, plain: bool = False, rate: float = 0.1
) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    unroll: updates that D is ahead; 0 is simultaneous.
    plain: whether these are plain gradient descent; otherwise they are those of
      D's optimizer, as in the authors' code.
    rate: of plain gradient descent.

  Raises:
    UserError: an option out of range, microbatches, or a term that is due only
      every so many steps.
  """
  if unroll < 0:
    raise UserError(f'dynamics.unroll={unroll}: expected at least 0.')
  if options.are_known(rate) and not rate > 0:
    raise UserError(f'dynamics.rate={rate}: expected a positive number.')
  if game.microbatches > 1:
    raise UserError(
      f'microbatches={game.microbatches}: dynamics.name=unrolled goes through'
      ' updates on the whole batch; expected microbatches=1.'
    )
  field_lib.check_prompt(game, 'unrolled')
  ahead = _unrolling(game, unroll, optax.sgd(rate) if plain else None)
  others = tuple(name for name in game.nets if name != D)
  of_d = gradient(game, (D,))
  of_others = gradient(game, others, ahead=ahead if unroll else None)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    grads_d, on_d = of_d(state, take(batch, 0), own)
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    grads, change = of_others(state, take(batch, -1), own)
    state = apply(game, state, grads_d, on_d)
    state = apply(game, state, grads, change)
    return finish(game, state), {**on_d.metrics, **change.metrics}

  return step


def _unrolling(game, unroll, tx):
  """(state, batch, key) -> the state with D so many updates ahead."""
  if tx is not None:
    game = game._replace(tx={**game.tx, D: tx})
  look = gradient(game, (D,))

  def ahead(state, batch, key):
    if tx is not None:
      d = state.players[D]
      d = d._replace(opt=tx.init(d.params))
      state = state._replace(players={**state.players, D: d})
    for _ in range(unroll):
      grads, change = look(state, batch, key)
      grads = jax.tree.map(lambda g: g + jnp.where(g == 0, TINY, 0), grads)
      # What D's terms remember is of its own moves alone.
      state = apply(game, state, grads, change._replace(memo={}))
    return state

  return ahead
