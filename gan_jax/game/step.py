"""What a step is made of: forward, gradient, apply. All of it is pure.

Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), Algorithm 1, for any
number of players. A dynamics (gan_jax/dynamics) composes these into

  step(state, batch, key) -> (state, metrics)

which knows no device; where a batch is split over devices, `mean` and `gather`
of the Game are the only places at which these meet.

A batch is {'x': [n, b, ...], 'label': [n, b, ...] or absent, 'index': [b],
'step': [], 'frozen': any or absent}: n batches of real samples in model range,
which examples of the global batch these b are, the number of steps before this
one (a single one for all seeds), and arrays that nobody trains.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from gan_jax.game import ema as ema_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game.terms import Augment, Forward
from gan_jax.types import D, G, Player, State, Tree

AUGMENT = 'augment'  # its memo's name
SHARED = ('index', 'step', 'frozen')  # of a batch: the same for its n parts


class Game(NamedTuple):
  """The rules: all that a step closes over."""

  nets: dict  # flax.linen modules by player
  terms: dict  # {player: {name: Term}}
  tx: dict  # optax optimizers by player
  prior: Callable  # key -> latent of one example
  decay: dict  # {player: step -> weight of the old average}, of averaged ones
  play: Callable  # see play
  project: dict = {}  # {player: [params -> params]}, after each of its moves
  augment: Augment = Augment()
  mean: Callable = lambda tree: tree  # over the devices that share a batch
  gather: Callable = lambda x: x  # what all of these have, along axis 0
  microbatches: int = 1  # into which a gradient's batch is cut


class Change(NamedTuple):
  """What a gradient brings along; apply keeps it."""

  vars: dict  # {player: its new variables}
  memo: dict
  metrics: dict


def make_means(axis: str | None) -> tuple[Callable, Callable]:
  """Returns (mean, gather) over the devices that share a batch.

  The mean is applied to the loss inside the differentiated function and to the
  gradients after it: only both together are right under jit, pmap and
  shard_map alike. `gather` gives every device the logits of the global batch,
  so that losses which compare a logit with a batch mean do not depend on the
  number of devices.

  Args:
    axis: mesh axis over which the batch is split; None if it is not.
  """
  if axis is None:
    return (lambda tree: tree), (lambda x: x)

  def mean(tree):
    return _mean_tree(lambda x: jax.lax.pmean(x, axis), tree)

  return mean, lambda x: jax.lax.all_gather(x, axis, tiled=True)


def _mean_tree(mean, tree, *more):
  """The mean of what has one; counters are alike, and stay whole numbers."""
  of = lambda x, *y: mean(x, *y) if jnp.issubdtype(x.dtype, jnp.inexact) else x
  return jax.tree.map(of, tree, *more)


# ------------------------------------------------------------------- forward


def play(run: Callable, net: Callable, batch: dict, latent: Tree) -> tuple:
  """The usual game: D sees real samples, and what G makes of latents.

  A model with an encoder, with pairs or packs of samples brings its own.

  Args:
    run: (player, *inputs) -> its output in training mode.
    net: the same in evaluation mode; gradients within a play go through it.
    batch: of one move.
    latent: [B, ...].

  Returns:
    (real, fake, latent): what D is shown, and the latent as the terms see it.
  """
  del net
  return batch['x'], run(G, latent, batch.get('label')), latent


def heads_of(output) -> dict:
  """D's heads; its logits [B] in float32. D may return the logits alone."""
  heads = output if isinstance(output, dict) else {'logits': output}
  return {**heads, 'logits': heads['logits'].astype(jnp.float32)}


