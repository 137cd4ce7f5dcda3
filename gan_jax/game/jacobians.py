"""How a game acts on small differences: products with its Jacobians.

Of the flow along the players' gradients, theta' = -v(theta), and of the steps
that players take: their dynamics, optimizers and schedules. Batch and draws are
fixed. No Jacobian is ever written down: a product with a direction costs about
two steps.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import params_of, take
from gan_jax.types import State, Tree

# Adam's root has no slope at 0, where the moments of dead units are.
TINY = 1e-12


def of_flow(game: Game, state: State, batch: dict, key, u) -> tuple:
  """-J u, of the field v of all players' gradients.

  Args:
    game: the rules.
    state: where; of one seed.
    batch: of one step, as dynamics take it.
    key: root key [] of the seed.
    u: [N], a direction of all parameters.

  Returns:
    [N], and v [N].
  """
  key = keys_lib.stream(key, keys_lib.STEP, state.step)
  own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
  _, back = flat(params_of(state, game.nets))
  given = state, take(batch, -1), own
  v, turned = field_lib.along(game, *given, back(u))
  return -flat(turned)[0], flat(v)[0]


def of_steps(step: Callable, state: State, batch: dict, key, u, *, steps: int):
  """M u, of the map from the state before so many steps to that after them.

  Args:
    step: of a dynamics.
    state: where; of one seed.
    batch: of every one of these steps, without its count.
    key: root key [] of the seed.
    u: [N], a direction of what moves, see moving.
    steps: how many.

  Returns:
    [N].
  """
  state = _off_zero(state)
  at, back = flat(moving(state))

  def once(_, state):
    return step(state, {**batch, 'step': state.step}, key)[0]

  def after(at):
    first = put(state, back(at))
    # Not a loop of XLA for a single step: see dynamics/alternating.
    last = (
      once(0, first) if steps == 1 else jax.lax.fori_loop(0, steps, once, first)
    )
    return flat(moving(last))[0]

  return jax.jvp(after, (at,), (u,))[1]


def moving(state: State) -> tuple:
  """What steps move: parameters, optimizers, and what terms remember.

  Statistics of networks stay as they are.
  """
  return {k: (p.params, p.opt) for k, p in state.players.items()}, state.memo


def put(state: State, moved: tuple) -> State:
  """The state with another `moving`."""
  players = {
    name: state.players[name]._replace(params=params, opt=opt)
    for name, (params, opt) in moved[0].items()
  }
  return state._replace(players=players, memo=moved[1])


def flat(tree: Tree) -> tuple[jax.Array, Callable]:
  """The floats of a tree.

  Returns:
    (all of them [N] float32, the function that puts others in their place).
  """
  leaves, structure = jax.tree.flatten(tree)
  own = [
    i for i, x in enumerate(leaves) if jnp.issubdtype(x.dtype, jnp.inexact)
  ]
  parts = [leaves[i].astype(jnp.float32).reshape(-1) for i in own]

  def back(values):
    new, at = list(leaves), 0
    for i in own:
      part = values[at : at + leaves[i].size]
      new[i] = part.reshape(leaves[i].shape).astype(leaves[i].dtype)
      at += leaves[i].size
    return jax.tree.unflatten(structure, new)

  return jnp.concatenate(parts), back


def _off_zero(state):
  """The state, with no float of an optimizer that is exactly 0."""

  def off(x):
    if not jnp.issubdtype(x.dtype, jnp.inexact):
      return x
    return jnp.where(x == 0, jnp.asarray(TINY, x.dtype), x)

  players = {
    name: p._replace(opt=jax.tree.map(off, p.opt))
    for name, p in state.players.items()
  }
  return state._replace(players=players)
