"""What becomes of scores that cannot be computed: the training goes on.

A score that a metric refuses is recorded as none, with the reason. A fault of
the program itself is written down, with its traceback, and told at the end.
"""

import pathlib
import traceback
from collections.abc import Callable

from gan_jax.metrics import records
from gan_jax.types import UserError

FILE = 'score_errors.txt'


class Failed(Exception):
  """The run is complete, but some of its scores failed unexpectedly."""


class Refusals:
  """Why metrics refuse samples: an error only if no score is left."""

  def __init__(self):
    """None has refused any yet."""
    self._errors: list[Exception] = []

  def note(self, *where_and_error) -> str:
    """The reason for the record; the last argument is the error.

    Raises:
      the error, if it is anything but what a metric refuses.
    """
    error = where_and_error[-1]
    if not isinstance(error, UserError):
      raise error
    self._errors.append(error)
    return str(error)

  def check(self, made: list[dict]):
    """Raises the first refusal if none of the records has a value."""
    if self._errors and not records.known(made):
      raise self._errors[0]


class ScoreFailures:
  """Notes the failures of one run's scores."""

  def __init__(self, workdir, say: Callable):
    """Nothing has failed yet.

    Args:
      workdir: of the run; FILE in it gets the tracebacks.
      say: called with a line about each new reason.
    """
    self._path, self._say = pathlib.Path(workdir) / FILE, say
    self._said: set[str] = set()
    self._unexpected = ''

  def note(
    self, step: int, what: str, error: Exception, *, lacks: str = 'no score'
  ) -> str:
    """Notes that something was not scored or reported, and says so once.

    Args:
      step: that was to be scored.
      what: the metrics, or whatever failed.
      error: why.
      lacks: what there is not for that reason.

    Returns:
      the reason in a line, for the record.
    """
    reason = ' '.join(str(error).split())
    if not isinstance(error, UserError):
      reason = f'{type(error).__name__}: {reason}'[:300]
      self._unexpected = f'{lacks}: {what}: {reason}'
    line = f'{lacks}: {what}: {reason}'
    if line not in self._said:
      self._said.add(line)
      if not isinstance(error, UserError):
        self._write(step, what, error)
      self._say(f'step {step:,}: {line}')
    return reason

  def check(self):
    """To be called when the run is complete.

    Raises:
      Failed: a score failed by anything but what its metric refuses, or a
        report by anything but a disk.
    """
    if self._unexpected:
      raise Failed(
        'the training is complete, but not all scores and reports:'
        f' {self._unexpected} (tracebacks: {self._path}).'
      )

  def _write(self, step, what, error):
    trace = ''.join(traceback.format_exception(error))
    try:
      with self._path.open('a', encoding='utf-8') as log:
        log.write(f'step {step}: {what}\n{trace}\n')
    except OSError:  # a full disk has been reported elsewhere
      pass
