"""From a name in a config to a component: the name is the module's name."""

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.types import Pair, UserError

WORDS = {
  int: 'a whole number',
  float: 'a number',
  bool: 'True or False',
  str: 'a name',
  dict: 'a group of options {...}',
  tuple: 'values with commas between them',
}
_ALSO = {float: int | float, tuple: tuple | list}


def is_of(value: Any, kind: type) -> bool:
  """isinstance, with whole numbers for numbers; but True is no number."""
  if isinstance(value, bool) and kind is not bool:
    return False
  return isinstance(value, _ALSO.get(kind, kind))


def check_kind(flag: str, value: Any, kind: Any):
  """Refuses a value that is not of a plain kind.

  Args:
    flag: how the config names it.
    value: any.
    kind: one of WORDS; with any other annotation everything will do.

  Raises:
    UserError: it is something else.
  """
  if kind in WORDS and not is_of(value, kind):
    raise UserError(f'{flag}={value!r}: expected {WORDS[kind]}.')


class Loss(NamedTuple):
  """Both players' objectives: logits [B], [B] -> [B]."""

  d_loss: Callable
  g_loss: Callable


class Penalty(NamedTuple):
  """A penalty on D, or a projection of D's parameters; the other is None."""

  init: Callable
  penalty: Callable | None
  project: Callable | None
  per_example: bool  # meaningless where D's logits depend on the batch


def available(kind: str) -> list[str]:
  """Names of the components of a kind ('losses', 'models', ...)."""
  package = importlib.import_module(f'gan_jax.{kind}')
  found = pkgutil.iter_modules(package.__path__)
  return sorted(m.name for m in found if not m.ispkg)


def module(kind: str, name: str, *, flag: str) -> Any:
  """Imports gan_jax.KIND.NAME, or NAME itself if it is dotted.

  Raises:
    UserError: there is no such module; the message lists what exists.
  """
  check_kind(flag, name, str)
  path = name if '.' in name else f'gan_jax.{kind}.{name}'
  try:
    found = importlib.util.find_spec(path) is not None and name != ''
  except (ImportError, ValueError):
    found = False
  except Exception as e:  # whatever a package does wrong
    raise _broken(flag, name, e) from e
  if not found:
    choices = ', '.join(available(kind))
    folder = kind.rpartition('.')[2]
    raise UserError(
      f'{flag}={name!r}: there is no such module; {folder}: {choices}.'
    )
  try:
    return importlib.import_module(path)
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the module does wrong, exit() too
    raise _broken(flag, name, e) from e


def _broken(flag, name, error):
  at = traceback.extract_tb(error.__traceback__)[-1]
  return UserError(
    f'{flag}={name!r}: {type(error).__name__}: {error}'
    f' ({at.filename}, line {at.lineno}).'
  )


def _bind(function, kwargs, flag):
  """functools.partial that refuses a keyword which the function lacks."""
  known = {
    p.name: p
    for p in inspect.signature(function).parameters.values()
    if p.kind is p.KEYWORD_ONLY and p.name not in ('key', 'axis_name')
  }
  for name, value in kwargs.items():
    if name not in known:
      options = ', '.join(known) or 'no options'
      raise UserError(f'{flag}.{name}: unknown; {flag} takes {options}.')
    check_kind(f'{flag}.{name}', value, known[name].annotation)
  return functools.partial(function, **kwargs)


