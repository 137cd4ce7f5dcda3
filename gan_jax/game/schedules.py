"""Schedules: learning rates, and other options that vary with the steps.

A schedule is {'name': ..., ...}, a function of optax and its arguments. In the
place of a number it makes that number follow the steps:

  penalties.r1.gamma = {
    'name': 'cosine_decay_schedule', 'init_value': 0.05, 'decay_steps': 9000,
  }
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from gan_jax.components import options as options_lib
from gan_jax.game import by_name
from gan_jax.types import UserError

RATES = ('peak_value', 'init_value', 'value')  # where a schedule begins


def make(
  flag: str, start: Any, /, *, name: str = '', **kwargs
) -> optax.Schedule:
  """A schedule; those in lists among its arguments are made likewise.

  Args:
    flag: how the config names it, for error messages.
    start: the number that it begins with unless it says so itself; None where
      it has to.
    name: see by_name.factory.
    **kwargs: of that function.

  Raises:
    UserError: an unknown name or argument, or one that is missing.
  """
  if not name:
    raise UserError(f'{flag}.name is missing: a function of optax.')
  function = by_name.factory(name, flag=f'{flag}.name')
  known = inspect.signature(function).parameters
  # optax's schedules name their rate differently. Those with a warm-up have a
  # peak and an initial value, and the learning rate is the peak.
  first = next((rate for rate in RATES if rate in known), None)
  if first and kwargs.setdefault(first, start) is None:
    raise UserError(f'{flag}.{first} is missing: the number it begins with.')
  made = {k: _argument(f'{flag}.{k}', v, start) for k, v in kwargs.items()}
  return by_name.call(flag, function, made)


def _argument(flag, value, start):
  """What optax expects in place of the plain values of a config."""
  if isinstance(value, tuple | list):
    return [_argument(flag, v, start) for v in value]
  if not isinstance(value, dict):
    return value
  if 'name' in value:  # join_schedules
    return make(flag, start, **value)
  if 'decay_steps' in value:  # sgdr_schedule
    return {'peak_value': start, **value}
  # The keys of a config are texts, optax's are steps.
  try:
    return {int(step): v for step, v in value.items()}
  except ValueError as e:
    raise UserError(f'{flag}={value}: expected {{step: number}}.') from e


def are_in(given: dict) -> list[str]:
  """Names of the options that have a schedule in the place of a number."""
  return [k for k, v in given.items() if isinstance(v, dict) and 'name' in v]


def apart(flag: str, given: dict) -> tuple[dict, dict[str, Callable]]:
  """Takes the schedules out of options.

  Returns:
    (the other options, {name: schedule(step []) -> []}).

  Raises:
    UserError: see make.
  """
  made = {k: make(f'{flag}.{k}', None, **given[k]) for k in are_in(given)}
  return {k: v for k, v in given.items() if k not in made}, made


def complete(flag: str, given: dict) -> dict:
  """Options whose schedules hold exactly the floats that can be traced.

  Args:
    flag: how the config names these options.
    given: from the config.

  Raises:
    UserError: see make.
  """
  return given | {k: _complete(f'{flag}.{k}', given[k]) for k in are_in(given)}


def _complete(flag, given):
  made = functools.partial(make, flag, None)
  options_lib.call(flag, made, given)
  structure, numbers = options_lib.split(given)
  value = lambda own, step: made(**options_lib.merge(structure, own))(step)
  try:  # as for optimizers, see optim.complete
    jax.eval_shape(value, numbers, jnp.int32(0))
  except (TypeError, UserError):
    return options_lib.fixed(given)
  return given


def root_decay(
  init_value: float, *, steps: int, warmup: int = 0, alpha: float = 1.0
) -> optax.Schedule:
  """A rate that falls with the root of the updates, once `steps` are over.

  Karras et al. 2024 (https://arxiv.org/abs/2312.02696), section 2.3, have it
  so; R3GAN2 lets it fall before that, too, by a cosine.

  Args:
    init_value: the rate.
    steps: updates before the root counts.
    warmup: updates of a line from 0, which the other factors do not wait for.
    alpha: what is left of the rate after `steps`, by a half wave of a cosine.
  """

  def rate(count):
    done = count / steps
    wave = (1 + jnp.cos(jnp.pi * jnp.minimum(done, 1))) / 2
    line = jnp.minimum(count / warmup, 1) if warmup else 1
    left = alpha + (1 - alpha) * wave
    return init_value * line * left / jnp.sqrt(jnp.maximum(done, 1))

  return rate
