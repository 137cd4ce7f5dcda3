"""Checkpoints by Orbax: everything needed to go on, bit for bit.

Orbax writes in the background and marks a finished step with a file of its own.
What it leaves open is done here: the latest and the best steps stay, a damaged
one is passed over, aloud, and never in the way of the run that goes on. A save
that fails costs only itself.
"""

import math
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from gan_jax.storage import damage, format, saver
from gan_jax.storage.saver import SaveFailed
from gan_jax.types import Tree, UserError


class Restored(NamedTuple):
  """One checkpoint, read and verified."""

  step: int
  state: Tree
  meta: dict[str, Any]


class Checkpoints:
  """The checkpoints of one run. Use it in a `with`, or call close().

  Args:
    directory: where they lie; made at the first save.
    keep_last: how many of the newest steps stay, at least 1.
    keep_best: how many of the best-scored steps stay besides.
    metric: name of the score; scores saved under another name do not count.
    mode: 'min' or 'max', whichever score is better.
    read_only: never write, clean or delete: another process owns the run.
  """

  def __init__(
    self,
    directory,
    *,
    keep_last: int = 2,
    keep_best: int = 1,
    metric: str | None = None,
    mode: str = 'min',
    read_only: bool = False,
  ):
    if mode not in ('min', 'max') or keep_last < 1 or keep_best < 0:
      raise ValueError(f'{mode=}, {keep_last=}, {keep_best=} make no sense')
    self._directory = pathlib.Path(directory).absolute()
    self._keep_last, self._keep_best = keep_last, keep_best
    self._metric, self._sign = metric, 1 if mode == 'min' else -1
    self._read_only = read_only
    self._scores: dict[int, float | None] = {}
    self._damaged: set[int] = set()
    self._say: Callable[[str], Any] = print
    self._saver = saver.Saver(
      self._directory, self, say=lambda line: self._say(line)
    )

  def __enter__(self):
    return self

  def __exit__(self, kind, *exception):
    try:
      self.close()
    except SaveFailed as error:
      if kind is None:
        raise
      self._say(str(error))  # what ends the block is worse

  # What is there.

  def steps(self) -> list[int]:
    """Steps that are safely on disk, ascending; not those being saved.

    Raises:
      OSError: their folder cannot be looked into.
    """
    there = format.step_folders(self._directory)
    return [step for step, path in there.items() if format.is_finished(path)]

  def latest_step(self) -> int | None:
    """The newest step on disk, None if there is none."""
    return max(self.steps(), default=None)

  def best_step(self) -> int | None:
    """The best-scored step on disk, None if none has a score."""
    return next(iter(self._ranked(self.steps())), None)

  def _score(self, step: int) -> float | None:
    if step not in self._scores:
      try:
        note = format.read_note(self._directory / str(step))
      except Exception:  # damaged, or just deleted: restore() tells
        return None
      same = note['metric'] == self._metric
      self._scores[step] = note['score'] if same else None
    return self._scores[step]

  def _ranked(self, steps) -> list[int]:
    """Those with a score, best first, of equals the newest first."""
    scored = [s for s in steps if self._score(s) is not None]
    return sorted(scored, key=lambda s: (self._sign * self._scores[s], -s))

  # Orbax asks this object which steps to preserve. Its own policies lose the
  # newest step to the best one, or the best one to a NaN.

  def should_preserve(self, checkpoints, *, context) -> list[bool]:
    """For each of Orbax's checkpoints, ascending: does it stay?"""
    del context
    steps = [c.step for c in checkpoints]
    best = self._ranked(steps)[: self._keep_best]
    return [s in steps[-self._keep_last :] or s in best for s in steps]

  # Saving.

  def save(
    self,
    step: int,
    state: Tree,
    meta: dict[str, Any],
    *,
    score: float | None = None,
    wait: bool = False,
  ) -> bool:
    """Saves in the background; the state may be donated right afterwards.

    What restore() found damaged, and steps above this one (the run went back),
    are moved aside, aloud, into `damaged/` and `superseded/`; what a killed
    process left half is deleted.

    Args:
      step: number of the checkpoint.
      state: arrays (any sharding), or Python numbers.
      meta: what json can write; comes back from restore().
      score: by which the best is kept; NaN or None is never the best.
      wait: return only when it is on disk.

    Returns:
      False if the step is on disk already and nothing was done.

    Raises:
      SaveFailed: this save, or the one before: then nothing was done.
    """
    if self._read_only:
      raise ValueError(f'checkpoints in {self._directory} are read-only')
    self.wait()
    try:
      there = step in self.steps() and step not in self._damaged
    except OSError as error:
      reason = damage.of_a_write(error)
      raise SaveFailed(step, reason, error.errno) from error
    if there:
      return False
    finite = score is not None and math.isfinite(score)
    score = float(score) if finite else None
    args = format.to_write(
      state, step=int(step), meta=meta, metric=self._metric, score=score
    )
    self._scores[step] = score
    self._saver.begin(step, args, prepare=lambda: self._clear_way(step))
    if wait:
      self.wait()
    return True

  def _clear_way(self, step: int) -> None:
    """Moves aside what would stop or outlive this save."""
    for other, path in format.step_folders(self._directory).items():
      if not path.is_dir() or path.is_symlink() or other in self._damaged:
        self._move_aside(other, 'damaged')
      elif not format.is_finished(path):  # Orbax would clean too much
        shutil.rmtree(path)
      elif other > step:
        self._move_aside(other, 'superseded')

  def _move_aside(self, step: int, why: str) -> None:
    """Into a folder that Orbax does not count."""
    folder, number = self._directory / why, 0
    folder.mkdir(exist_ok=True)
    while os.path.lexists(folder / (name := f'{step}.{number}')):
      number += 1
    (self._directory / str(step)).rename(folder / name)
    self._say(f'checkpoint {self._directory / str(step)} moved to {why}/')
    self._damaged.discard(step)
    self._scores.pop(step, None)
    self._saver.reload()

  @property
  def saving(self) -> int | None:
    """The step that is being saved, or whose end nobody has looked at yet."""
    return self._saver.step

  def poll(self) -> None:
    """Looks after the save in the background, without waiting for it.

    Raises:
      SaveFailed: it has failed.
    """
    self._saver.poll()

  def wait(self) -> None:
    """Returns when all is on disk.

    Raises:
      SaveFailed: what went wrong in the background.
    """
    self._saver.wait()

  def close(self) -> None:
    """Waits, and ends the background work.

    Raises:
      SaveFailed: what went wrong there.
    """
    self._saver.close()

  # Restoring.

  def restore(
    self,
    like: Tree,
    *,
    which: str | int = 'latest',
    say: Callable[[str], Any] = print,
  ) -> Restored | None:
    """Reads the newest step, or the one asked for, that is really intact.

    Args:
      like: a state, or jax.ShapeDtypeStructs; its structure, dtypes, shapes
        and shardings are those of the result (no sharding: one device).
      which: 'latest'; 'best', else the latest; or a step, and only that.
      say: told in one line about each step that was passed over.

    Returns:
      The checkpoint, or None if there is none at all.

    Raises:
      UserError: no step can be read, or has the leaves of `like`; or their
        folder cannot be looked into.
    """
    self._say, skipped = say, []
    try:
      self.wait()
    except SaveFailed as error:
      say(str(error))
    try:
      format.step_folders(self._directory)
    except OSError as error:
      raise UserError(f'{self._directory}: {error.strerror}.') from error
    if not self._read_only:  # else it is being saved just now
      self._tell_unfinished()
    for step in self._candidates(which):
      path = self._directory / str(step)
      try:
        return Restored(step, *format.read(path, like))
      except Exception as error:  # Orbax raises anything, even bare Exception
        skipped.append(f'{path} ({damage.reason(path, error)})')
        self._damaged.add(step)
        say(f'checkpoint skipped: {skipped[-1]}')
    if skipped:
      raise UserError(f'no checkpoint can be read: {"; ".join(skipped)}')
    return None

  def _tell_unfinished(self) -> None:
    newest = self.latest_step()
    for step, path in format.step_folders(self._directory).items():
      if not format.is_finished(path) and (newest is None or step > newest):
        what = 'never finished' if os.path.isdir(path) else 'not a folder'
        self._say(f'checkpoint skipped: {path} ({what})')

  def _candidates(self, which: str | int) -> list[int]:
    newest = self.steps()[::-1]
    if which == 'latest':
      return newest
    if which == 'best':
      ranked = self._ranked(newest)
      return ranked + [s for s in newest if s not in ranked]
    if which not in newest:
      there = ', '.join(map(str, newest[::-1])) or 'none'
      raise UserError(
        f'no checkpoint {which} in {self._directory}; there: {there}'
      )
    return [which]
