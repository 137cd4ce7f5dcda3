"""How steps and seeds lie in a program, and when a step is looked at.

Nothing here names a device. All states and metrics have a leading seed axis
[S, ...] but in `make_one` and `make_counted`, which are of one seed.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.game.health.measures import PROBES


class Layout(NamedTuple):
  """How steps and seeds lie in a program.

  loop: many steps in one call, as a loop of XLA; otherwise one step a call.
  seeds: 'vmap': one vectorised step for all; 'map': one after the other, each
    through all steps of the call, in the same program; 'apart': one step of
    one seed a call, all of them the same compiled program.
  """

  loop: bool
  seeds: str


class Probe(NamedTuple):
  """What looks at every so many steps, without a part in them.

  every: how many steps; the look comes after their last.
  make: axis name or None -> look(before, after, batch, key, aside) -> metrics,
    with the States around the step.
  aside: what the look is given besides, arrays that are the same for all.
  names: of the metrics that it returns.
  """

  every: int
  make: Callable
  aside: dict
  names: tuple[str, ...]


def make_one(
  step: Callable, feed: Callable, look: Callable | None = None
) -> tuple[Callable, Callable | None]:
  """One step of one seed, and a look at it.

  Args:
    step: (state, batch, key) -> (state, metrics).
    feed: (data, key, step, index) -> batch without its index.
    look: see Probe.

  Returns:
    one(state, key, index, data) -> (state, metrics, batch), and
    looked(before, after, batch, key, aside) -> metrics or None.
  """

  def one(state, key, index, data):
    batch = {**feed(data, key, state.step, index), 'index': index}
    return *step(state, batch, key), batch

  looked = lambda *seen: {**look(*seen), PROBES: jnp.float32(1)}
  return one, looked if look else None


def make_counted(one: Callable, looked: Callable | None) -> Callable:
  """A step whose metrics are added to a running total; see make_one.

  Returns counted(state, total, key, index, data, aside, now), which gives
  (state, total). Whether one looks `now` [] is one answer for all seeds, or
  vmap would look at each step and throw it away.
  """

  def counted(state, total, key, index, data, aside, now):
    new, metrics, batch = one(state, key, index, data)
    total = {**total, **_add(total, metrics)}
    if looked is None:
      return new, total
    look = lambda total: {
      **total,
      **_add(total, looked(state, new, batch, key, aside)),
    }
    return new, jax.lax.cond(now, look, lambda total: total, total)

  return counted


def _add(total, metrics):
  return {name: total[name] + value for name, value in metrics.items()}


def make_advance(
  counted: Callable, *, layout: Layout, streamed: bool
) -> Callable:
  """Steps of all seeds: (state, total, keys, index, data, looks, n) gives
  (state, total).

  n is the number of steps (always 1 without layout.loop); where seeds are
  apart, it is the seed that takes one step. It is known only at run time: any
  number of steps is the same program, so where a run is cut changes no bit.
  looks is (every [], aside): steps whose number is a multiple of `every` are
  looked at. It is known only at run time, too: with every step, the compiler
  would make one of the step and the look, and other bits.
  """
  data_axis = 0 if streamed else None

  def make_due(looks):  # step: the number of steps before this one
    every = jnp.maximum(looks[0], 1)
    return lambda step: (step + 1) % every == 0

  def steps(move, state, total, n):
    """move: (state, total) -> (state, total), n times."""
    if not layout.loop:
      return move(state, total)
    body = lambda _, carry: move(*carry)
    return jax.lax.fori_loop(0, n, body, (state, total))

  def vectorised(state, total, keys, index, data, looks, n):
    axes = (0, 0, 0, None, data_axis, None, None)
    every_seed, due = jax.vmap(counted, in_axes=axes), make_due(looks)

    def move(state, total):
      now = due(state.step[0])
      return every_seed(state, total, keys, index, data, looks[1], now)

    return steps(move, state, total, n)

  def in_turn(state, total, keys, index, data, looks, n):
    due = make_due(looks)

    def seed(x):
      state, total, key, data = x

      def move(state, total):
        now = due(state.step)
        return counted(state, total, key, index, data, looks[1], now)

      return steps(move, state, total, n)

    if streamed:
      return jax.lax.map(seed, (state, total, keys, data))
    return jax.lax.map(lambda x: seed((*x, data)), (state, total, keys))

  def apart(state, total, keys, index, data, looks, n):
    take = functools.partial(jax.tree.map, lambda x: x[n])
    own, data = take((state, total)), take(data) if streamed else data
    now = make_due(looks)(own[0].step)
    new = counted(*own, keys[n], index, data, looks[1], now)
    return jax.tree.map(lambda x, y: x.at[n].set(y), (state, total), new)

  return {'vmap': vectorised, 'map': in_turn, 'apart': apart}[layout.seeds]
