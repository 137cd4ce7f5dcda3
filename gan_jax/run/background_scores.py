"""Scores that are computed while the training goes on.

Only drawing samples and keeping what the metrics need of them must happen
before the next step; the metrics themselves run in a thread of their own.
"""

import concurrent.futures
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax.report import console
from gan_jax.run import scoring
from gan_jax.run.loop import Window
from gan_jax.run.setup import Setup

AHEAD = 2  # draws that wait for their scores, at most


class Save(NamedTuple):
  """A save that waits for the score of its step."""

  state: Any  # State [S, ...] on the host
  window: Window | None


class Scores(NamedTuple):
  """The scores of one step, and what had been waiting for them."""

  step: int
  records: list[dict]  # [] if all failed
  save: Save | None


class BackgroundScores:
  """Computes the scores of one step at a time."""

  def __init__(
    self,
    setup: Setup,
    names: tuple[str, ...],
    *,
    seeds: np.ndarray,
    protocol: scoring.EvalProtocol,
    rollbacks: int,
    say: Callable,
    refused: Callable,
  ):
    """Nothing is being computed yet.

    Args:
      setup: the networks and their data.
      names: of the metrics.
      seeds: [S], as the records name them.
      protocol: how to score.
      rollbacks: of the run so far.
      say: called with a line about whatever takes long or is not scored.
      refused: (step, what, error) -> reason, called if a score fails.
    """
    self._refused = refused
    self._setup, self._seeds = setup, seeds
    # Real samples and feature nets are prepared when the first score is due.
    self._make_look = functools.cache(
      lambda: scoring.make_look(
        setup,
        names,
        protocol=protocol,
        say=say,
        tick=console.SlowWork('samples drawn for the scores', say),
        rollbacks=rollbacks,
        refused=refused,
      )
    )
    self._pool = concurrent.futures.ThreadPoolExecutor(1, 'scores')
    self._step: int | None = None
    self._draws: list = []  # (seed, Future of records) of every draw
    self._save: Save | None = None

  def start(self, step: int, state):
    """Draws samples of every seed, and has them scored in the background.

    Args:
      step: of the state.
      state: State [S, ...].

    What fails is noted; the step then lacks these scores.

    Raises:
      signals.Interrupted: a stop signal came while samples were drawn; there
        will be no scores of this step.
    """
    draws = []
    try:
      look = self._make_look()
      for seed, compute in look(step, state.ema, self._setup.keys, self._seeds):
        draws.append((seed, self._pool.submit(compute)))
        if len(draws) > AHEAD:  # what is kept of a draw may be large
          draws[-1 - AHEAD][1].exception()  # waits, and leaves it to collect
    except Exception as error:  # of any type: samples, disks, feature nets
      self._refused(step, 'all', error)
    self._step, self._draws, self._save = step, draws, None

  def pending(self, step: int | None = None) -> bool:
    """Whether scores (of a step, if given) are started and not collected."""
    return self._step is not None and step in (None, self._step)

  def done(self) -> bool:
    """Whether there are scores that can be collected without waiting."""
    return self.pending() and all(future.done() for _, future in self._draws)

  def hold(self, state, window: Window | None):
    """Keeps a copy of what is to be saved once its score is known.

    Args:
      state: State [S, ...] of the step that is being scored; the training goes
        on in the same memory.
      window: see Hooks.save.
    """
    copy = jax.tree.map(lambda x: np.array(jax.device_get(x)), state)
    self._save = Save(copy, window)

  def collect(self) -> Scores | None:
    """Waits for the scores, if there are any to come; failed ones are noted."""
    if not self.pending():
      return None
    step, draws, save = self._step, self._draws, self._save
    self._step, self._draws, self._save = None, [], None
    made = []
    for seed, future in draws:
      try:
        made.append((seed, future.result()))
      except Exception as error:  # a checkpoint may be waiting
        self._refused(step, f'seed {seed}', error)
    return Scores(step, scoring.gather(made), save)

  def close(self):
    """Ends the thread; what has not been computed is dropped."""
    self._pool.shutdown(cancel_futures=True)
