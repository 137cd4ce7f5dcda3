"""Every k steps all players go back a part of the way that they have come.

Lookahead-minmax: Chavdarova et al. 2021 (https://arxiv.org/abs/2006.14567),
Algorithm 1. Beside the players that move, there are slow ones: after k steps of
another dynamics, slow += alpha (fast - slow) for all players at once, and the
fast ones go on from there. Nested, the slow ones are pulled back likewise, to
super slow ones, every `super_k` steps. Optimizers go on as they are.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.components import options
from gan_jax.game import field as field_lib
from gan_jax.game.forward import DYNAMICS, Game
from gan_jax.game.step import average, params_of, with_params
from gan_jax.types import State, UserError

BASE, SLOW, SUPER = 'base', 'slow', 'super'


def init(
  game: Game,
  state: State,
  *,
  base: str = 'alternating',
  of_base: dict = {},  # noqa: B006
  super_k: int = 0,
) -> dict:
  """The slow players, and what the other dynamics remembers."""
  copies = lambda: jax.tree.map(jnp.copy, params_of(state, game.nets))
  memory = {SLOW: copies()}
  if super_k:
    memory[SUPER] = copies()
  inner = _base(base, of_base).init
  return memory | ({BASE: inner(game, state)} if inner else {})


def period(*, k: int = 5, super_k: int = 0) -> int:
  """Steps after which it begins anew."""
  return super_k or k


def make(
  game: Game,
  *,
  base: str = 'alternating',
  of_base: dict = {},  # noqa: B006
  k: int = 5,
  alpha: float = 0.5,
  super_k: int = 0,
  d_steps: int = 1,
) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    base: the dynamics that makes the steps.
    of_base: its options.
    k: steps from one pull to the next.
    alpha: how much of the way is kept, up to 1.
    super_k: steps from one pull of the slow players to the next; 0: never.
    d_steps: updates of D in a step, if the dynamics has several.

  Raises:
    UserError: an option out of range, or of the other dynamics.
  """
  _check(k, super_k, alpha)
  # The averages follow what a step leaves, which is after the pull.
  inner = _base(base, of_base, d_steps=d_steps).make(game._replace(decay={}))

  def step(state, batch, key):
    memory = dict(state.memo[DYNAMICS])
    own = params_of(state, game.nets)
    slow = [name for name in (SLOW, SUPER) if name in memory]
    # A run may begin with the weights of another one.
    first = lambda new, old: jnp.where(state.step == 0, new, old)
    memory |= {name: jax.tree.map(first, own, memory[name]) for name in slow}
    state = field_lib.with_memory(state, memory.get(BASE, ()))
    state, metrics = inner(state, batch, key)
    memory |= {BASE: state.memo[DYNAMICS]} if BASE in memory else {}
    fast = params_of(state, game.nets)
    for name, every in ((SLOW, k), (SUPER, super_k)):
      if name in memory:
        due = state.step % every == 0
        fast, memory[name] = _pulled(fast, memory[name], alpha, due)
        if name == SUPER:  # which the slow ones go on from
          now = lambda new, old, due=due: jnp.where(due, new, old)
          memory[SLOW] = jax.tree.map(now, fast, memory[SLOW])
    state = with_params(field_lib.with_memory(state, memory), fast)
    return average(game, state), metrics

  return step


def _pulled(fast, slow, alpha, due):
  """(fast, slow) after a pull, if it is due."""
  between = lambda f, s: jnp.where(due, s + alpha * (f - s), s)
  slow = jax.tree.map(between, fast, slow)
  return jax.tree.map(lambda f, s: jnp.where(due, s, f), fast, slow), slow


def _check(k, super_k, alpha):
  if k < 1:
    raise UserError(f'dynamics.k={k}: expected at least 1.')
  if super_k and (super_k <= k or super_k % k):
    raise UserError(
      f'dynamics.super_k={super_k}: expected 0, or a higher multiple of k={k}.'
    )
  if options.are_known(alpha) and not 0 < alpha <= 1:
    raise UserError(f'dynamics.alpha={alpha}: expected above 0, up to 1.')


def _base(name, own, *, d_steps=1):
  """The other dynamics."""
  if name.rpartition('.')[2] == 'lookahead':
    raise UserError(
      f'dynamics.base={name}: expected another dynamics; super_k nests it.'
    )
  file = select.module('dynamics', name, flag='dynamics.base')
  takes = options.taken_by(file.make)
  options.check_known('dynamics.of_base', own, takes.keys() - {'d_steps'})
  if 'd_steps' in takes:
    own = {**own, 'd_steps': d_steps}
  elif d_steps != 1:
    raise UserError(
      f'dynamics.base={name} moves D once a step, but d_steps={d_steps}.'
    )
  return select.dynamics(name, **own)
