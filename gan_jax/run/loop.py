"""The training loop: advances, and reports, scores and saves when due."""

import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.devices import layout, multihost
from gan_jax.devices.parallel import Program
from gan_jax.game.health import measures
from gan_jax.game.terms import is_minimised
from gan_jax.types import State

CALL_SECONDS = 0.5  # about how long one call of the program may keep the host


class Diverged(Exception):
  """No seed is finite any more.

  Attributes:
    good: the last step at which some seed was known to be finite.
    step: the step at which none was.
    hint: what can be done about it.
  """

  def __init__(self, reason: str, *, good: int = 0, step: int = 0, hint=''):
    super().__init__(reason)
    self.good, self.step, self.hint = good, step, hint


class Cadence(NamedTuple):
  """The number of steps between two of each; 0 means only at the end."""

  report: int
  score: int
  save: int


class Window(NamedTuple):
  """The sums of metrics since the last report; part of every checkpoint.

  Otherwise the first report of a resumed run would average fewer steps than
  that of an uninterrupted run.
  """

  since: int  # step of that report
  total: dict  # {name: [S] float32}

  def as_json(self) -> dict:
    """Plain numbers for JSON; exact, as a float holds any float32."""
    total = {k: np.float32(v).tolist() for k, v in self.total.items()}
    return {'since': int(self.since), 'total': total}


class Handed:
  """A state [S, ...] until it is taken by the one who changes it.

  Where a run started is known as long as it runs. That must not hold a state in
  memory beside the one that moves.
  """

  def __init__(self, state: State):
    self.value = state

  def take(self) -> State:
    """The state, which is not here any more then."""
    state, self.value = self.value, None
    return state


class StartPoint(NamedTuple):
  """Where a run starts or continues."""

  state: Handed  # [S, ...], taken by the loop
  step: int = 0  # updates of G so far
  window: Window | None = None  # as saved at that step
  owed: bool = False  # whether a signal interrupted the score of that step


class Calls(NamedTuple):
  """What the loop calls when something is due; see hooks.Hooks."""

  report: Callable  # (step, metrics {name: [S]}, state) -> None
  score: Callable  # (step, state) -> whether the goal is reached
  save: Callable  # (step, state, Window since the last report) -> None
  tick: Callable  # step -> None, after every call of the program


class Outcome(NamedTuple):
  """How a run ended: at its last step, at its goal, or by a signal."""

  state: State
  step: int
  reason: str  # 'steps', 'goal' or 'signal'


def due(step: int, every: int) -> bool:
  """Whether something is due that happens every `every` steps."""
  return every > 0 and step % every == 0


def steps_to_next(step: int, last: int, cadence: Cadence) -> int:
  """Steps until the next thing is due, or until the last step."""
  waits = [every - step % every for every in cadence if every > 0]
  return min([last - step, *waits])


def run(
  program: Program,
  begun: StartPoint,
  data: Callable,
  *,
  steps: int,
  cadence: Cadence,
  calls: Calls,
  stop_signal: Callable,
) -> Outcome:
  """Trains until `steps`, the goal, or a signal.

  Args:
    program: parallel.Program.
    begun: where the run starts or continues.
    data: step -> the data that the program takes at that step.
    steps: updates of G in the whole run.
    cadence: when to report, score and save.
    calls: what is called when due.
    stop_signal: () -> the signal that was received, or None.

  Raises:
    Diverged: no seed is finite any more, see alive; that state is not reported,
      scored or saved.
  """
  report, score, save, tick = calls
  start, window = begun.step, begun.window
  kept = program.put(begun.state.take())
  step, since, good = start, start, start
  total = None
  pace = _Pace(program.max_steps)
  if begun.owed and score(step, program.get(kept)):
    return Outcome(program.get(kept), step, 'goal')
  while step < steps and stop_signal() is None:
    fed = data(step)
    if total is None:
      total, since = program.zeros, step
      if window is not None:
        total, since, window = go_on(total, window), window.since, None
      total = program.put(total)
    n = min(steps_to_next(step, steps, cadence), pace.steps())
    n = layout.most_steps(program.max_steps, step, n)
    kept, total = program.advance(kept, total, fed, n)
    step += n
    pace.note(n, total)
    tick(step)
    last = step == steps

    if not last and not any(due(step, every) for every in cadence):
      continue
    state = program.get(kept)  # of several processes a collective: once

    # Check
    good = _check(state, program.get(total), good=good, step=step)

    # Report
    if last or due(step, cadence.report):
      metrics = means(program.get(total), step - since)
      total, since = None, step
      report(step, metrics, state)

    # Score; the score decides which checkpoint is the best, so it comes first.
    goal = False
    if last or due(step, cadence.score):
      goal = score(step, state)

    # Save
    if last or goal or due(step, cadence.save):
      save(step, state, _window(since, total, program))
    if goal:
      return Outcome(state, step, 'goal')
    del state  # pmap's is a copy: not beside the next steps

  state, stopped = program.get(kept), step < steps
  if stopped:
    if step > good:
      _check(state, program.get(total), good=good, step=step)
    save(step, state, window or _window(since, total, program))
  return Outcome(state, step, 'signal' if stopped else 'steps')


