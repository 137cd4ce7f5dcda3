"""Symplectic gradient adjustment: the turning part of the game is undone.

Balduzzi et al. 2018 (https://arxiv.org/abs/1802.05642), Section 3: of the
Jacobian J of the field v, A = (J - J^T) / 2 is what turns. All move against v +
weight A^T v, and A^T v = (J^T v - J v) / 2. The sign of the weight is aligned
(their Section 3.5), so that the adjustment draws towards fixed points that are
stable and away from those that are not.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game
from gan_jax.game.step import apply, finish, take
from gan_jax.types import UserError

EPSILON = 0.1  # of the alignment, where nothing says which way


def make(game: Game, *, weight: float = 1.0, align: bool = True) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    weight: lambda, of the adjustment; its size, if it is aligned.
    align: whether its sign is chosen at each step.

  Raises:
    UserError: a weight below 0, or a term that is due only every so many steps.
  """
  if options.are_known(weight) and not weight >= 0:
    raise UserError(f'dynamics.weight={weight}: expected >= 0.')
  field_lib.check_prompt(game, 'symplectic')
  both = field_lib.with_transposed(game)

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    own, batch = keys_lib.stream(key, keys_lib.D_MOVE, 0), take(batch, -1)
    grads, turned, change = both(state, batch, own)
    _, straight = field_lib.along(game, state, batch, own, grads)
    adjusted = jax.tree.map(lambda t, s: (t - s) / 2, turned, straight)
    size = weight
    if align:
      size = weight * alignment(grads, turned, adjusted)
    grads = jax.tree.map(lambda v, a: v + size * a, grads, adjusted)
    return finish(game, apply(game, state, grads, change)), change.metrics

  return step


def alignment(v, turned, adjusted) -> jax.Array:
  """The sign of the adjustment, [].

  Args:
    v: the field, {player: tree}.
    turned: J^T v, the gradient of |v|^2 / 2.
    adjusted: A^T v.
  """
  size = sum(leaf.size for leaf in jax.tree.leaves(v))
  inner = optax.tree.vdot
  to_rest, to_adjusted = inner(v, turned), inner(adjusted, turned)
  return jnp.sign(to_rest * to_adjusted / size + EPSILON)
