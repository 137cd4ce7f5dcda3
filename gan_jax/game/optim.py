"""Optimizers by their names in optax."""

import inspect

import jax
import jax.numpy as jnp
import optax

from gan_jax import options
from gan_jax.types import UserError


def _attribute(flag, name):
  function = getattr(optax, name, None)
  if not callable(function):
    raise UserError(f'{flag}={name!r}: optax has no such function.')
  return function


def _call(flag, function, kwargs):
  """Calls an optax factory; an error names unknown or missing arguments."""
  try:
    inspect.signature(function).bind(**kwargs)
    return function(**kwargs)
  except (TypeError, ValueError) as e:
    takes = ', '.join(inspect.signature(function).parameters)
    raise UserError(f'{flag}: {e}; {function.__name__} takes {takes}.') from e


def make_optimizer(
  name: str,
  *,
  learning_rate: float,
  schedule: dict | None = None,
  clip_norm: float = 0.0,
  flag: str = 'optim',
  **kwargs,
) -> optax.GradientTransformation:
  """An optax optimizer with a schedule and clipping.

  Args:
    name: an optax function: 'adam', 'rmsprop', 'sgd', 'lion', ...
    learning_rate: its peak value; the schedule starts from it.
    schedule: {'name': 'cosine_decay_schedule', ...} with the arguments of that
      function of optax; its `init_value` (or `peak_value`) is the learning
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
  factory = _attribute(f'{flag}.name', name)
  tx = _call(flag, factory, {'learning_rate': rate, **kwargs})
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
    jax.eval_shape(lambda w: tx.update(w, tx.init(w), w), weight)
  except (TypeError, ValueError) as e:
    raise UserError(f'{flag}: {str(e).splitlines()[0]}') from e
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
  factory = _attribute(f'{flag}.name', name)
  takes = inspect.signature(factory).parameters
  # optax's schedules name their rate differently. Those with a warm-up have a
  # peak and an initial value, and the learning rate is the peak.
  for start in ('peak_value', 'init_value', 'value'):
    if start in takes:
      kwargs.setdefault(start, learning_rate)
      break
  return _call(flag, factory, kwargs)
