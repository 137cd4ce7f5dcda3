"""The augmentation of a game: one of a file, and those that follow it.

  augment = {'name': 'apa', 'then': {'name': 'ada', 'target': 0.6}}

Reals are replaced first, by all of them, then every sample is shown through the
first, the second, and so on; each draws by itself and keeps a memo of its own.
Any of their numbers may be a schedule (see schedules).
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.components import files
from gan_jax.components import options as options_lib
from gan_jax.game import keys as keys_lib
from gan_jax.game import schedules
from gan_jax.game.objectives import on_axis
from gan_jax.game.terms import Forward
from gan_jax.types import Augmentation, D, UserError

THEN = 'then'  # the option that names the next one
FLAG = 'augment'
_STREAM = 0x7468656E  # of the next one's draws, away from those of files


def complete(options: dict, *, flag: str = FLAG) -> dict:
  """The options of an augmentation and its followers, with all their floats.

  Args:
    options: from the config; {} for none.
    flag: how the config names them.

  Raises:
    UserError: an augmentation that does not exist, or no group of options.
  """
  if not options:
    return options
  own, then = _apart(options, flag)
  file = select.module('augment', own.get('name', ''), flag=f'{flag}.name')
  own = options_lib.with_floats(own, *files.functions_of(file))
  own = schedules.complete(flag, own)
  following = f'{flag}.{THEN}'
  return own | ({THEN: complete(then, flag=following)} if then else {})


def _apart(options, flag):
  """(an augmentation's own options, those of the next one)."""
  own = dict(options)
  then = own.pop(THEN, {})
  options_lib.check_kind(f'{flag}.{THEN}', then, dict)
  return own, then


def make(options: dict, *, axis: str | None = None) -> Augmentation:
  """The augmentation of options from complete.

  Args:
    options: their floats may be traced; {} for none.
    axis: mesh axis over which the batch is split, if it is.

  Raises:
    UserError: whatever is wrong with the options.
  """
  at = functools.partial(_made, FLAG, options, axis)
  first = at(jnp.int32(0))
  return first._replace(at=at) if _varies(options) else first


def _varies(options):
  own, then = _apart(options, FLAG)
  return bool(schedules.are_in(own)) or (bool(then) and _varies(then))


def _made(flag, options, axis, step):
  """The augmentation with what its options are at a step."""
  own, then = _apart(options, flag)
  if THEN in flag and 'synced' in own:
    raise UserError(
      f'{flag}.synced={own["synced"]}: expected {FLAG}.synced, which goes for'
      ' all of them.'
    )
  own, rates = schedules.apart(flag, own)
  now = {k: rate(step) for k, rate in rates.items()}
  if options_lib.are_known(now):
    now = jax.tree.map(float, now)
  made = options_lib.call(flag, select.augmentation, own | now, flag=flag)
  for name in ('apply', 'update', 'replace'):
    function = on_axis(getattr(made, name), axis)
    made = made._replace(**{name: _blaming(flag, function)})
  following = f'{flag}.{THEN}'
  return chained(made, _made(following, then, axis, step)) if then else made


def _blaming(flag, function):
  """The function, whose mistakes name the flag at which it stands."""

  def call(*args, **kwargs):
    try:
      return function(*args, **kwargs)
    except UserError as e:  # files only know of the first one
      words = str(e).replace(f'{FLAG}.', f'{flag}.', 1)
      raise UserError(words) from e

  return function if flag == FLAG else call


def chained(first: Augmentation, then: Augmentation) -> Augmentation:
  """One augmentation after another; the memo is {'own': ..., 'then': ...}."""
  later = lambda key: keys_lib.fold_each(key, _STREAM)

  def through(one, other):
    def apply(x, memo, *, key):
      x = one(x, memo['own'], key=key)
      return other(x, memo[THEN], key=later(key))

    return apply

  def replace(real, fake, memo, *, key):
    real = first.replace(real, fake, memo['own'], key=key)
    return then.replace(real, fake, memo[THEN], key=later(key))

  def update(memo, real_logits):
    return {
      'own': first.update(memo['own'], real_logits),
      THEN: then.update(memo[THEN], real_logits),
    }

  def measured(memo):
    after = then.measured(memo[THEN])
    return first.measured(memo['own']) | {
      f'{THEN}_{k}': v for k, v in after.items()
    }

  return first._replace(
    apply=through(first.apply, then.apply),
    alone=through(first.alone or first.apply, then.alone or then.apply),
    replace=replace,
    update=update,
    init=lambda: {'own': first.init(), THEN: then.init()},
    measured=measured,
  )


def with_measures(terms: dict, augment: Augmentation) -> dict:
  """The terms, with what the augmentation's memo says measured beside D's loss.

  Args:
    terms: {player: {name: Term}}.
    augment: what it measures as `p` is the metric `augment_p`.
  """
  names = jax.eval_shape(lambda: augment.measured(augment.init()))
  if not names:
    return terms
  loss = terms[D]['loss']
  also = {f'{FLAG}_{name}': _measure(name) for name in names}
  own = {**terms[D], 'loss': loss._replace(also={**loss.also, **also})}
  return {**terms, D: own}


def _measure(name: str) -> Callable:
  def measure(seen: Forward) -> jax.Array:
    return seen.augment[name]

  return measure