class Networks:
  """The networks as they stand in a state, and as a forward pass leaves them.

  `vars` are the variables of all players; `run` replaces those of its player.
  """

  def __init__(self, game: Game, state: State):
    """Begins with the state's variables."""
    self._nets, self._players = game.nets, state.players
    self.vars = {name: player.vars for name, player in state.players.items()}

  def run(self, name: str, *inputs, **kw) -> Any:
    """A player's output in training mode."""
    out, self.vars[name] = self._apply(
      name, *inputs, train=True, mutable=list(self.vars[name]), **kw
    )
    return out

  def net(self, name: str, *inputs, **kw) -> Any:
    """A player's output in evaluation mode."""
    return self._apply(name, *inputs, train=False, **kw)

  def _apply(self, name, *inputs, **kw):
    tree = {'params': self._players[name].params, **self.vars[name]}
    return self._nets[name].apply(tree, *inputs, **kw)


def forward(game: Game, state: State, batch: dict, key) -> tuple[Forward, dict]:
  """One pass of all networks.

  Args:
    game: the rules.
    state: of one seed.
    batch: of one move.
    key: [], of this move.

  Returns:
    the Forward, and all players' new variables.
  """
  networks, label = Networks(game, state), batch.get('label')
  keys = keys_lib.fold_examples(key, batch['index'])
  latent = jax.vmap(game.prior)(keys)
  real, fake, latent = game.play(networks.run, networks.net, batch, latent)
  show = functools.partial(game.augment.apply, memo=state.memo.get(AUGMENT, ()))
  # Streams of an example's own: the latent has taken the key itself.
  on_real_key, on_fake_key = (keys_lib.fold_each(keys, i) for i in (1, 2))
  judge = lambda x, key: heads_of(networks.run(D, show(x, key=key), label))
  on_real, on_fake = judge(real, on_real_key), judge(fake, on_fake_key)

  # Not in training mode: an example's gradient may see no other example. It
  # sees the variables that the pass has left, as D's next user will.
  def critic(x, label=label):
    return heads_of(networks.net(D, show(x, key=on_real_key), label))

  made = (latent, real, fake, on_real, on_fake, critic, networks.net)
  return Forward(batch, *made), networks.vars


# ------------------------------------------------------------------ gradient


def gradient(game: Game, who: tuple[str, ...], *, every: int = 1) -> Callable:
  """The gradient of the sum of some players' losses with respect to them all.

  Args:
    game: the rules.
    who: whose terms are added up, and who is differentiated.
    every: of their terms only those that are due every so many steps.

  Returns:
    (state, batch, key) -> ({player: gradient}, Change), for a batch of one
    move. With game.microbatches it is the mean over parts of the batch: the
    same but where a network or a loss looks at the batch as a whole.
  """

  def one(state, batch, key):
    def objective(params):
      moving = with_params(state, params)
      total, change = _value(game, who, moving, batch, key, every=every)
      return game.mean(total), change

    return jax.grad(objective, has_aux=True)(params_of(state, who))

  def accumulated(state, batch, key):
    parts = [
      one(state, _part(batch, i, game.microbatches), key)
      for i in range(game.microbatches)
    ]
    return _mean_tree(lambda *x: sum(x) / len(x), *parts)

  many = one if game.microbatches == 1 else accumulated
  return lambda state, batch, key: game.mean(many(state, batch, key))


def _value(game, who, state, batch, key, *, every):
  """The sum of the players' terms [], and the Change."""
  seen, variables = forward(game, state, batch, key)
  total, memo, metrics = jnp.float32(0), dict(state.memo), {}
  for player in who:
    for name, term in game.terms.get(player, {}).items():
      if term.every != every:
        continue
      where = memo_name(player, name)
      own = _stream_of(name, key, batch['index'])
      value, memo[where] = term.value(seen, memo[where], key=own)
      mean = value.mean().astype(jnp.float32)
      # Due once in so many steps, it counts so many times.
      total += term.every * mean
      metrics[term.label] = term.every * mean
      more = {k: measure(seen) for k, measure in term.also.items()}
      metrics |= {k: v.astype(jnp.float32) for k, v in more.items()}
  if D in who and every == 1 and AUGMENT in memo:
    logits = game.gather(seen.on_real['logits'])
    memo[AUGMENT] = game.augment.update(memo[AUGMENT], logits)
  kept = {name: variables[name] for name in who}
  return total, Change(kept, memo, metrics)


