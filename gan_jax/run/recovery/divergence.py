"""The step at which a run diverged: found again, and written down.

A run looks at itself only when something is due. As any number of steps is the
same program, going back to the last good state and taking one step at a time
meets the very step after which no seed was finite.
"""

import functools
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.data import kinds, loading
from gan_jax.devices.parallel import Program
from gan_jax.run import loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.setup import Setup
from gan_jax.types import State


class Walk:
  """A run gone through again: the same steps, the same sums of metrics."""

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
    """Begins.

    Args:
      setup: with the keys that the program draws by.
      program: the run's own.
      state: State [S, ...] at step start; it is kept.
      start: updates of G so far.
      window: what a checkpoint kept of the sums, see loop.Window.
      every: steps between two reports; there the sums begin anew.
    """
    self._lab, self._program, self._every = setup, program, every
    self._origin = start, state, window
    self.restart()

  def restart(self):
    """Back to where it began."""
    self._data = self._kept = self._total = None  # or there are two of them
    self.step, state, self._window = self._origin
    self._data = setup_lib.make_data(self._lab, self._program, step=self.step)
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
    """Goes to a step by as few calls as there can be."""
    cadence = loop.Cadence(self._every, 0, 0)
    while self.step < step:
      n = loop.steps_to_next(self.step, step, cadence)
      self.go(n if self._program.max_steps is None else 1)

  def forget(self):
    """From here on the metrics are summed anew."""
    self._total = self._window = None

  def state(self) -> State:
    """A copy of the state [S, ...] on the host."""
    return jax.tree.map(np.array, self._program.get(self._kept))

  def metrics(self) -> dict:
    """{name: [S]}, summed since the last report, or since forget."""
    return jax.tree.map(np.array, self._program.get(self._total))

  def alive(self) -> np.ndarray:
    """Which seeds [S] are finite, as the run would see it."""
    state = self._program.get(self._kept)
    if self._total is None:
      return np.asarray(loop.finite_seeds(state))
    return loop.alive(state, self.metrics())


class Bad(NamedTuple):
  """The step after which no seed was finite any more."""

  step: int  # updates of G, with this one
  seeds: tuple[int, ...]  # which ones it ended, the first of them is shown
  before: State  # [S, ...]
  after: State
  metrics: dict  # {name: [S]} of that step alone
  batch: dict  # {'x': [n, B, ...], ...} of the first of the seeds


def find(walk: Walk, setup: Setup, *, good: int, end: int) -> Bad | None:
  """Goes to step `good` at once and then step by step, at most to `end`.

  Args:
    walk: from the last good state.
    setup: with the keys that the program draws by.
    good: the last step at which a seed was seen to be finite.
    end: the step at which none was.

  Returns:
    None if it does not happen again: then the machine, or a component, does
    not give the same numbers twice.
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
  walk.restart()
  return look(walk, setup, step=step, seeds=seeds)


def look(walk: Walk, setup: Setup, *, step: int, seeds: tuple[int, ...]) -> Bad:
  """Repeats one step, and keeps what was before and after it."""
  walk.to(step - 1)
  walk.forget()
  before = walk.state()
  walk.go()
  batch = batch_of(setup, seeds[0], step - 1)
  metrics = loop.means(walk.metrics(), 1)
  return Bad(step, seeds, before, walk.state(), metrics, batch)


def batch_of(setup: Setup, seed: int, at: int) -> dict[str, np.ndarray]:
  """What one seed is fed after `at` steps.

  Returns:
    {'x': [n, B, ...] in model range, 'label': [n, B] for networks that know
    it, 'index': [B]}: bit for bit what the compiled step has.
  """
  index = np.arange(setup.batch_size, dtype=np.int32)
  batches = loading.stream(
    setup.dataset,
    setup.keys[seed],
    index,
    step=at,
    batches=setup.structure.batches,
    batch_size=setup.batch_size,
    flip=setup.structure.flip,
    depth=1,
  )
  drawn = next(batches)
  batches.close()
  prepare = functools.partial(kinds.in_model_range, setup.dataset)
  batch = {'x': np.asarray(jax.jit(prepare)(drawn['x']))}
  if setup.num_classes:
    batch['label'] = drawn['label']
  return batch | {'index': index}