class _Pace:
  """Chooses the number of steps per call so that it takes CALL_SECONDS."""

  def __init__(self, most):
    self._most, self._steps = most, 1
    self._begin = self._waited = time.monotonic()

  def steps(self) -> int:
    """For the next call; the same in all processes, as process 0 decides."""
    self._begin = time.monotonic()
    return 1 if self._most == 1 else multihost.share(self._steps)

  def note(self, steps, result):
    # Calls are queued without waiting for their results. The host waits from
    # time to time, to measure the pace and not to run far ahead of the device.
    if self._most == 1 and time.monotonic() - self._waited < CALL_SECONDS:
      return
    jax.block_until_ready(result)
    self._waited = time.monotonic()
    pace = steps * CALL_SECONDS / max(self._waited - self._begin, 1e-9)
    # At most fourfold: the first calls are too short to be measured well.
    self._steps = int(np.clip(pace, 1, 4 * self._steps))


def _window(since, total, program):
  return Window(since, jax.device_get(program.get(total)) if total else {})


def go_on(zeros: dict, window: Window) -> dict:
  """The sums of a window; metrics that it lacks start at zero."""
  return {
    name: np.float32(window.total.get(name, zero))
    for name, zero in zeros.items()
  }


def means(total: dict, steps: int) -> dict:
  """Means over the steps; of health metrics, over the probed steps."""
  total = {k: np.asarray(v) for k, v in jax.device_get(total).items()}
  probes = total.pop(measures.PROBES, np.zeros(1))  # the same for all seeds
  return {
    name: v / (probes if name.startswith(measures.PREFIX) else steps)
    for name, v in total.items()
    if probes.any() or not name.startswith(measures.PREFIX)
  }


@jax.jit
def finite_seeds(state: State) -> jax.Array:
  """Which seeds [S] of a state [S, ...] hold no NaN and no infinity."""
  finite = [
    jnp.isfinite(leaf).all(axis=tuple(range(1, leaf.ndim)))
    for leaf in jax.tree.leaves(state)
    if jnp.issubdtype(leaf.dtype, jnp.inexact)
  ]
  return functools.reduce(jnp.logical_and, finite, jnp.bool_(True))


def losses(metrics: dict) -> dict:
  """Those of the metrics that a player minimises."""
  return {k: v for k, v in metrics.items() if is_minimised(k)}


def alive(state: State, metrics: dict) -> np.ndarray:
  """Which seeds are finite: a pure function of what all processes have.

  Gradients need no check of their own: a non-finite one reaches the optimizer's
  state or the weights in the same step. Clipping does not hide it, because
  inf / inf is NaN. (Only a rule that uses just the sign of the gradient, such
  as optax's sign_sgd, makes a finite update of an infinite one.)

  Args:
    state: State [S, ...].
    metrics: {name: [S]}, of a step or their sum over several.

  Returns:
    [S] bool.
  """
  values = np.stack([np.asarray(v) for v in losses(metrics).values()])
  return np.isfinite(values).all(axis=0) & np.asarray(finite_seeds(state))


def _check(state, total, *, good, step):
  """Returns the step if some seed is finite; raises Diverged otherwise."""
  total = jax.device_get(total)
  if alive(state, total).any():
    return step
  bad = [k for k, v in losses(total).items() if not np.isfinite(v).all()]
  bad += [] if np.all(finite_seeds(state)) else ['the state']
  raise Diverged(
    f'between steps {good} and {step}: non-finite values in {", ".join(bad)}',
    good=good,
    step=step,
  )
