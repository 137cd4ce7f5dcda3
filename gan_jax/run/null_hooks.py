"""What the training loop calls in the processes that do not own the workdir."""

from collections.abc import Callable

from gan_jax.run import signals
from gan_jax.run.loop import Outcome


class NullHooks:
  """Has the methods of a Hooks, and writes nothing. A context manager."""

  def __enter__(self):
    return self

  def __exit__(self, *error):
    pass

  def say(self, line: str):
    """Process 0 says it."""

  def first_pictures(self, state):
    """Process 0 draws them."""

  def compiles(self):
    """Process 0 says so."""

  def tick(self, step: int):
    """Process 0 shows how far the run is."""

  def report(self, step: int, metrics: dict, state):
    """Process 0 reports."""

  def score(self, step: int, state) -> bool:
    """Process 0 scores, and tells whether the goal is reached."""
    return False

  def save(self, step: int, state, window=None):
    """Process 0 saves."""

  def finish(self, outcome: Outcome, stop_signal: Callable) -> list[dict]:
    """The run is over; the scores are known to process 0.

    Raises:
      signals.Stopped: a signal has stopped it.
    """
    if outcome.reason == 'signal':
      raise signals.Stopped(stop_signal())
    return []
