"""What a step is made of: gradient, apply, move. All of it is pure.

Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), Algorithm 1, for any
number of players. A dynamics (gan_jax/dynamics) composes these into

  step(state, batch, key) -> (state, metrics)

which knows no device; where a batch is split over devices, `mean` and `gather`
of the Game are the only places at which these meet.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gan_jax.game import ema as ema_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import AUGMENT, Game, augment_at, forward, mean_tree
from gan_jax.types import D, Player, State, Tree

SHARED = ('index', 'step', 'frozen')  # of a batch: the same for its n parts


class Change(NamedTuple):
  """What a gradient brings along, of its players; apply keeps it."""

  vars: dict  # {player: its new variables}
  memo: dict  # of their terms; the augmentation's is D's
  metrics: dict


# ------------------------------------------------------------------ gradient


def gradient(
  game: Game,
  who: tuple[str, ...],
  *,
  every: int = 1,
  ahead: Callable | None = None,
) -> Callable:
  """The gradient of the sum of some players' losses with respect to them all.

  Args:
    game: the rules.
    who: whose terms are added up, and who is differentiated.
    every: of their terms only those that are due every so many steps.
    ahead: (state, batch, key) -> the state at which the losses are taken, in
      place of the given one; the gradient goes through it.

  Returns:
    (state, batch, key) -> ({player: gradient}, Change), for a batch of one
    move. With game.microbatches it is the mean over parts of the batch: the
    same but where a network or a loss looks at the batch as a whole.
  """

  def one(state, batch, key):
    def objective(params):
      moving = with_params(state, params)
      moving = ahead(moving, batch, key) if ahead else moving
      total, *more = _value(game, who, moving, batch, key, every=every)
      return game.mean(total), more

    grads, (change, logits) = jax.grad(objective, has_aux=True)(
      params_of(state, who)
    )
    return (grads, change), logits

  def accumulated(state, batch, key):
    parts = [
      one(state, _part(batch, i, game.microbatches), key)
      for i in range(game.microbatches)
    ]
    made, logits = zip(*parts, strict=True)
    mean = mean_tree(lambda *x: sum(x) / len(x), *made)
    return mean, jnp.concatenate(logits)

  many = one if game.microbatches == 1 else accumulated

  def whole(state, batch, key):
    (grads, change), logits = many(state, batch, key)
    if D in who and every == 1 and AUGMENT in state.memo:
      # Once for the whole batch: what it makes of logits is no mean.
      learn = augment_at(game, batch['step']).update
      own = {AUGMENT: learn(state.memo[AUGMENT], game.gather(logits))}
      change = change._replace(memo={**change.memo, **own})
    return game.mean((grads, change))

  return whole


def _value(game, who, state, batch, key, *, every):
  """The sum of the players' terms [], the Change, D's logits of reals [b]."""
  seen, variables = forward(game, state, batch, key)
  total, memo, metrics = jnp.float32(0), {}, {}
  for player in who:
    for name, term in game.terms.get(player, {}).items():
      if term.every != every:
        continue
      where = memo_name(player, name)
      own = _stream_of(name, key, batch['index'])
      value, memo[where] = term.value(seen, state.memo[where], key=own)
      mean = value.mean().astype(jnp.float32)
      # Due once in so many steps, it counts so many times.
      total += term.every * mean
      metrics[term.label] = term.every * mean
      more = {k: measure(seen) for k, measure in term.also.items()}
      metrics |= {k: v.astype(jnp.float32) for k, v in more.items()}
  kept = {name: variables[name] for name in who}
  return total, Change(kept, memo, metrics), seen.on_real['logits']


def _stream_of(name, key, index):
  """Keys [b] by a term's name: adding a term leaves the others' draws alone."""
  own = jax.random.fold_in(key, keys_lib.by_name(name))
  return keys_lib.fold_examples(own, index)


def memo_name(player: str, name: str) -> str:
  """Under which State.memo keeps what a player's term remembers."""
  return f'{player}/{name}'


def params_of(state: State, who) -> dict:
  """{player: params} of some players."""
  return {name: state.players[name].params for name in who}


def with_params(state: State, params: dict) -> State:
  """The state with these parameters, {player: tree}."""
  replaced = {
    name: state.players[name]._replace(params=tree)
    for name, tree in params.items()
  }
  return state._replace(players={**state.players, **replaced})


