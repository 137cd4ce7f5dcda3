"""Changes: what takes the place of a player's adversarial loss.

A change is given the loss as a whole, which it may ask about any pass:

  change(loss, forward, memo, *, key) -> ([B], memo),   loss: Forward -> [B]

Several of a player follow each other in the order of the config: the loss of
the second is what the first makes of it.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.components.options import shape_of
from gan_jax.game import keys as keys_lib
from gan_jax.game.terms import Forward, Term
from gan_jax.types import UserError

LOSS = 'loss'  # whose memo stands beside those of the changes


class Changing(NamedTuple):
  """A change, and what it remembers at the beginning."""

  value: Callable  # see above
  init: Callable = tuple  # () -> memo


def changed(
  term: Term, changes: dict[str, Changing], *, axis: str | None = None
) -> Term:
  """A player's loss with its changes; its memo holds theirs by name.

  Args:
    term: the loss.
    changes: by the name of the component, the first one first.
    axis: mesh axis over which the batch is split, if it is.
  """
  if not changes:
    return term

  def value(f: Forward, memo: dict, *, key: jax.Array):
    def usual(f):
      each, after = term.value(f, memo[LOSS], key=key)
      return of_device(each, len(f.on_real['logits']), axis), after

    current, (each, own) = usual, usual(f)
    after = {LOSS: own}
    for name, change in changes.items():
      current = _applied(name, change.value, current, memo[name], key)
      each, after[name] = current(f)
    return each, after

  def init():
    return {LOSS: term.init()} | {k: c.init() for k, c in changes.items()}

  return term._replace(value=value, init=init)


def _applied(name, change, before, memo, key):
  """Forward -> ([B], memo): the change of what was there before."""
  # Streams by name: another change leaves the draws of this one alone.
  own = keys_lib.fold_each(key, keys_lib.by_name(name))
  loss = lambda f: before(f)[0]

  def current(f):
    count = len(f.on_real['logits'])
    # Of a pack of samples, the key of its first one.
    made = change(loss, f, memo, key=own[:: len(own) // count])
    _check(f'penalties.{name}', made, memo, count)
    return made

  return current


def of_device(each: jax.Array, count: int, axis: str | None) -> jax.Array:
  """Of values of the global batch, if they are, the device's own.

  Args:
    each: of all examples, or of those of the device.
    count: how many the device has.
    axis: mesh axis over which the batch is split, if it is.
  """
  if len(each) == count:
    return each
  start = jax.lax.axis_index(axis) * count
  return jax.lax.dynamic_slice_in_dim(each, start, count)


def _check(flag: str, made: Any, memo: Any, count: int):
  """Refuses what a change may not give."""
  if not (isinstance(made, tuple) and len(made) == 2):
    raise UserError(
      f'{flag}: its change of a loss gives {type(made).__name__}; expected (a'
      ' value per example [B], memo).'
    )
  value, after = made
  if jnp.shape(value) != (count,):
    raise UserError(
      f'{flag}: its change of a loss is {shape_of(value, count)}; expected'
      ' [B], a value per example.'
    )
  like = lambda tree: jax.tree.map(
    lambda x: (jnp.shape(x), jnp.result_type(x)), tree
  )
  if like(after) != like(memo):
    raise UserError(
      f'{flag}: memo gives {like(after)}; expected {like(memo)}, as it was'
      ' before.'
    )


def scheduled(change: Callable, rates: dict[str, Callable]) -> Callable:
  """A change some of whose options follow the steps.

  Args:
    change: takes them as keyword arguments.
    rates: {option: step [] -> []}.
  """
  if not rates:
    return change

  @functools.wraps(change)
  def value(loss, f, memo, *, key):
    now = {name: rate(f.batch['step']) for name, rate in rates.items()}
    return change(loss, f, memo, key=key, **now)

  return value
