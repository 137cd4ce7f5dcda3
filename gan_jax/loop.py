"""The training loop: advance, and now and then report, score and save."""

import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.parallel import Program
from gan_jax.types import State

CALL_SECONDS = 0.5  # about how long one call of the program may keep the host


class Diverged(Exception):
  """Every seed's losses have become non-finite."""


class Cadence(NamedTuple):
  """Every how many steps something happens; 0 means only at the end."""

  report: int
  score: int
  save: int


class Outcome(NamedTuple):
  """How a run ended: at its last step, at its goal, or told to stop."""

  state: State
  step: int
  reason: str  # 'steps', 'goal' or 'signal'


def due(step: int, every: int) -> bool:
  """Whether something that happens every so many steps happens now."""
  return every > 0 and step % every == 0


def steps_to_next(step: int, last: int, cadence: Cadence) -> int:
  """Steps until the first thing that is due, at most to the last step."""
  waits = [every - step % every for every in cadence if every > 0]
  return min([last - step, *waits])


def run(
  program: Program,
  state: State,
  data: Callable,
  *,
  start: int,
  steps: int,
  cadence: Cadence,
  report: Callable,
  score: Callable,
  save: Callable,
  tick: Callable,
  stop_signal: Callable,
) -> Outcome:
  """Trains from step `start` until `steps`, the goal, or a signal.

  Args:
    program: parallel.Program.
    state: State [S, ...] at step start.
    data: step -> what the program is fed at that step.
    start: updates of G so far.
    steps: updates of G in the whole run.
    cadence: when to report, score and save.
    report: (step, metrics {name: [S]}, state) -> None.
    score: (step, state) -> whether the goal is reached.
    save: (step, state) -> None.
    tick: step -> None, after every call of the program.
    stop_signal: () -> the signal that came in, or None.

  Raises:
    Diverged: no seed has finite losses any more; nothing is saved then.
  """
  kept = program.put(state)
  step, total, since = start, None, 0
  pace = _Pace(program.max_steps)
  while step < steps and stop_signal() is None:
    fed = data(step)
    if total is None:
      total, since = program.zeros(kept, fed), step
    n = min(steps_to_next(step, steps, cadence), pace.steps())
    kept, total = program.advance(kept, total, fed, n)
    step += n
    pace.note(n, total)
    tick(step)
    last = step == steps

    # Report
    if last or due(step, cadence.report):
      metrics = _means(total, step - since)
      total = None
      _check(metrics, since, step)
      report(step, metrics, program.get(kept))

    # Score; the score decides which checkpoint is the best, so it comes first.
    goal = False
    if last or due(step, cadence.score):
      goal = score(step, program.get(kept))

    # Save
    if last or goal or due(step, cadence.save):
      save(step, program.get(kept))
    if goal:
      return Outcome(program.get(kept), step, 'goal')

  stopped = step < steps
  if stopped:
    save(step, program.get(kept))
  return Outcome(program.get(kept), step, 'signal' if stopped else 'steps')


class _Pace:
  """Chooses how many steps a call takes, so that it takes CALL_SECONDS."""

  def __init__(self, most):
    self._most, self._steps = most, 1
    self._begin = self._waited = time.monotonic()

  def steps(self) -> int:
    self._begin = time.monotonic()
    return self._steps if self._most is None else self._most

  def note(self, steps, result):
    # Calls are queued; now and then the host waits, to stay near the device.
    if self._most and time.monotonic() - self._waited < CALL_SECONDS:
      return
    jax.block_until_ready(result)
    self._waited = time.monotonic()
    pace = steps * CALL_SECONDS / max(self._waited - self._begin, 1e-9)
    self._steps = int(np.clip(pace, 1, 4 * self._steps))


def _means(total, steps):
  return {k: np.asarray(v) / steps for k, v in jax.device_get(total).items()}


def _check(metrics, since, step):
  losses = np.stack([metrics['d_loss'], metrics['g_loss']])  # [2, S]
  if not np.isfinite(losses).all(axis=0).any():
    values = ', '.join(f'{k} {v.mean():g}' for k, v in metrics.items())
    raise Diverged(f'between steps {since} and {step}: {values}')
