"""Optimizers by their names: of optax, or of one's own."""

import functools
import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from gan_jax.components import modules, options
from gan_jax.game import by_name, schedules
from gan_jax.types import UserError

# What every optimizer has, whichever it is.
OWN = ('name', 'learning_rate', 'schedule', 'clip_norm')

KEPT = 256  # optimizers that were tried, and how that went


class _Tried:
  """What trials of optimizers gave: the cells of a study share most of them."""

  def __init__(self):
    """Nothing has been tried."""
    self._known = {}

  def get(self, key: tuple, trial: Callable):
    """What trial() gave for a key; an error is not kept."""
    if key not in self._known:
      self._known[key] = trial()
      while len(self._known) > KEPT:
        del self._known[next(iter(self._known))]
    return self._known[key]


_fine, _traceable = _Tried(), _Tried()


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
    name: see by_name.factory: 'adam', 'rmsprop', 'muon', 'lion', ...
    learning_rate: its peak value; the schedule starts from it. None for an
      optimizer that takes none.
    schedule: {'name': 'cosine_decay_schedule', ...} with the arguments of that
      function, see schedules.make; its `init_value` (or `peak_value`) is the
      learning rate unless given. Counted in updates of this player; {}: none.
    clip_norm: largest global norm of the gradient; 0 for no clipping.
    flag: how the config names this optimizer, for error messages.
    **kwargs: handed to the optax function; a schedule in the place of a number,
      {'name': ...}, is counted likewise.

  Raises:
    UserError: a name or an argument that optax does not know.
  """
  known = options.are_known((learning_rate, clip_norm, kwargs))
  given = repr((learning_rate, schedule, clip_norm, kwargs)) if known else ''
  rate = learning_rate
  if schedule:
    rate = schedules.make(f'{flag}.schedule', learning_rate, **schedule)
  if rate is not None:
    options.check_kind(f'{flag}.learning_rate', learning_rate, float)
    kwargs['learning_rate'] = rate
  tx = _made(flag, name, kwargs)
  if not isinstance(tx, optax.GradientTransformation):
    raise UserError(f'{flag}.name={name!r}: not an optax optimizer.')
  if known:
    key = by_name.factory(name), given
    _fine.get(key, functools.partial(_check, tx, flag, clip_norm))
  # Without clipping the state has another structure, so a 0 is never traced:
  # `complete` leaves it out of the numbers.
  if isinstance(clip_norm, int | float) and not clip_norm:
    return tx
  return optax.chain(optax.clip_by_global_norm(clip_norm), tx)


def _made(flag, name, kwargs):
  """The optimizer of that name; numbers may be schedules."""
  function = by_name.factory(name, flag=f'{flag}.name')
  kwargs, varying = schedules.apart(flag, kwargs)
  if varying:
    fixed = inspect.signature(function).parameters.keys() - varying.keys()
    function = optax.inject_hyperparams(function, static_args=fixed)
  return by_name.call(flag, function, kwargs | varying)


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
  names = jax.tree.structure(numbers)
  key = by_name.factory(given['name']), repr(structure), names
  traceable = functools.partial(_is_traceable, structure, numbers, flag)
  return given if _traceable.get(key, traceable) else options.fixed(given)


def _is_traceable(structure, numbers, flag):
  """Whether the optimizer can be made of traced numbers.

  Trying is the only way to know: optax does not say of which functions.
  """

  def moved(numbers, weight):
    tx = make_optimizer(**options.merge(structure, numbers), flag=flag)
    return tx.update(weight, tx.init(weight), weight)

  try:
    jax.eval_shape(moved, numbers, {'kernel': jnp.zeros(2)})
  except (TypeError, UserError):
    return False
  return True
