"""The game, and one pass of all of its networks. All of it is pure.

A batch is {'x': [n, b, ...], 'label': [n, b, ...] or absent, 'index': [b],
'step': [], 'frozen': any or absent}: n batches of real samples in model range,
which examples of the global batch these b are, the number of steps before this
one (a single one for all seeds), and arrays that nobody trains. The batch of
one move is the same without the n.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib
from gan_jax.game import networks, packing
from gan_jax.game.gradients import both_gradients
from gan_jax.game.terms import Forward
from gan_jax.types import Augmentation, D, G, State, Tree, UserError

AUGMENT, DYNAMICS = 'augment', 'dynamics'  # names of their memos
_SHOWN = (1, 2, 4)  # streams of what D is shown: reals, fakes, replacements


class Game(NamedTuple):
  """The rules: all that a step closes over."""

  nets: dict  # flax.linen modules by player
  terms: dict  # {player: {name: Term}}
  tx: dict  # optax optimizers by player
  prior: Callable  # key -> latent of one example
  # {average: step -> weight of the old one}; see ema.make for its names.
  decay: dict
  play: Callable  # see play
  project: dict = {}  # {player: [params -> params]}, after each of its moves
  augment: Augmentation = Augmentation()
  mean: Callable = lambda tree: tree  # over the devices that share a batch
  gather: Callable = lambda x: x  # what all of these have, along axis 0
  microbatches: int = 1  # into which a gradient's batch is cut
  pack: int = 1  # samples that D judges together
  # {name: (latent, net, label, *, key, step) -> latent}, before the play.
  moves: dict = {}
  remember: Callable | None = None  # (Game, State) -> memo of the dynamics
  unroll: bool = False  # what is done several times, in place of a loop


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
    of = lambda x: x if _is_alike(x, axis) else jax.lax.pmean(x, axis)
    return mean_tree(of, tree)

  return mean, lambda x: jax.lax.all_gather(x, axis, tiled=True)


def _is_alike(x, axis):
  """Whether the devices along an axis are known to have the same array.

  shard_map knows of each array whether it varies, and has summed up gradients
  of parameters that do not: to average these would send them all once more.
  pmap knows it of none, not even of a device's own number.
  """
  varies = lambda x: axis in jax.typeof(x).manual_axis_type.varying
  return varies(jax.lax.axis_index(axis)) and not varies(x)


def mean_tree(mean: Callable, tree: Tree, *more: Tree) -> Tree:
  """The mean of what has one; counters are alike, and stay whole numbers."""
  of = lambda x, *y: mean(x, *y) if jnp.issubdtype(x.dtype, jnp.inexact) else x
  return jax.tree.map(of, tree, *more)


def play(run: Callable, net: Callable, batch: dict, latent: Tree) -> tuple:
  """The usual game: D sees real samples, and what G makes of latents.

  A model with an encoder or with pairs of samples brings its own.

  Args:
    run: (player, *inputs) -> its output in training mode.
    net: the same in evaluation mode; gradients within a play go through it.
    batch: of one move; `key` [B] among it is for the draws of a play.
    latent: [B, ...].

  Returns:
    (real, fake, latent): what D is shown, and the latent as the terms see it;
    and a dict for Forward.also, if there is more.
  """
  del net
  return batch['x'], run(G, latent, batch.get('label')), latent


def heads_of(output) -> dict:
  """D's heads; its logits [B] in float32. D may return the logits alone.

  A D that judges the parts of a sample (the steps of a series, patches) gives
  `parts` [B, P]; the logits are their means then, unless it gives them too.
  """
  heads = output if isinstance(output, dict) else {'logits': output}
  if 'parts' in heads:
    parts = heads['parts'].astype(jnp.float32)
    heads = {'logits': parts.mean(axis=1), **heads, 'parts': parts}
  if not hasattr(heads.get('logits'), 'astype'):
    made = f'a dict of {", ".join(heads)}' if heads is output else type(output)
    raise UserError(
      f'model.{D}: it gives {made}; expected logits [B], or a dict with'
      " 'logits'."
    )
  return {**heads, 'logits': heads['logits'].astype(jnp.float32)}


def with_key(batch: dict, keys: jax.Array) -> dict:
  """The batch of a move, with keys [B] of its examples for draws of a play."""
  return {**batch, 'key': keys_lib.fold_each(keys, 3)}


class Networks:
  """The networks as they stand in a state, and as a forward pass leaves them.

  `vars` are the variables of all players; `run` replaces those of its player.
  """

  def __init__(self, game: Game, state: State):
    """Begins with the state's variables."""
    self._nets, self._players = game.nets, state.players
    self._pack = game.pack
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
    if name == D:
      inputs = packing.packed(inputs[0], self._pack), *inputs[1:]
    tree = {'params': self._players[name].params, **self.vars[name]}
    return networks.apply(self._nets[name], tree, *inputs, **kw)


def augment_at(game: Game, step: jax.Array) -> Augmentation:
  """The augmentation at a step [], with what its options are then."""
  return game.augment.at(step) if game.augment.at else game.augment


def _make_show(apply, memo):
  """What D is shown in place of samples; of pairs, the first are samples."""

  def show(x, key):
    if isinstance(x, tuple):
      return (apply(x[0], memo, key=key), *x[1:])
    return apply(x, memo, key=key)

  return show


def _moved(game, latent, net, batch, keys):
  """The latents that are played, of those that are drawn."""
  for name, move in game.moves.items():
    own = keys_lib.fold_each(keys, keys_lib.by_name(name))
    given = {'key': own, 'step': batch['step']}
    latent = move(latent, net, batch.get('label'), **given)
  return latent


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
  nets, label = Networks(game, state), batch.get('label')
  keys = keys_lib.fold_examples(key, batch['index'])
  drawn = jax.vmap(game.prior)(keys)
  latent = _moved(game, drawn, nets.net, batch, keys)
  played = game.play(nets.run, nets.net, with_key(batch, keys), latent)
  real, fake, latent, *also = played
  if game.moves:
    also = [{**(also[0] if also else {}), 'drawn': drawn}]
  augment = augment_at(game, batch['step'])
  memo = state.memo.get(AUGMENT, ())
  show = _make_show(augment.apply, memo)
  # Streams of an example's own: the latent has taken the key itself.
  on_real_key, on_fake_key, own = (keys_lib.fold_each(keys, i) for i in _SHOWN)
  on_fake_key = on_real_key if augment.synced else on_fake_key
  real = augment.replace(real, jax.lax.stop_gradient(fake), memo, key=own)
  judge = lambda x, key: heads_of(nets.run(D, show(x, key), label))
  on_real, on_fake = judge(real, on_real_key), judge(fake, on_fake_key)
  alone = _make_show(augment.alone or augment.apply, memo)

  # Not in training mode: an example's gradient may see no other example. It
  # sees the variables that the pass has left, as D's next user will.
  def critic(x, label=label, part=None):
    cut = lambda tree: jax.tree.map(lambda v: v[part], tree)
    of = (on_real_key, label) if part is None else cut((on_real_key, label))
    return heads_of(nets.net(D, alone(x, of[0]), of[1]))

  made = (latent, real, fake, on_real, on_fake, critic, nets.net, *also)
  logits = lambda x: critic(x)['logits']
  beside = {
    # Of the first term that asks; there is one pass for all of them.
    'slopes': functools.cache(lambda: both_gradients(logits, real, fake)),
    'prior': game.prior,
    'params': {name: own.params for name, own in state.players.items()},
    'augment': augment.measured(memo),
  }
  return Forward(batch, *made, **beside), nets.vars
