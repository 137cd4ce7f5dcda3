"""The state of a game at step 0."""

import zlib

import jax
import jax.numpy as jnp

from gan_jax.game import ema, networks, packing
from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import AUGMENT, DYNAMICS, Game, with_key
from gan_jax.game.step import memo_name
from gan_jax.types import D, G, Player, State


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
  given = with_key(batch, key[None])
  _, fake, *_ = game.play(made.run, made.run, given, latent)
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
  averages = {k: copies(players[ema.player_of(k)]) for k in game.decay}
  memo = {
    memo_name(player, name): term.init()
    for player, terms in game.terms.items()
    for name, term in terms.items()
  }
  if game.augment is not Game._field_defaults['augment']:
    memo[AUGMENT] = game.augment.init()
  state = State(jnp.int32(0), players, averages, memo)
  if game.remember is not None:
    memo[DYNAMICS] = game.remember(game, state)
  return state


class _Made:
  """Networks that are initialised by their first input."""

  def __init__(self, game, key):
    self._nets, self._pack, self.variables = game.nets, game.pack, {}
    g_key, d_key = jax.random.split(key)
    # The two of every game first: another player leaves their weights alone.
    self._keys = {G: g_key, D: d_key}
    self._key = key

  def run(self, name, *inputs, **kw):
    net = self._nets[name]
    if name == D:
      inputs = packing.of_one(inputs[0], self._pack), *inputs[1:]
    if name not in self.variables:
      own = self._keys.get(name)
      if own is None:
        own = jax.random.fold_in(self._key, zlib.crc32(name.encode()) >> 1)
      self.variables[name] = networks.init(net, own, *inputs, train=False, **kw)
    return networks.apply(net, self.variables[name], *inputs, train=False, **kw)
