"""Checks of those config values that no component checks itself."""

import math

import jax
import jax.numpy as jnp

from gan_jax import types
from gan_jax.components import options
from gan_jax.run.config.keys import TABLE
from gan_jax.storage import memory
from gan_jax.types import UserError

DTYPES = {'float32': jnp.float32, 'bfloat16': jnp.bfloat16}
BELOW = 2**31  # seeds, steps and counts are int32 on the device
DEEPEST = 20  # levels of nested groups
# Options of optimizers: from 0 to below this, whichever optimizer has them.
OPTIM = {
  **dict.fromkeys(('learning_rate', 'eps', 'weight_decay'), math.inf),
  **dict.fromkeys(('b1', 'b2', 'decay', 'momentum'), 1),
}


def check_optimizers(optim: dict):
  """Checks the options that optimizers share.

  Args:
    optim: options by player.

  Raises:
    UserError: one is out of range.
  """
  for player, own in optim.items():
    for name, most in OPTIM.items():
      value = own.get(name)
      if options.is_of(value, float) and not 0 <= value < most:
        least = f'at least 0{f" and below {most}" if most < math.inf else ""}'
        raise UserError(f'optim.{player}.{name}={value}: expected {least}.')


def check_kinds(config: dict):
  """Refuses values that are not plain, or of the wrong type.

  Args:
    config: all or some of its keys.

  Raises:
    UserError: NaN, an infinity, a string for a number, ...
  """
  _check_plain(config)
  for name in set(TABLE) & set(config):
    options.check_kind(name, config[name], TABLE[name].kind)
  for name in config.get('metrics', ()):
    options.check_kind('metrics', name, str)


def check_values(config: dict):
  """Checks all numbers at any depth, and all top-level values.

  Raises:
    UserError: a value is not finite, of the wrong type, or out of range.
  """
  check_kinds(config)
  for name, key in TABLE.items():
    _check_range(name, config[name], key)
  _check_together(config)


def _check_range(name, value, key):
  least, known = key.least, key.choices
  if least is not None and not least <= value < BELOW:
    bound = f'at least {least}' if value < least else 'below 2**31'
    raise UserError(f'{name}={value}: expected {bound}.')
  if known and value not in known:
    raise UserError(f'{name}={value!r}: there are {", ".join(known)}.')


def check_memory(config: dict, state, shape: tuple[int, ...]):
  """Refuses runs that could not even start; only a lower bound is known.

  Args:
    config: of the run.
    state: of one seed, or its shapes.
    shape: of a sample.

  Raises:
    UserError: this machine has too little memory.
  """
  nbytes = sum(
    math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(state)
  )
  memory.check_memory(
    config['num_seeds'] * nbytes,
    f'num_seeds={config["num_seeds"]}: the networks and their optimizers',
  )
  batches = (config['d_steps'] + 1) * config['batch_size']
  memory.check_memory(
    4 * batches * math.prod(shape),
    f'batch_size={config["batch_size"]}: the examples of a step',
  )


def _check_together(config):
  pieces = config['microbatches']
  if config['batch_size'] % pieces:
    raise UserError(
      f'microbatches={pieces}: does not divide'
      f' batch_size={config["batch_size"]}.'
    )
  if config['seed'] + config['num_seeds'] > BELOW:
    raise UserError(
      f'seed={config["seed"]}: with num_seeds={config["num_seeds"]} the last'
      ' seed is not below 2**31.'
    )
  if config['batch_size'] * (config['d_steps'] + 1) >= types.MAX_SIZE:
    raise UserError(
      f'batch_size={config["batch_size"]}: with d_steps={config["d_steps"]} a'
      f' step draws more than {types.MAX_SIZE:,} examples.'
    )


def _check_plain(value, key=''):
  """Refuses NaN, infinities, and all that config.json cannot hold."""
  if key.count('.') > DEEPEST:
    raise UserError(f'{key}: nested too deeply.')
  if isinstance(value, dict):
    for name, one in value.items():
      if not isinstance(name, str):
        raise UserError(
          f'{key or "config"}: keys must be strings, not {name!r}.'
        )
      _check_plain(one, f'{key}.{name}' if key else name)
  elif isinstance(value, tuple | list):
    for one in value:
      _check_plain(one, key)
  elif isinstance(value, float):
    if not math.isfinite(value):
      raise UserError(f'{key}={value}: expected a finite number.')
  elif isinstance(value, int):
    if abs(value) >= 2**63:
      raise UserError(f'{key}={value}: expected a 64-bit number.')
  elif not isinstance(value, str | None):
    raise UserError(
      f'{key}={value}: expected a number, a string, True, False, None, a tuple'
      f' or a group of options, not {type(value).__name__}.'
    )
