"""How steps and seeds are arranged in a program, and when steps are probed.

Nothing here names a device. All states and metrics have a leading seed axis
[S, ...], except in `make_one` and `make_counted`, which handle one seed.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.game.health.measures import PROBES


class Layout(NamedTuple):
  """How steps and seeds are arranged in a program.

  loop: many steps per call, as an XLA loop; otherwise one step per call.
  seeds: 'vmap': one vectorised step for all seeds; 'map': one seed after the
    other, each through all steps of the call, in the same program; 'apart':
    one step of one seed per call, all with the same compiled program.
  unroll: what a step does several times stands in its program as many times,
    in place of an XLA loop.
  """

  loop: bool
  seeds: str
  unroll: bool = False


class Probe(NamedTuple):
  """Observes the game every so many steps, without influencing it.

  every: number of steps; the probe follows the last of them.
  make: axis name or None -> look(before, after, batch, key, given) -> metrics,
    with the States around the step; given is make_advance's.
  aside: further arrays for the probe, the same for all seeds.
  names: of the metrics that it returns.
  """

  every: int
  make: Callable | None
  aside: dict
  names: tuple[str, ...]


class Work(NamedTuple):
  """The work of a program.

  make_step: (axis name or None, unroll=) -> step(state, batch, key, numbers) ->
    (state, metrics); see Layout.
  feed: (data, key, step, index [b]) -> {'x': [n, b, ...], ...} of one seed.
  names: of the step's metrics.
  numbers: the floats among the game's options. A program depends on their names
    only, so changing a value compiles nothing.
  frozen: arrays that nobody trains.
  probe: what observes the steps, and when.
  """

  make_step: Callable
  feed: Callable
  names: tuple[str, ...]
  numbers: dict = {}
  frozen: dict = {}
  probe: Probe = Probe(0, None, {}, ())


def make_one(
  step: Callable, feed: Callable, look: Callable | None = None
) -> tuple[Callable, Callable | None]:
  """One step of one seed, and its probe.

  Args:
    step: (state, batch, key, numbers) -> (state, metrics).
    feed: (data, key, step, index) -> batch without its index.
    look: see Probe.

  Returns:
    one(state, key, index, data, given, at) -> (state, metrics, batch), and
    looked(before, after, batch, key, given) -> metrics or None.
  """

  def one(state, key, index, data, given, at):
    batch = feed(data, key, state.step, index)
    batch |= {'index': index, 'step': at}
    if given['frozen']:
      batch['frozen'] = given['frozen']
    return *step(state, batch, key, given['numbers']), batch

  def looked(before, after, batch, key, given):
    metrics = look(before, after, batch, key, given)
    return {**metrics, PROBES: jnp.float32(1)}

  return one, looked if look else None


def make_counted(
  one: Callable, looked: Callable | None, *, streamed: bool = False
) -> Callable:
  """A step whose metrics are added to a running total; see make_one.

  Args:
    one: see make_one.
    looked: see make_one.
    streamed: whether data holds the batches of several steps, [K, ...], of
      which the one of a step is at its number modulo K.

  Returns counted(state, total, key, index, data, given, at), which gives
  (state, total). `at` [] is the number of steps before this one, a single
  number for all seeds: with one per seed, vmap would compute both sides of
  every branch on it and discard one.
  """

  def counted(state, total, key, index, data, given, at):
    if streamed:
      data = jax.tree.map(lambda x: x[at % len(x)], data)
    new, metrics, batch = one(state, key, index, data, given, at)
    total = {**total, **_add(total, metrics)}
    if looked is None:
      return new, total
    look = lambda total: {
      **total,
      **_add(total, looked(state, new, batch, key, given)),
    }
    now = (at + 1) % jnp.maximum(given['every'], 1) == 0
    return new, jax.lax.cond(now, look, lambda total: total, total)

  return counted


def _add(total, metrics):
  return {name: total[name] + value for name, value in metrics.items()}


def most_steps(most: int | None, step: int, n: int) -> int:
  """Of n steps after `step`, as many as one call may take.

  Args:
    most: see parallel.Program; calls end at its multiples.
    step: taken so far.
    n: wanted.
  """
  return n if most is None else min(n, most - step % most)


def make_advance(
  counted: Callable, *, layout: Layout, streamed: bool
) -> Callable:
  """Steps of all seeds: (state, total, keys, index, data, given, n) gives
  (state, total).

  n is the number of steps (always 1 without layout.loop); with seeds 'apart' it
  is the index of the seed that takes one step. It is a run-time value: the same
  program takes any number of steps, so splitting a run into calls differently
  changes no bit.
  given is {'every', 'aside', 'numbers', 'frozen'}: steps whose number is a
  multiple of `every` are probed, with the arrays in `aside`; the numbers of the
  game's options; arrays that nobody trains. These are run-time values as well:
  if the compiler knew `every`, it could fuse the step with the probe and
  change the step's bits.
  """

  make = {'vmap': _vectorised, 'map': _in_turn, 'apart': _apart}[layout.seeds]
  advance = make(counted, loop=layout.loop, streamed=streamed)
  advance.__name__ = 'advance'  # the program's name, in profiles for example
  return advance


def _repeat(move, state, total, n, *, loop):
  """move: (state, total) -> (state, total), n times."""
  if not loop:
    return move(state, total)
  body = lambda _, carry: move(*carry)
  return jax.lax.fori_loop(0, n, body, (state, total))


def _one_seed(counted, *, loop):
  def one_seed(state, total, key, index, data, given, n):
    def move(state, total):
      return counted(state, total, key, index, data, given, state.step)

    return _repeat(move, state, total, n, loop=loop)

  return one_seed


def _vectorised(counted, *, loop, streamed):
  axes = (0, 0, 0, None, 0 if streamed else None, None, None)
  every_seed = jax.vmap(counted, in_axes=axes)
  one_seed = _one_seed(counted, loop=loop)

  def alone(state, total, keys, index, data, *rest):
    first = functools.partial(jax.tree.map, lambda x: x[0])
    own = first(data) if streamed else data
    new = one_seed(*first((state, total)), keys[0], index, own, *rest)
    return jax.tree.map(lambda x: x[None], new)

  def advance(state, total, keys, index, data, given, n):
    if len(keys) == 1:  # vmap over one seed is a quarter slower
      return alone(state, total, keys, index, data, given, n)

    def move(state, total):
      at = state.step[0]
      return every_seed(state, total, keys, index, data, given, at)

    return _repeat(move, state, total, n, loop=loop)

  return advance


def _in_turn(counted, *, loop, streamed):
  one_seed = _one_seed(counted, loop=loop)

  def advance(state, total, keys, index, data, given, n):
    def seed(x):
      state, total, key, data = x
      return one_seed(state, total, key, index, data, given, n)

    if streamed:
      return jax.lax.map(seed, (state, total, keys, data))
    return jax.lax.map(lambda x: seed((*x, data)), (state, total, keys))

  return advance


def _apart(counted, *, loop, streamed):
  del loop  # n is the seed

  def advance(state, total, keys, index, data, given, n):
    take = functools.partial(jax.tree.map, lambda x: x[n])
    own, data = take((state, total)), take(data) if streamed else data
    new = counted(*own, keys[n], index, data, given, own[0].step)
    return jax.tree.map(lambda x, y: x.at[n].set(y), (state, total), new)

  return advance
