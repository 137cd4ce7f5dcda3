"""Optimizers and schedules by their names: of optax, or of one's own."""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from gan_jax import modules, options
from gan_jax.types import UserError

# What every optimizer has, whichever it is.
OWN = ('name', 'learning_rate', 'schedule', 'clip_norm')
RATES = ('peak_value', 'init_value', 'value')  # a schedule's learning rate


def factory(name: str, *, flag: str = 'optim') -> Callable:
  """The function that makes an optimizer or a schedule.

  Args:
    name: of a function of optax or optax.contrib, or the dotted name of one, or
      of a module with a function `make`.
    flag: how the config names it, for error messages.

  Raises:
    UserError: there is no such function.
  """
  options.check_kind(flag, name, str)
  if '.' in name:
    return modules.function(name, flag=flag, usual='make')
  function = getattr(optax, name, None) or getattr(optax.contrib, name, None)
  if not callable(function):
    near = modules.near(name, [*dir(optax), *dir(optax.contrib)])
    hint = f'; did you mean {near[0]!r}?' if near else '.'
    raise UserError(
      f'{flag}={name!r}: neither optax nor optax.contrib has such a'
      f' function{hint}'
    )
  return function


def takes(name: str, *, flag: str = 'optim') -> list[str]:
  """Names of the arguments of what `factory` finds."""
  return list(inspect.signature(factory(name, flag=flag)).parameters)


def _call(flag, function, kwargs):
  """Calls an optax factory; an error names unknown or missing arguments."""
  try:
    inspect.signature(function).bind(**kwargs)
    return function(**kwargs)
  except (TypeError, ValueError) as e:
    known = ', '.join(inspect.signature(function).parameters)
    name = getattr(function, '__name__', 'it')
    raise UserError(f'{flag}: {e}; {name} takes {known}.') from e


def make_optimizer(
  name: str,
  *,
  learning_rate: float | None = None,
  schedule: dict | None = None,
  clip_norm: float = 0.0,
  flag: str = 'optim',
  **kwargs,
) -> optax.GradientTransformation:
  """An optax optimizer with a schedule and clipping.

  Args:
    name: see factory: 'adam', 'rmsprop', 'muon', 'lion', ...
    learning_rate: its peak value; the schedule starts from it. None for an
      optimizer that takes none.
    schedule: {'name': 'cosine_decay_schedule', ...} with the arguments of that
      function, see factory; its `init_value` (or `peak_value`) is the learning
      rate unless given. Counted in updates of this player. {} for none.
    clip_norm: largest global norm of the gradient; 0 for no clipping.
    flag: how the config names this optimizer, for error messages.
    **kwargs: handed to the optax function.

  Raises:
    UserError: a name or an argument that optax does not know.
  """
  rate = learning_rate
  if schedule:
    rate = _schedule(f'{flag}.schedule', learning_rate, **schedule)
  if rate is not None:
    options.check_kind(f'{flag}.learning_rate', learning_rate, float)
    kwargs['learning_rate'] = rate
  tx = _call(flag, factory(name, flag=f'{flag}.name'), kwargs)
  if not isinstance(tx, optax.GradientTransformation):
    raise UserError(f'{flag}.name={name!r}: not an optax optimizer.')
  if options.are_known((learning_rate, clip_norm, kwargs)):
    _check(tx, flag, clip_norm)
  # Without clipping the state has another structure, so a 0 is never traced:
  # `complete` leaves it out of the numbers.
  if isinstance(clip_norm, int | float) and not clip_norm:
    return tx
  return optax.chain(optax.clip_by_global_norm(clip_norm), tx)


def _check(tx, flag, clip_norm):
  weight = {'kernel': jnp.zeros(2)}
  try:
    _, state = jax.eval_shape(lambda w: tx.update(w, tx.init(w), w), weight)
  except Exception as e:
    raise UserError(f'{flag}: {modules.in_words(e)}{modules.place(e)}') from e
  is_key = lambda x: jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)
  if any(map(is_key, jax.tree.leaves(state))):
    raise UserError(f'{flag}: it keeps random keys, which no run here does.')
  if clip_norm < 0:
    raise UserError(f'{flag}.clip_norm={clip_norm}: expected >= 0.')


def complete(given: dict, flag: str) -> dict:
  """An optimizer's options, whose floats are exactly those that can be traced.

  If an optax function inspects the value of a float in Python, none of its
  options can be traced. They all become constants of the program, which
  options.split skips.

  Args:
    given: from the config.
    flag: how the config names this optimizer.

  Raises:
    UserError: a name or an argument that optax does not know.
  """
  given = dict(given)
  if not given.get('clip_norm'):
    given.pop('clip_norm', None)
  elif options.is_of(given['clip_norm'], float):
    given['clip_norm'] = float(given['clip_norm'])
  if options.is_of(given.get('learning_rate'), float):
    given['learning_rate'] = float(given['learning_rate'])
  options.call(flag, make_optimizer, given, flag=flag)
  structure, numbers = options.split(given)

  # Trying is the only way to know: optax does not say which functions do so.
  def moved(numbers, weight):
    tx = make_optimizer(**options.merge(structure, numbers), flag=flag)
    return tx.update(weight, tx.init(weight), weight)

  try:
    jax.eval_shape(moved, numbers, {'kernel': jnp.zeros(2)})
  except (TypeError, UserError):
    return options.fixed(given)
  return given


def _schedule(flag, learning_rate, *, name='', **kwargs):
  """A schedule; those in lists among its arguments are made likewise."""
  if not name:
    raise UserError(f'{flag}.name is missing: a function of optax.')
  function = factory(name, flag=f'{flag}.name')
  known = inspect.signature(function).parameters
  # optax's schedules name their rate differently. Those with a warm-up have a
  # peak and an initial value, and the learning rate is the peak.
  start = next((rate for rate in RATES if rate in known), None)
  if start:
    kwargs.setdefault(start, learning_rate)
  made = {
    k: _argument(f'{flag}.{k}', v, learning_rate) for k, v in kwargs.items()
  }
  return _call(flag, function, made)


def _argument(flag, value, learning_rate):
  """What optax expects in place of the plain values of a config."""
  if isinstance(value, tuple | list):
    return [_argument(flag, v, learning_rate) for v in value]
  if not isinstance(value, dict):
    return value
  if 'name' in value:  # join_schedules
    return _schedule(flag, learning_rate, **value)
  if 'decay_steps' in value:  # sgdr_schedule
    return {'peak_value': learning_rate, **value}
  # The keys of a config are texts, optax's are steps.
  try:
    return {int(step): v for step, v in value.items()}
  except ValueError as e:
    raise UserError(f'{flag}={value}: expected {{step: number}}.') from e
