"""How long a run takes here: what it does is done once, or a few times.

By the program that `train` compiles, with its probe, its layout and devices, on
the data or on random ones in their place. What happens again and again is
measured by itself, and multiplied.
"""

import contextlib
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.devices import layout
from gan_jax.run import loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import timed_scores
from gan_jax.run.setup import Setup
from gan_jax.run.shown import Shown
from gan_jax.storage.checkpoints import Checkpoints

ROUNDS = 3  # of calls; the median counts
AT_ONCE = 5.0  # seconds within which all kinds of steps are to come in turn


class Times(NamedTuple):
  """Seconds, of all seeds together.

  start: to make the networks and the program, which is mostly to compile, up to
    the end of the first step, and the first pictures.
  step: on the average over those with a penalty or a probe and those without.
  report, score, save: of each time that one is due; a score that cannot be
    taken without the data takes none.
  """

  start: float
  step: float
  report: float
  score: float
  save: float


def measure(setup: Setup, config: dict, *, steps: int) -> Times:
  """The times of a run.

  Args:
    setup: whose examples can be read, see described.rehearsed.
    config: of it.
    steps: that are timed at least.
  """
  clock = _Clock()
  with clock.of('start'):
    running = _Running(setup, config)
    shown = Shown(setup)
    shown.real_picture()
    shown.picture(shown.samples(running.state.ema))
    running.steps(1)
  with clock.of('report'):
    shown.picture(shown.samples(running.state.ema))
  score = timed_scores.measure(setup, config, running.state.ema)
  return Times(
    clock.seconds['start'] + score.first,
    _mean_step(running, setup, steps),
    clock.seconds['report'],
    score.each,
    _save(running.state),
  )


def parts(times: Times, config: dict) -> dict[str, float]:
  """Seconds of a whole run, by what they are spent on.

  Args:
    times: see measure.
    config: of the run.
  """
  last = config['steps']
  often = lambda key: _often(last, config[f'{key}_every'])
  return {
    'start': times.start,
    'steps': last * times.step,
    'reports': often('report') * times.report,
    'scores': often('eval') * times.score,
    'saves': often('save') * times.save,
  }


def _often(last, every):
  """How many times something is due, which is so after the last step too."""
  return -(-last // every) if every else 1


class _Clock:
  """Adds up seconds by name."""

  def __init__(self):
    self.seconds: dict[str, float] = {}

  @contextlib.contextmanager
  def of(self, name: str) -> Iterator[None]:
    """A block whose time it is."""
    begin = time.perf_counter()
    yield
    spent = time.perf_counter() - begin
    self.seconds[name] = self.seconds.get(name, 0.0) + spent


class _Running:
  """A run, as far as it has come."""

  def __init__(self, setup, config):
    self._program = setup_lib.make_program(setup, wrapper=config['parallel'])
    self._data = setup_lib.make_data(setup, self._program, step=0)
    self._taken = 0  # steps
    program = self._program
    self._kept = program.put(setup.init())
    self._total = program.put(program.zeros)

  @property
  def state(self):
    """State [S, ...]."""
    return self._program.get(self._kept)

  def steps(self, n: int) -> float:
    """Trains for n steps; how many seconds it took."""
    program, left = self._program, n
    begin = time.perf_counter()
    while left:
      now = layout.most_steps(program.max_steps, self._taken, left)
      fed = self._data(self._taken)
      self._kept, self._total = program.advance(
        self._kept, self._total, fed, now
      )
      self._taken, left = self._taken + now, left - now
    jax.block_until_ready((self._kept, self._total))
    return time.perf_counter() - begin

  def go_to(self, step: int):
    """Makes the next step the one after so many."""
    state = self.state
    at = jnp.full_like(state.step, step)
    self._kept = self._program.put(state._replace(step=at))


# -------------------------------------------------------------------- a step


def _mean_step(running, setup, steps) -> float:
  """Seconds of a step, whatever is due in it only now and then."""
  due, periods = _due(setup)
  whole = math.lcm(*periods)
  once = running.steps(1)
  if whole * once > AT_ONCE:
    return _by_kind(running, due, periods, steps)
  n = whole * max(1, -(-steps // whole))
  while running.steps(n) < loop.CALL_SECONDS:
    n *= 2
  return statistics.median(running.steps(n) for _ in range(ROUNDS)) / n


def _by_kind(running, due, periods, steps):
  """The same of steps so long that few are timed, and each kind by itself."""

  def seconds(wanted, count):
    places = (at for at in range(1, math.lcm(*periods)) if due(at) == wanted)
    at = next(places, None)
    if at is None:  # never by itself
      return None
    made = []
    for _ in range(count):
      running.go_to(at)
      made.append(running.steps(1))
    return statistics.median(made)

  plain = seconds(frozenset(), steps) or running.steps(1)
  mean = plain
  for every in periods:
    own = seconds(frozenset({every}), 1)
    mean += max(0.0, (own or plain) - plain) / every
  return mean


def _due(setup) -> tuple[Callable, list[int]]:
  """(steps so far -> the periods that end with the next one, all of these)."""
  terms = setup.rules().game.terms.values()
  lazy = {term.every for own in terms for term in own.values()} - {1}
  health = {setup.health_every} - {0}

  def due(at):
    now = {every for every in lazy if at % every == 0}
    return frozenset(now | {n for n in health if (at + 1) % n == 0})

  return due, sorted(lazy | health)


# -------------------------------------------------------------------- a save


def _save(state) -> float:
  """Seconds of the second save; the first makes folders and threads."""
  with tempfile.TemporaryDirectory() as folder, Checkpoints(folder) as kept:
    kept.save(1, state, {}, wait=True)
    begin = time.perf_counter()
    kept.save(2, state, {}, wait=True)
    return time.perf_counter() - begin
