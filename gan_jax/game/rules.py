"""From the options of a config to the rules of a game.

The same function serves options at hand, which it checks, and options whose
floats are traced: a program builds its game while it is being traced.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.components import files
from gan_jax.components import options as options_lib
from gan_jax.game import (
  augmenting,
  ema,
  latents,
  optim,
  packing,
  refusals,
  schedules,
)
from gan_jax.game.forward import Game, make_means, play
from gan_jax.game.objectives import moves_of, projections_of, terms_of
from gan_jax.types import Conditioning, D, G, Model, UserError

# The groups of a config that are options of the game.
GROUPS = (
  'loss', 'penalties', 'conditioning', 'augment', 'dynamics', 'model', 'latent',
  'optim', 'ema', 'microbatches', 'd_steps', 'pack',
)  # fmt: skip


class Given(NamedTuple):
  """What the networks are told that is no option of theirs."""

  shape: tuple[int, ...]  # of a sample
  num_classes: int  # or numbers of a vector; 0 if unconditional
  dtype: Any  # of the computation
  batch_size: int  # global
  vectors: bool = False  # whether a label is a vector in place of a class

  def labels(self, *lead: int) -> jax.ShapeDtypeStruct:
    """The shape of labels [*lead], or [*lead, C], of a conditional game."""
    if self.vectors:
      return jax.ShapeDtypeStruct((*lead, self.num_classes), jnp.float32)
    return jax.ShapeDtypeStruct(lead, jnp.int32)


def complete(groups: dict) -> dict:
  """The options of the game, with all their floats; see options.with_floats.

  Every player has an optimizer and options of its network: unless it names an
  optimizer of its own, what optim.e does not say is as in optim.g.

  Args:
    groups: of a config, by name; other keys are left out.

  Raises:
    UserError: a component that does not exist, or a player that does not.
  """
  options = {group: groups[group] for group in GROUPS}
  fill = options_lib.with_floats
  module = functools.partial(_module, groups)
  networks, loss = module('models', 'model'), module('losses', 'loss')
  players = files.players_of(networks)
  refusals.check_players(groups, players)
  options['loss'] = fill(options['loss'], *files.functions_of(loss))
  options['penalties'] = {
    name: _penalty(name, own) for name, own in options['penalties'].items()
  }
  options['augment'] = augmenting.complete(options['augment'])
  for group in ('conditioning', 'dynamics'):
    if own := options[group]:
      file = module(group, group)
      options[group] = fill(own, *files.functions_of(file))
  options['model'] = {'name': groups['model']['name']} | {
    player: fill(groups['model'].get(player, {}), net)
    for player, net in players.items()
  }
  options['optim'] = {
    player: optim.complete(_optimizer(groups, player), f'optim.{player}')
    for player in players
  }
  average = ema.maker(options['ema'].get('name', ema.USUAL))
  options['ema'] = fill(options['ema'], average)
  name = options['latent'].get('name', 'normal')
  options['latent'] = fill(options['latent'], latents.maker(name, networks))
  return options


def _penalty(name, own):
  options_lib.check_kind(f'penalties.{name}', own, dict)
  file = select.module('penalties', name, flag='penalties')
  filled = options_lib.with_floats(own, *files.functions_of(file))
  return schedules.complete(f'penalties.{name}', filled)


def _optimizer(groups, player):
  """A player's optimizer; of a third one, what it does not say is as G's."""
  own = groups['optim'].get(player, None if player in (G, D) else {})
  options_lib.check_kind(f'optim.{player}', own, dict)
  if player in (G, D) or 'name' in own:
    return own
  return {**groups['optim'][G], **own}


def _module(groups, kind, group):
  flag, own = f'{group}.name', groups[group]
  return select.module(kind, own.get('name', ''), flag=flag)


class Rules(NamedTuple):
  """A game, and what made it."""

  game: Game
  step: Callable  # (state, batch, key) -> (state, metrics)
  model: Model
  penalties: dict  # Penalty by name
  conditioning: Conditioning
  period: int = 1  # steps after which the dynamics begins anew


def make(
  options: dict, given: Given, *, axis=None, watch=None, unroll=False
) -> Rules:
  """Makes a game of its options, from complete.

  Args:
    options: their floats may be traced; otherwise all is checked.
    given: to the networks.
    axis, unroll: see make_means, Game.
    watch: optimizer -> optimizer, to look at what it is given.

  Raises:
    UserError: whatever is wrong with the options.
  """
  _, penalties, conditioning, model = parts = _parts(options, given)
  refusals.check_loss(options, conditioning, model)
  packing.check(options['pack'], given)
  refusals.check_moves(penalties, options['model']['name'], model)
  dynamics = _dynamics(options)
  game = _game(options, given, *parts, axis=axis)
  game = game._replace(remember=dynamics.init, unroll=unroll)
  if watch:
    game = game._replace(tx={k: watch(own) for k, own in game.tx.items()})
  made = game, dynamics.make(game), model, penalties, conditioning
  return Rules(*made, period=dynamics.period() if dynamics.period else 1)


def _parts(options, given):
  """(loss, penalties by name, conditioning, model)."""
  call = options_lib.call
  loss = call('loss', select.loss, options['loss'])
  penalties = {
    name: _scheduled(name, own) for name, own in options['penalties'].items()
  }
  conditioning = call(
    'conditioning', select.conditioning, options['conditioning']
  )
  common = {'head': conditioning.head, 'latent_size': 0, **given._asdict()}
  model = call('model', select.model, options['model'], common=common)
  return loss, penalties, conditioning, model


def _game(options, given, loss, penalties, conditioning, model, *, axis):
  """The game of these parts, without what its dynamics remembers."""
  mean, gather = make_means(axis)
  augment = _augment(options['augment'], axis)
  prior = _prior(model, options['latent'], given.shape)
  terms = terms_of(
    model.adversarial(loss) if model.adversarial else loss,
    penalties,
    conditioning,
    gather=gather,
    axis=axis,
  )
  also = {'axis_name': axis} | _size_of(prior)
  shape = *given.shape[:-1], options['pack'] * given.shape[-1]
  own = lambda player: also | ({'shape': shape} if player == D else {})
  return Game(
    nets={k: _with(net, own(k)) for k, net in model.nets.items()},
    terms=augmenting.with_measures(terms, augment),
    tx=_optimizers(options['optim']),
    prior=prior,
    decay=_decays(options['ema'], model, given.batch_size),
    play=model.play or play,
    project=projections_of(penalties, model),
    augment=augment,
    mean=mean,
    gather=gather,
    microbatches=options['microbatches'],
    pack=options['pack'],
    moves=moves_of(penalties),
  )


def _optimizers(options):
  return {
    player: options_lib.call(
      f'optim.{player}', optim.make_optimizer, own, flag=f'optim.{player}'
    )
    for player, own in options.items()
  }


def _decays(options, model, batch_size):
  """Those of the moving averages, by player and profile; see ema.profiles."""
  own = dict(options)
  make = ema.maker(own.pop('name', ema.USUAL))
  made = options_lib.call('ema', make, own, batch_size=batch_size)
  return {
    f'{player}{profile}': decay
    for player in model.nets
    if player != D
    for profile, decay in ema.profiles(made).items()
  }


def _scheduled(name, own):
  """A penalty, whose numbers may follow the steps."""
  flag = f'penalties.{name}'
  own, rates = schedules.apart(flag, own)
  first = {k: rate(jnp.int32(0)) for k, rate in rates.items()}
  if options_lib.are_known(first):
    first = jax.tree.map(float, first)
  made = options_lib.call(flag, select.penalty, own | first, name=name)
  if rates and made.project:
    raise UserError(
      f'{flag}.{next(iter(rates))}: a projection has no schedule.'
    )
  return made._replace(rates=rates)


def _prior(model, options, shape):
  """The latent of one example, of its key; it may ask for a sample's shape."""
  own, make_prior = dict(options), model.make_prior
  if not make_prior:
    make_prior = latents.maker(own.pop('name', 'normal'))
  asks = 'shape' in inspect.signature(make_prior).parameters
  given = {'shape': shape} if asks else {}
  prior = options_lib.call('latent', make_prior, own, **given)
  if options_lib.are_known(own):
    options_lib.trace('latent', prior, jax.eval_shape(jax.random.key, 0))
  return prior


