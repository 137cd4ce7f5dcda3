"""What the file of a component defines: functions, terms, networks."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import flax.linen as nn

from gan_jax.components import options
from gan_jax.types import D, G, UserError

# Fields that the networks and D's head get from the game, if they have them.
GIVEN_TO_NETS = (
  'shape', 'num_classes', 'dtype', 'batch_size', 'head', 'latent_size',
)  # fmt: skip
HEAD_GIVEN = ('dense', 'embed', 'norm', 'num_classes')
TERM = '_term'  # d_term, g_term, ...: a term of that player's loss
# What takes the place of the loss of those who play against each other.
CHANGE = '_change'
CHANGES = tuple(f'{player}{CHANGE}' for player in (D, G))


def functions_in(file: Any) -> dict[str, Callable]:
  """The functions that a module defines, by name."""
  return {
    k: v
    for k, v in vars(file).items()
    if _is_function(v) and not k.startswith('_')
  }


def _is_function(value):
  """One of Python, one compiled by jax.jit, or a functools.partial."""
  if inspect.isclass(value):
    return False
  made = isinstance(value, functools.partial) or hasattr(value, '__wrapped__')
  return inspect.isfunction(value) or (made and callable(value))


def functions_of(file: Any) -> list:
  """What takes the options of a component: functions, and a head's class."""
  head = [file.Head] if hasattr(file, 'Head') else []
  return [*functions_in(file).values(), *head]


def bind(flag: str, file: Any, kwargs: dict, *names: str) -> tuple[dict, dict]:
  """Binds the options of a component to those of its functions that take them.

  Args:
    flag: how the config names these options.
    file: the component's module.
    kwargs: the options.
    *names: of the functions that count beside the terms.

  Returns:
    (functions by name, {player: term}), of those that the file has.

  Raises:
    UserError: an option that none of them takes, or of another kind.
  """
  wanted = lambda name: name in names or name.endswith(TERM)
  there = {k: _keyed(v) for k, v in functions_in(file).items() if wanted(k)}
  bound = options.bind(flag, kwargs, **there)
  terms = {k: v for k, v in bound.items() if k.endswith(TERM)}
  functions = {k: v for k, v in bound.items() if k not in terms}
  return functions, {k.removesuffix(TERM): v for k, v in terms.items()}


def _keyed(function):
  """The function, given a key whether it takes one or not."""
  parameters = inspect.signature(function).parameters
  if any(
    p.name == 'key' or p.kind is p.VAR_KEYWORD for p in parameters.values()
  ):
    return function

  @functools.wraps(function)
  def call(*args, key=None, **kwargs):
    del key
    return function(*args, **kwargs)

  return call


def chosen(flag: str, terms: dict[str, Callable]) -> dict[str, Callable]:
  """Of terms with an option `player`, that of this player alone.

  Args:
    flag: how the config names the component.
    terms: {player: term}, their options bound.

  Raises:
    UserError: the option names somebody else.
  """
  asked = {k: options.taken_by(term).get('player') for k, term in terms.items()}
  kept = {k: terms[k] for k, p in asked.items() if not p or p.default == k}
  if terms and not kept:
    player = next(iter(asked.values())).default
    raise UserError(
      f'{flag}.player={player!r}: expected one of {", ".join(terms)}.'
    )
  return kept


def changes_in(functions: dict[str, Callable]) -> dict[str, Callable]:
  """{player: change} of functions by name."""
  own = {k: f for k, f in functions.items() if k in CHANGES}
  return {k.removesuffix(CHANGE): f for k, f in own.items()}


def fields_of(net: type, given=GIVEN_TO_NETS) -> dict:
  """The fields of a flax.linen module that are options, by name.

  Args:
    net: its class.
    given: those that are no options, for something else fills them.
  """
  hidden = {'parent', 'name', 'axis_name', *given}
  fields = net.__dataclass_fields__.items()
  return {k: field for k, field in fields if k not in hidden}


def head_fields(file: Any) -> dict:
  """The fields of a conditioning's Head that are options; {} without one."""
  return fields_of(file.Head, HEAD_GIVEN) if hasattr(file, 'Head') else {}


def players_of(file: Any) -> dict:
  """{player: its class} of a module with networks.

  Raises:
    UserError: one is no class of flax.linen.
  """
  usual = {G: 'Generator', D: 'Discriminator', 'e': 'Encoder'}
  there = {k: getattr(file, v) for k, v in usual.items() if hasattr(file, v)}
  of = lambda name: getattr(file, name) if isinstance(name, str) else name
  there |= {k: of(v) for k, v in getattr(file, 'PLAYERS', {}).items()}
  for player, net in there.items():
    if not (inspect.isclass(net) and issubclass(net, nn.Module)):
      raise UserError(
        f'model.{player}: {net!r} is no class of flax.linen.Module.'
      )
  return there