def _stream_of(name, key, index):
  """Keys [b] by a term's name: adding a term leaves the others' draws alone."""
  own = jax.random.fold_in(key, zlib.crc32(name.encode()) & 0x7FFFFFFF)
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

  whole = ('step', 'frozen')
  return {
    k: v if k in whole else jax.tree.map(cut, v) for k, v in batch.items()
  }


# ---------------------------------------------------------------- what moves


def apply(game: Game, state: State, grads: dict, change: Change) -> State:
  """Moves the players whose gradients are given; only their variables stay."""
  players = dict(state.players)
  for name, grad in grads.items():
    player = players[name]
    updates, opt = game.tx[name].update(grad, player.opt, player.params)
    params = optax.apply_updates(player.params, updates)
    for project in game.project.get(name, ()):
      params = project(params)
    players[name] = Player(params, change.vars[name], opt)
  return state._replace(players=players, memo=change.memo)


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
    return state, {name: jnp.float32(0) for name in metric_names(due)}

  return jax.lax.cond(batch['step'] % every == 0, again, nothing, state)


def finish(game: Game, state: State) -> State:
  """Counts the step; the averages follow, by the decay of the new count."""
  step, averages = state.step + 1, dict(state.ema)
  for name, decay in game.decay.items():
    player = state.players[name]
    averages[name] = ema_lib.update(
      averages[name], player.params, player.vars, decay(step)
    )
  return state._replace(step=step, ema=averages)


def take(batch: dict, i: int) -> dict:
  """The i-th of the n batches of a step: that of one move."""
  pick = lambda x: x[i]
  return {
    k: v if k in SHARED else jax.tree.map(pick, v) for k, v in batch.items()
  }


def metric_names(terms: dict) -> tuple[str, ...]:
  """Names of what a step measures, whichever way its moves are composed.

  Args:
    terms: of a Game.
  """
  every = [term for own in terms.values() for term in own.values()]
  return tuple(name for t in every for name in (t.label, *t.also))


# --------------------------------------------------------------------- init


def init(game: Game, key: jax.Array, batch: dict) -> State:
  """The state of one seed at step 0.

  Args:
    game: the rules.
    key: root key [] of the seed.
    batch: of one move, of one example; only its shapes matter.

  Raises:
    ValueError: a player that `play` never runs.
  """
  root = keys_lib.stream(key, keys_lib.INIT)
  made = _Made(game, root)
  latent = jax.tree.map(lambda x: x[None], game.prior(key))
  _, fake, _ = game.play(made.run, made.run, batch, latent)
  made.run(D, fake, batch.get('label'))
  if missing := set(game.nets) - set(made.variables):
    raise ValueError(f'its play never runs the player {min(missing)}')
  players = {}
  for name in game.nets:
    variables = dict(made.variables[name])
    params = variables.pop('params')
    players[name] = Player(params, variables, game.tx[name].init(params))
  # Copied: a buffer may not be donated twice.
  copies = lambda p: jax.tree.map(
    jnp.copy, {'params': p.params, 'vars': p.vars}
  )
  averages = {name: copies(players[name]) for name in game.decay}
  memo = {
    memo_name(player, name): term.init()
    for player, terms in game.terms.items()
    for name, term in terms.items()
  }
  if game.augment is not Game._field_defaults['augment']:
    memo[AUGMENT] = game.augment.init()
  return State(jnp.int32(0), players, averages, memo)


class _Made:
  """Networks that are initialised by their first input."""

  def __init__(self, game, key):
    self._nets, self.variables = game.nets, {}
    g_key, d_key = jax.random.split(key)
    # The two of every game first: another player leaves their weights alone.
    self._keys = {G: g_key, D: d_key}
    self._key = key

  def run(self, name, *inputs, **kw):
    net = self._nets[name]
    if name not in self.variables:
      own = self._keys.get(name)
      if own is None:
        own = jax.random.fold_in(self._key, zlib.crc32(name.encode()) >> 1)
      self.variables[name] = net.init(own, *inputs, train=False, **kw)
    return net.apply(self.variables[name], *inputs, train=False, **kw)