def _part(batch, i, pieces):
  """The i-th of equal pieces of a batch of one move."""

  def cut(x):
    size = len(x) // pieces
    return x[i * size : (i + 1) * size]

  return _but(('step', 'frozen'), cut, batch)


def _but(whole, cut, batch):
  """A batch with all of its arrays cut, but for some entries."""
  return {
    k: v if k in whole else jax.tree.map(cut, v) for k, v in batch.items()
  }


# ---------------------------------------------------------------- what moves


def apply(game: Game, state: State, grads: dict, change: Change) -> State:
  """Moves the players whose gradients are given; only their variables stay."""
  return accept(game, state, *propose(game, state, grads), change)


def propose(game: Game, state: State, grads: dict) -> tuple[dict, dict]:
  """What the optimizers make of gradients.

  Returns:
    ({player: its update}, {player: its optimizer's new state}).
  """
  made = {
    name: game.tx[name].update(grad, player.opt, player.params)
    for name, grad in grads.items()
    for player in (state.players[name],)
  }
  return tuple({k: pair[i] for k, pair in made.items()} for i in (0, 1))


def accept(
  game: Game, state: State, updates: dict, opts: dict, change: Change
) -> State:
  """Adds updates to the parameters of their players; see propose."""
  players = dict(state.players)
  for name, update in updates.items():
    params = optax.apply_updates(players[name].params, update)
    params = projected(game, name, params)
    players[name] = Player(params, change.vars[name], opts[name])
  return state._replace(players=players, memo={**state.memo, **change.memo})


def projected(game: Game, name: str, params: Tree) -> Tree:
  """A player's parameters, after the projections that follow its updates."""
  for project in game.project.get(name, ()):
    params = project(params)
  return params


def move(game: Game, who: tuple[str, ...]) -> Callable:
  """One update of some players on one batch.

  Terms that are due every so many steps are an update of their own, as lazy
  regularisation is in the code of Karras et al. 2020
  (https://arxiv.org/abs/1912.04958, Section 3.1). It is a branch of the
  program that the other steps do not take: `batch['step']` has no seed axis,
  or vmap over seeds would compute both.

  Returns:
    (state, batch, key) -> (state, metrics), of one move.
  """
  usual = gradient(game, who)
  periods = {t.every for name in who for t in game.terms.get(name, {}).values()}

  def moved(state, batch, key):
    grads, change = usual(state, batch, key)
    state, metrics = apply(game, state, grads, change), change.metrics
    for every in sorted(periods - {1}):
      state, more = _when_due(game, who, every, state, batch, key)
      metrics = {**metrics, **more}
    return state, metrics

  return moved


def _when_due(game, who, every, state, batch, key):
  def again(state):
    grads, change = gradient(game, who, every=every)(state, batch, key)
    return apply(game, state, grads, change), change.metrics

  def nothing(state):
    due = {
      player: {k: t for k, t in game.terms[player].items() if t.every == every}
      for player in who
      if player in game.terms
    }
    return state, dict.fromkeys(metric_names(due), zero_of(state))

  return jax.lax.cond(batch['step'] % every == 0, again, nothing, state)


def zero_of(state: State) -> jax.Array:
  """What a branch of a step measures that measures nothing, float32 [].

  Of the state's own: under shard_map a constant would be of another type.
  """
  return jnp.float32(0 * state.step)


def finish(game: Game, state: State) -> State:
  """Counts the step; the averages follow, by the decay of the new count."""
  return average(game, state._replace(step=state.step + 1))


def average(game: Game, state: State) -> State:
  """The averages follow the players, by the decay of the state's count."""
  averages = dict(state.ema)
  for name, decay in game.decay.items():
    player = state.players[ema_lib.player_of(name)]
    averages[name] = ema_lib.update(
      averages[name], player.params, player.vars, decay(state.step)
    )
  return state._replace(ema=averages)


def take(batch: dict, i: int) -> dict:
  """The i-th of the n batches of a step: that of one move."""
  return _but(SHARED, lambda x: x[i], batch)


def metric_names(terms: dict) -> tuple[str, ...]:
  """Names of what a step measures, whichever way its moves are composed.

  Args:
    terms: of a Game.
  """
  every = [term for own in terms.values() for term in own.values()]
  return tuple(name for t in every for name in (t.label, *t.also))
