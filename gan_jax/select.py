"""From a name in a config to a component: the name is the module's name."""

import functools
from typing import Any

import jax.numpy as jnp

from gan_jax.components import files, modules, options, ranges
from gan_jax.components.modules import available
from gan_jax.types import (
  Augmentation,
  Conditioning,
  Dynamics,
  Loss,
  Model,
  Penalty,
  UserError,
)

NEEDED = {  # what a file has to define, by kind
  'losses': ('d_loss', 'g_loss'),
  'conditioning': ('Head',),
  'augment': ('apply',),
  'dynamics': ('make',),
}


def module(kind: str, name: str, *, flag: str) -> Any:
  """Imports gan_jax.KIND.NAME, or NAME itself if it is dotted.

  Raises:
    UserError: there is no such module (the message lists what exists), or it
      lacks what a file of this kind has to define.
  """
  options.check_kind(flag, name, str)
  there = ', '.join(available(kind))
  return modules.named(
    name if '.' in name else f'gan_jax.{kind}.{name}',
    flag=flag,
    name=name,
    needs=NEEDED.get(kind, ()),
    choices=f'{kind.rpartition(".")[2]}: {there}',
  )


def loss(name: str, **kwargs) -> Loss:
  """The loss of that name, its keyword arguments bound.

  Returns:
    an object with .d_loss(real_logits, fake_logits) and .g_loss(...), both
    [B], [B] -> [B].

  Raises:
    UserError: an unknown name or keyword.
  """
  file = module('losses', name, flag='loss.name')
  functions = {f: getattr(file, f) for f in Loss._fields}
  pair = Loss(**options.bind('loss', kwargs, **functions))
  if options.are_known(kwargs):
    flag = f'loss.name={name}'
    for player, function in pair._asdict().items():
      logits = jnp.zeros(2), jnp.zeros(2)
      made = options.attempt(flag, function, function.keywords, *logits)
      if getattr(made, 'shape', None) != (2,):
        raise UserError(
          f'{flag}: {player} of logits [B], [B] gives'
          f' {options.shape_of(made, 2)}; expected [B], a value per example.'
        )
  return pair


def penalty(name: str, *, every: int = 1, **kwargs) -> Penalty:
  """The penalty, term, change or projection of that name, its options bound.

  Args:
    name: of a file.
    every: steps; above 1 it is an update of its own, in one step of so many.
    **kwargs: its options.

  Raises:
    UserError: an unknown name or keyword.
  """
  file = module('penalties', name, flag='penalties')
  flag = f'penalties.{name}'
  options.check_kind(f'{flag}.every', every, int)
  if every < 1:
    raise UserError(f'{flag}.every={every}: expected at least 1.')
  there = files.functions_in(file)
  wanted = (*_PENALTY, *files.CHANGES, _MOVE)
  if not any(k in wanted or k.endswith(files.TERM) for k in there):
    raise UserError(
      f'{flag}: the module has no penalty, no project, no d_term or g_term, no'
      ' d_change or g_change.'
    )
  bound, terms = files.bind(flag, file, kwargs, *wanted, 'of_gradient')
  ranges.check(flag, kwargs)
  changes = files.changes_in(bound)
  if every > 1 and (changes or {'project', _MOVE} & set(bound)):
    raise UserError(
      f'{flag}.every={every}: expected 1, of what is part of each update.'
    )
  return Penalty(
    getattr(file, 'init', tuple),
    *map(bound.get, _PENALTY),
    terms=files.chosen(flag, terms),
    per_example=getattr(file, 'PER_EXAMPLE', False),
    every=every,
    changes=changes,
    at=getattr(file, 'AT', ''),
    of_gradient=bound.get('of_gradient'),
    move_latent=bound.get(_MOVE),
  )


_PENALTY, _MOVE = ('penalty', 'project'), 'move_latent'
_AUGMENTATION = ('apply', 'update', 'init', 'replace', 'measured')
OF_ANY = ('synced', 'then')  # options of every augmentation

# The functions of a component that take options, by its room.
_TAKERS = {
  'losses': Loss._fields,
  'augment': _AUGMENTATION,
  'dynamics': Dynamics._fields,
  'conditioning': (),
}


