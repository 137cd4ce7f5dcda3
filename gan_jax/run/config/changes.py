"""Another component by a flag: what the recipe said of the one before goes.

A recipe gives Adam its b1 and DCGAN its widths. Where a flag names another
component, options that this one does not have are left out, and said so; those
that were given along with its name stay, and are refused later.
"""

import contextlib
from collections.abc import Callable, Iterable

from gan_jax import select
from gan_jax.components import files, options
from gan_jax.data import loading
from gan_jax.game import by_name, ema, latents
from gan_jax.run.config import recipe
from gan_jax.types import G, UserError

# Options of config.data that are not the data set's own.
OF_DATA = ('memory_mb', 'flip', 'held_out')
# Groups with one component each, and the rooms of these.
ROOMS = {
  'loss': 'losses',
  'conditioning': 'conditioning',
  'augment': 'augment',
  'dynamics': 'dynamics',
}


def override(
  config, values: Iterable[tuple], *, flag: Callable = lambda key, value: ''
) -> Callable:
  """Sets values in place, and afterwards leaves out what they make pointless.

  The second part imports components, so it has to wait until JAX may start.

  Args:
    config: a ConfigDict with all keys; is modified.
    values: pairs (dotted key, value or its text).
    flag: (key, value) -> what error messages start with.

  Returns:
    () -> a line for each component that was changed and lacks options.

  Raises:
    UserError: see recipe.override.
  """
  before = _names(config)
  given = []
  # The data set first: it decides what its options are.
  for key, value in sorted(values, key=lambda pair: pair[0] != 'data.name'):
    recipe.override(config, key, value, flag=flag(key, value))
    given.append(key)
  return lambda: _leave_out(before, config, given)


def _leave_out(before, config, given):
  after, lines = _names(config), []
  for group, name in after.items():
    if group not in before or before[group] == name:
      continue
    with contextlib.suppress(UserError):  # it is told where all is checked
      lines += _without(config, group, name, given)
  return lines


def _without(config, group, name, given):
  """Leaves out of a group what its new component lacks; the line about it."""
  left = []
  for where, known in _takes(config, group, name).items():
    own = _at(config, where)
    for key in [k for k in own or () if k not in known]:
      path = f'{where}.{key}'
      if not any(_overlap(path, other) for other in given):
        del own[key]
        left.append(path.removeprefix(f'{group}.'))
  if not left:
    return []
  return [
    f'{group}.name={name}: left out {", ".join(left)}, which {name} lacks'
  ]


def _overlap(one, other):
  """Whether one dotted key is the other, or within it."""
  one, other = f'{one}.', f'{other}.'
  return one.startswith(other) or other.startswith(one)


def _at(config, path):
  """The group at a dotted key, None if there is none."""
  for key in path.split('.'):
    config = config.get(key) if isinstance(config, recipe.ConfigDict) else None
  return config if isinstance(config, recipe.ConfigDict) else None


def _names(config):
  """{group: the name of its component}, of all groups that have one."""
  optim = _at(config, 'optim') or {}
  of_players = [f'optim.{player}' for player in optim]
  schedules = [f'{group}.schedule' for group in of_players]
  thens = _following(config, 'augment')
  groups = (
    'data', 'model', 'latent', 'ema', *ROOMS, *of_players, *schedules, *thens
  )  # fmt: skip
  named = {group: (_at(config, group) or {}).get('name') for group in groups}
  # An encoder's optimizer is as G's where it has no name of its own.
  usual = {group: named.get(f'optim.{G}') for group in of_players}
  usual |= {'latent': 'normal', 'ema': ema.USUAL}
  return {k: v or usual[k] for k, v in named.items() if v or usual.get(k)}


def _following(config, group):
  """The groups of the augmentations that follow one."""
  group = f'{group}.then'
  return [group, *_following(config, group)] if _at(config, group) else []


def _takes(config, group, name):
  """{group: the options that it has}, of those that a component decides."""
  if group == 'model':
    return _of_model(config, name)
  if group == 'latent':
    file = select.module('models', config.model.name, flag='model.name')
    own = options.taken_by(latents.maker(name, file))
  elif group == 'ema':
    own = set(options.taken_by(ema.maker(name))) - {'batch_size'}
  elif group == 'data':
    own = [*OF_DATA, *loading.options_of(name)]
  elif (top := group.partition('.then')[0]) in ROOMS:
    own = select.options_of(ROOMS[top], name, flag=f'{group}.name')
  else:
    own = by_name.takes(name, flag=f'{group}.name')
    own += ['schedule', 'clip_norm'] if group.count('.') == 1 else []
  return {group: ['name', *own]}


def _of_model(config, name):
  file = select.module('models', name, flag='model.name')
  players = files.players_of(file)
  made = {'model': ['name', *players], 'optim': list(players)}
  for player, net in players.items():
    made[f'model.{player}'] = list(files.fields_of(net))
  if hasattr(file, 'make_prior'):  # in place of those with a name
    made['latent'] = list(options.taken_by(file.make_prior))
  return made