def _dynamics(options):
  own = dict(options['dynamics'])
  module = select.module('dynamics', own.get('name', ''), flag='dynamics.name')
  if 'd_steps' in options_lib.taken_by(module.make):
    own['d_steps'] = options['d_steps']
  elif options['d_steps'] != 1:
    raise UserError(
      f'dynamics.name={own["name"]} moves D once a step, but'
      f' d_steps={options["d_steps"]}.'
    )
  return options_lib.call('dynamics', select.dynamics, own)


def _size_of(prior):
  """What encoders are told: the length of a latent, where it has one."""
  like = jax.eval_shape(prior, jax.eval_shape(lambda: jax.random.key(0)))
  return {'latent_size': like.shape[-1]} if getattr(like, 'shape', ()) else {}


def _with(net, fields):
  """The network with those of the fields that it has."""
  own = {k: v for k, v in fields.items() if k in net.__dataclass_fields__}
  return net.clone(**own)


def _augment(options, axis):
  """The augmentation; without a name there is none."""
  none = Game._field_defaults['augment']
  return augmenting.make(options, axis=axis) if options else none


def frozen(options: dict) -> dict:
  """Arrays that nobody trains, such as a teacher's: {component: tree}.

  A file of penalties, conditioning or models may have frozen() -> tree. Terms
  find it in forward.batch['frozen'], under the component's name.
  """
  own = {name: ('penalties', name) for name in options['penalties']}
  for kind, group in (('conditioning', 'conditioning'), ('models', 'model')):
    name = options[group].get('name', '')
    own[name] = kind, name
  modules = {
    name: select.module(*at, flag=at[0]) for name, at in own.items() if name
  }
  return {
    name: module.frozen()
    for name, module in modules.items()
    if hasattr(module, 'frozen')
  }
