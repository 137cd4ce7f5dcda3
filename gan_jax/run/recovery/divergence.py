"""Locates the exact step at which a run diverged.

A run checks for divergence only when something is due. One compiled program
takes any number of steps, so replaying from the last good state one step at a
time computes the same bits and stops at the very step after which no seed was
finite.
"""

import functools
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.data import batching, kinds
from gan_jax.devices import layout
from gan_jax.devices.parallel import Program
from gan_jax.run import loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.setup import Setup
from gan_jax.types import State


class Walk:
  """Replays a run: the same steps, the same running sums of metrics."""

  def __init__(
    self,
    setup: Setup,
    program: Program,
    state: State,
    *,
    start,
    window=None,
    every,
  ):
    """Starts at a state of the run.

    Args:
      setup: with the keys that the program draws with.
      program: the run's own.
      state: State [S, ...] at step `start`; kept for restart().
      start: updates of G so far.
      window: the sums that the checkpoint holds, see loop.Window.
      every: steps between two reports; each report resets the sums.
    """
    self._setup, self._program, self._every = setup, program, every
    self._origin = start, state, window
    self.restart()

  def restart(self):
    """Goes back to the start."""
    # Freed before the new ones are made, so that memory holds only one set.
    self._data = self._kept = self._total = None
    self.step, state, self._window = self._origin
    self._data = setup_lib.make_data(self._setup, self._program, step=self.step)
    self._kept = self._program.put(state)

  def go(self, n: int = 1):
    """Takes n steps in one call of the program."""
    program, fed = self._program, self._data(self.step)
    if self._total is None or loop.due(self.step, self._every):
      zeros = program.zeros
      total = loop.go_on(zeros, self._window) if self._window else zeros
      self._total, self._window = program.put(total), None
    self._kept, self._total = program.advance(self._kept, self._total, fed, n)
    self.step += n

  def to(self, step: int):
    """Advances to a step in as few calls as possible."""
    # Calls must end where reports reset the sums; nothing else cuts them, for
    # the length of a call changes no bit.
    cadence = loop.Cadence(self._every, 0, 0)
    while self.step < step:
      n = loop.steps_to_next(self.step, step, cadence)
      self.go(layout.most_steps(self._program.max_steps, self.step, n))

  def forget(self):
    """Resets the sums of metrics."""
    self._total = self._window = None

  def state(self) -> State:
    """A copy of the state [S, ...] on the host."""
    return jax.tree.map(np.array, self._program.get(self._kept))

  def metrics(self) -> dict:
    """{name: [S]}, summed since the last report or forget()."""
    return jax.tree.map(np.array, self._program.get(self._total))

  def alive(self) -> np.ndarray:
    """Which seeds [S] are finite, by the run's own criterion."""
    state = self._program.get(self._kept)
    if self._total is None:  # at the start: no metrics yet
      return np.asarray(loop.finite_seeds(state))
    return loop.alive(state, self.metrics())


class Bad(NamedTuple):
  """The step after which no seed was finite any more."""

  step: int  # updates of G, including this one
  seeds: tuple[int, ...]  # indices of the seeds it ended; the first is shown
  before: State  # [S, ...]
  after: State
  metrics: dict  # {name: [S]} of this step alone
  batch: dict  # {'x': [n, B, ...], ...} of the first of these seeds


def find(walk: Walk, setup: Setup, *, good: int, end: int) -> Bad | None:
  """Jumps to step `good`, then takes single steps, up to `end`.

  Args:
    walk: from the last good state.
    setup: with the keys that the program draws with.
    good: the last step at which some seed was known to be finite.
    end: the step at which none was.

  Returns:
    The bad step; None if the divergence does not recur: then the machine, or a
    component, does not compute the same numbers twice.
  """
  walk.to(good)
  before = alive = walk.alive()
  while alive.any() and walk.step < end:
    before = alive
    walk.go()
    alive = walk.alive()
  if alive.any() or not before.any():
    return None
  seeds, step = tuple(np.flatnonzero(before).tolist()), walk.step
  # The step before was not copied on the way (a copy of the whole state per
  # step would be slow), so the way is taken once more.
  walk.restart()
  return look(walk, setup, step=step, seeds=seeds)


def look(walk: Walk, setup: Setup, *, step: int, seeds: tuple[int, ...]) -> Bad:
  """Repeats one step and keeps the states before and after it."""
  walk.to(step - 1)
  walk.forget()
  before = walk.state()
  walk.go()
  batch = batch_of(setup, seeds[0], step - 1)
  metrics = loop.means(walk.metrics(), 1)
  return Bad(step, seeds, before, walk.state(), metrics, batch)


def batch_of(setup: Setup, seed: int, at: int) -> dict[str, np.ndarray]:
  """The batch that one seed receives after `at` steps.

  Returns:
    {'x': [n, B, ...] in model range, 'label': [n, B] or [n, B, C] if the
    networks are conditional, 'index': [B]}: bit for bit what the compiled step
    receives.
  """
  index = np.arange(setup.batch_size, dtype=np.int32)
  drawn = batching.of_step(
    setup.dataset,
    setup.keys[seed],
    index,
    at,
    batches=setup.structure.batches,
    batch_size=setup.batch_size,
    flip=setup.structure.flip,
  )
  prepare = functools.partial(kinds.in_model_range, setup.dataset)
  batch = {'x': np.asarray(jax.jit(prepare)(drawn['x']))}
  if setup.conditional:
    batch['label'] = drawn['label']
  return batch | {'index': index}