def options_of(kind: str, name: str, *, flag: str) -> list[str]:
  """Names of the options of a loss, an augmentation, a conditioning, ...

  Args:
    kind: its room.
    name: of a file.
    flag: how the config names it.

  Raises:
    UserError: there is no such module.
  """
  file = module(kind, name, flag=flag)
  wanted = lambda f: f in _TAKERS[kind] or f.endswith(files.TERM)
  takers = [f for k, f in files.functions_in(file).items() if wanted(k)]
  return [
    *files.head_fields(file),
    *(k for f in takers for k in options.taken_by(f)),
    *(OF_ANY if kind == 'augment' else ()),
  ]


def conditioning(name: str, **kwargs) -> Conditioning:
  """The conditioning of that name, its keyword arguments bound.

  Raises:
    UserError: an unknown name or keyword.
  """
  file = module('conditioning', name, flag='conditioning.name')
  fields = files.head_fields(file)
  own = {k: v for k, v in kwargs.items() if k in fields}
  for k, value in own.items():
    options.check_kind(f'conditioning.{k}', value, fields[k].type)
  others = {k: v for k, v in kwargs.items() if k not in fields}
  _, terms = files.bind('conditioning', file, others)
  return Conditioning(
    functools.partial(file.Head, **own),
    terms,
    getattr(file, 'init', tuple),
    in_place_of=getattr(file, 'IN_PLACE_OF', ''),
    sees_label=getattr(file, 'SEES_LABEL', True),
  )


def augmentation(
  name: str, *, flag: str = 'augment', synced: bool = False, **kwargs
) -> Augmentation:
  """The augmentation of that name, its keyword arguments bound.

  Args:
    name: of a file.
    flag: how the config names it.
    synced: whether the fake of a pair gets the draws of its real.
    **kwargs: its options.

  Raises:
    UserError: an unknown name or keyword, or a value that does not do.
  """
  file = module('augment', name, flag=f'{flag}.name')
  bound, _ = files.bind(f'{flag} {name}', file, kwargs, *_AUGMENTATION)
  if hasattr(file, 'check') and options.are_known(kwargs):
    file.check(flag, kwargs)
  alone = (lambda x, memo, *, key: x) if _mixes(file) else None
  return Augmentation(**bound, alone=alone, synced=synced)


def _mixes(file):
  return getattr(file, 'WHOLE_BATCH', False)


def dynamics(name: str, **kwargs) -> Dynamics:
  """The dynamics of that name, its keyword arguments bound.

  Raises:
    UserError: an unknown name or keyword.
  """
  file = module('dynamics', name, flag='dynamics.name')
  return Dynamics(**files.bind('dynamics', file, kwargs, *Dynamics._fields)[0])


def model(name: str, *, common: dict | None = None, **players) -> Model:
  """The networks of that name.

  Args:
    name: a module with flax.linen modules Generator and Discriminator, and
      with Encoder or whatever its PLAYERS names if it has more.
    common: fields given to all networks that have them, not from the config.
    **players: fields of each from the config, by player (g={...}, d={...});
      what is not a player is given to all networks that have the field
      (shape, num_classes, dtype, head).

  Raises:
    UserError: an unknown name or field.
  """
  file = module('models', name, flag='model.name')
  classes = files.players_of(file)
  common = dict(common or {})
  common |= {k: v for k, v in players.items() if k not in classes}
  nets = {
    player: _network(f'model.{player}', net, players.get(player, {}), common)
    for player, net in classes.items()
  }
  own = ('play', 'make_prior', 'adversarial', 'project')
  return Model(nets, *(getattr(file, name, None) for name in own))


def _network(flag, net, kwargs, common):
  fields = files.fields_of(net, common)
  options.check_known(flag, kwargs, sorted(fields))
  for name, value in kwargs.items():
    options.check_kind(f'{flag}.{name}', value, fields[name].type)
  given = {k: v for k, v in common.items() if k in net.__dataclass_fields__}
  return net(**given, **kwargs)