def call(flag: str, function: Callable, options: dict, /, **fixed) -> Any:
  """function(**options, **fixed); what is wrong with the options is told.

  Args:
    flag: how the config names these options.
    function: takes all of them by name.
    options: from the config.
    **fixed: not from the config.

  Raises:
    UserError: an unknown or a missing option, or a value that does not do.
  """
  if not isinstance(options, dict):
    raise UserError(f'{flag}={options!r}: expected a group of options.')
  signature = inspect.signature(function)
  parameters = signature.parameters.values()
  takes = [p.name for p in parameters if p.name not in fixed]
  if not any(p.kind is p.VAR_KEYWORD for p in parameters):
    for name in options:
      if name not in takes:
        there = ', '.join(takes)
        raise UserError(f'{flag}.{name}: unknown; {flag} takes {there}.')
  for p in parameters:
    if p.name in options:
      check_kind(f'{flag}.{p.name}', options[p.name], p.annotation)
  try:
    signature.bind(**options, **fixed)
  except TypeError as e:
    raise UserError(f'{flag}: {e}.') from e
  return _told(flag, function, **options, **fixed)


def trace(flag: str, function: Callable, *args) -> Any:
  """jax.eval_shape(function, *args); what goes wrong is told.

  Raises:
    UserError: a value in the config does not do.
  """
  return _told(flag, jax.eval_shape, function, *args)


def _told(flag, function, /, *args, **kwargs):
  try:
    return function(*args, **kwargs)
  except UserError:
    raise
  except (ArithmeticError, AttributeError, TypeError, ValueError) as e:
    said = str(e).strip().splitlines() or [type(e).__name__]
    raise UserError(f'{flag}: {said[0]}') from e


def loss(name: str, **kwargs) -> Loss:
  """The loss of that name, its keyword arguments bound.

  Returns:
    an object with .d_loss(real_logits, fake_logits) and .g_loss(...), both
    [B], [B] -> [B].

  Raises:
    UserError: an unknown name or keyword.
  """
  found = module('losses', name, flag='loss.name')
  flag = f'loss {name}'
  pair = Loss(*(_bind(getattr(found, f), kwargs, flag) for f in Loss._fields))
  for function in pair:
    trace(flag, function, jnp.zeros(2), jnp.zeros(2))
  return pair


def penalty(name: str, **kwargs) -> Penalty:
  """The penalty or projection of that name, its keyword arguments bound.

  Raises:
    UserError: an unknown name or keyword.
  """
  found = module('penalties', name, flag='penalties')
  flag = f'penalties.{name}'
  bound = {
    f: _bind(getattr(found, f), kwargs, flag) if hasattr(found, f) else None
    for f in ('penalty', 'project')
  }
  init = getattr(found, 'init', tuple)
  _try_penalty(flag, init, **bound)
  return Penalty(
    init, **bound, per_example=getattr(found, 'PER_EXAMPLE', False)
  )


def _try_penalty(flag, init, *, penalty, project):
  """Traces it for the plainest critic."""
  x = jnp.zeros((2, 2))
  if penalty is not None:
    value = lambda x, key: penalty(lambda x: x.sum(1), x, x, init(), key=key)
    trace(flag, value, x, jax.eval_shape(jax.random.key, 0))
  if project is not None:
    trace(flag, project, {'kernel': x})


def model(name: str, *, g: dict, d: dict, **common) -> Pair:
  """The networks of that name.

  Args:
    name: a module with flax.linen modules Generator and Discriminator.
    g: fields of Generator from the config.
    d: fields of Discriminator from the config.
    **common: fields given to both where they have them (num_classes, dtype,
      shape).

  Raises:
    UserError: an unknown name or field.
  """
  found = module('models', name, flag='model.name')
  nets = zip(
    ('g', 'd'), (found.Generator, found.Discriminator), (g, d), strict=True
  )
  return Pair(*(_network(f'model.{p}', net, kw, common) for p, net, kw in nets))


def _network(flag, net, kwargs, common):
  fields = dict(net.__dataclass_fields__)
  known = set(fields) - {'parent', 'name', 'axis_name', *common}
  for name in kwargs:
    if name not in known:
      options = ', '.join(sorted(known))
      raise UserError(f'{flag}.{name}: unknown; the network takes {options}.')
    check_kind(f'{flag}.{name}', kwargs[name], fields[name].type)
  given = {k: v for k, v in common.items() if k in fields}
  return net(**given, **kwargs)
