"""All move from the same state, but whoever is too far ahead waits.

The gate of VAE/GAN's code (Larsen et al. 2016, https://arxiv.org/abs/1512.09300):
D waits while its cross-entropy of reals or of fakes is below equilibrium -
margin, G while one of the two is above equilibrium + margin; where both would,
both move. Other players, such as an encoder, always move.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.dynamics import simultaneous
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game, forward
from gan_jax.game.step import average, take
from gan_jax.types import D, G


def gate(costs, *, equilibrium, margin) -> tuple[jax.Array, jax.Array]:
  """Whether D and G move, [] bool each.

  Args:
    costs: D's mean cross-entropy of reals and of fakes, [2].
    equilibrium: the cost around which both move.
    margin: how far from it.
  """
  d_waits = (costs < equilibrium - margin).any()
  g_waits = (costs > equilibrium + margin).any()
  both = d_waits & g_waits
  return ~d_waits | both, ~g_waits | both


def make(
  game: Game, *, equilibrium: float = 0.68, margin: float = 0.4
) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules.
    equilibrium: see gate; cross-entropy of a D that knows nothing is .69.
    margin: see gate.
  """
  # The averages follow those who have moved.
  every = simultaneous.make(game._replace(decay={}))

  def step(state, batch, key):
    after, measured = every(state, batch, key)
    own = keys_lib.stream(key, keys_lib.STEP, state.step)
    own = keys_lib.stream(own, keys_lib.D_MOVE, 0)
    seen, _ = forward(game, state, take(batch, 0), own)
    costs = jnp.stack(
      [
        jax.nn.softplus(-seen.on_real['logits']).mean(),
        jax.nn.softplus(seen.on_fake['logits']).mean(),
      ]
    )
    moves = gate(game.mean(costs), equilibrium=equilibrium, margin=margin)
    for name, moved in zip((D, G), moves, strict=True):
      after = _where(moved, name, after, state)
    return average(game, after), measured

  return step


def _where(moved, name, after, before):
  """The state after, of a player as before unless it has moved."""
  keep = lambda new, old: jax.tree.map(
    lambda a, b: jnp.where(moved, a, b), new, old
  )
  memo = {
    k: keep(v, before.memo[k]) if k.startswith(f'{name}/') else v
    for k, v in after.memo.items()
  }
  one = keep(after.players[name], before.players[name])
  return after._replace(players={**after.players, name: one}, memo=memo)
