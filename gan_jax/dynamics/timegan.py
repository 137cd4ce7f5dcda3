"""TimeGAN's three phases: embed, supervise, then all at once.

Yoon et al. 2019, Time-series Generative Adversarial Networks, in the form of
the authors' code. First E and G learn to rebuild series, then G's supervisor
what follows a moment; from then on G and E move twice for each move of D, which
waits while its loss is below a threshold.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib
from gan_jax.game import step as step_lib
from gan_jax.game.forward import Game
from gan_jax.types import D, G


def make(
  game: Game,
  *,
  embed: int = 1000,
  supervise: int = 1000,
  g_steps: int = 2,
  threshold: float = 0.15,
) -> Callable:
  """Returns step(state, batch, key) -> (state, metrics).

  Args:
    game: the rules; of a phase whose term it lacks there is none.
    embed: steps of the first phase: E's term `reconstruction` alone.
    supervise: steps of the second one: G's term `supervised` alone.
    g_steps: moves of all but D in a step of the third one.
    threshold: of D's loss; below it, D stays as it is.
  """
  terms = game.terms
  others = tuple(name for name in game.nets if name != D)
  phases, ends = [], []
  for player, name, steps, who in (
    ('e', 'reconstruction', embed, others),
    (G, 'supervised', supervise, (G,)),
  ):
    if name in terms.get(player, {}) and steps > 0:
      own = game._replace(terms={player: {name: terms[player][name]}})
      phases.append(_alone(own, who))
      ends.append(steps + sum(ends[-1:]))
  phases.append(_together(game, others, g_steps, threshold))
  names = step_lib.metric_names(terms)

  def filled(phase):
    def run(*args):
      state, metrics = phase(*args)
      zero = step_lib.zero_of(state)
      return state, dict.fromkeys(names, zero) | metrics

    return run

  branches = [filled(phase) for phase in phases]

  def step(state, batch, key):
    key = keys_lib.stream(key, keys_lib.STEP, state.step)
    # The batch's count is one for all seeds, so that one branch is taken.
    now = sum([batch['step'] >= end for end in ends], jnp.int32(0))
    state, metrics = jax.lax.switch(now, branches, state, batch, key)
    return step_lib.finish(game, state), metrics

  return step


def _alone(game, who):
  """One move of some players."""
  moved = step_lib.move(game, who)

  def phase(state, batch, key):
    own = keys_lib.stream(key, keys_lib.G_MOVE)
    return moved(state, step_lib.take(batch, -1), own)

  return phase


def _together(game, others, g_steps, threshold):
  """All others move, so many times; then D, if it has to."""
  move_others, move_d = (step_lib.move(game, who) for who in (others, (D,)))

  def phase(state, batch, key):
    for i in range(g_steps):
      own = keys_lib.stream(key, keys_lib.G_MOVE, i)
      state, on_g = move_others(state, step_lib.take(batch, -1), own)
    own = keys_lib.stream(key, keys_lib.D_MOVE, 0)
    moved, on_d = move_d(state, step_lib.take(batch, 0), own)
    loss = on_d[game.terms[D]['loss'].label]
    # What is no number is no reason to wait.
    keep = lambda new, old: jnp.where(loss < threshold, old, new)
    return jax.tree.map(keep, moved, state), {**on_d, **on_g}

  return phase
