"""Checkpoints by Orbax: everything needed to go on, bit for bit.

Orbax writes in the background and marks a finished step with a file of its own.
What it leaves open is done here: the latest and the best steps stay, a damaged
one is skipped with a warning and never in the way of the run that goes on. A
save that fails costs only itself.
"""

import math
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from gan_jax.storage import damage, format, retention, saver
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
    rank: (note of a step, see format) -> retention.Rank or None, in place of
      the scores under `metric`.
    read_only: never write, clean or delete: another process owns the run.
    confirm: called before each save; raises what forbids it.
  """

  def __init__(
    self,
    directory,
    *,
    keep_last: int = 2,
    keep_best: int = 1,
    metric: str | None = None,
    mode: str = 'min',
    rank: Callable[[dict], retention.Rank | None] | None = None,
    read_only: bool = False,
    confirm: Callable[[], Any] = lambda: None,
  ):
    self._directory = pathlib.Path(directory).absolute()
    self._metric, self._confirm = metric, confirm
    self._read_only = read_only
    self._retention = retention.Retention(
      self._directory,
      keep_last=keep_last,
      keep_best=keep_best,
      mode=mode,
      rank=rank or retention.by_metric(metric),
    )
    self._damaged: set[int] = set()
    self._say: Callable[[str], Any] = print
    self._last: dict[str, Any] = {}  # what was to be saved beside the state
    self._saver = saver.Saver(
      self._directory, self._retention, say=lambda line: self._say(line)
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

  def report_to(self, say: Callable[[str], Any]) -> None:
    """From now on say(line) reports what happens here."""
    self._say = say

  # What is there.

  def steps(self) -> list[int]:
    """Steps that are safely on disk, ascending; not those being saved.

    Raises:
      OSError: their folder cannot be looked into.
    """
    folders = format.step_folders(self._directory)
    return [s for s, path in folders.items() if format.is_finished(path)]

  def latest_step(self) -> int | None:
    """The newest step on disk, None if there is none."""
    return max(self.steps(), default=None)

  def best_step(self) -> int | None:
    """The best-scored step on disk, None if none has a score of now."""
    return next(iter(self._retention.ranked(self.steps())), None)

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

    Steps that restore() could not read, and steps above this one (the run went
    back), are moved to `damaged/` and `superseded/`, with a line about each;
    what a killed process left unfinished is deleted.

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
    self._confirm()
    self.wait()
    self._last = {'meta': meta, 'score': score}
    try:
      on_disk = step in self.steps() and step not in self._damaged
    except OSError as error:
      raise self._saver.fail(step, error) from error
    if on_disk:
      return False
    finite = score is not None and math.isfinite(score)
    score = float(score) if finite else None
    note = {'step': int(step), 'meta': meta}
    note |= {'metric': self._metric, 'score': score}
    args = format.to_write(state, **note)
    self._retention.note(step, note)
    self._saver.begin(step, args, prepare=lambda: self._clear_way(step))
    if wait:
      self.wait()
    return True

  def save_again(self, step: int, state: Tree) -> None:
    """Repeats the last save if it was of this step and failed; waits for it.

    Raises:
      SaveFailed: it fails again.
    """
    if self._saver.failed == step:
      self.save(step, state, **self._last, wait=True)

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
    """Moves a step into a folder that Orbax does not count."""
    folder, number = self._directory / why, 0
    folder.mkdir(exist_ok=True)
    while os.path.lexists(folder / (name := f'{step}.{number}')):
      number += 1
    (self._directory / str(step)).rename(folder / name)
    self._say(f'checkpoint {self._directory / str(step)} moved to {why}/')
    self._damaged.discard(step)
    self._retention.forget(step)
    self._saver.reload()

  @property
  def saving(self) -> int | None:
    """The step being saved, or whose end nobody has looked at yet."""
    return self._saver.step

  @property
  def failed(self) -> int | None:
    """The step of the last save, if that save has failed."""
    return self._saver.failed

  def poll(self) -> bool:
    """Whether a save has ended since the last look; waits for nothing.

    Raises:
      SaveFailed: it has failed.
    """
    return self._saver.poll()

  def wait(self) -> bool:
    """Returns when all is on disk; says so if that takes long.

    Returns:
      False if there was nothing to wait for.

    Raises:
      SaveFailed: what went wrong in the background.
    """
    return self._saver.wait()

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
      say: called with a line about each step that is skipped, and from then
        on with what else happens here.

    Returns:
      The checkpoint, or None if there is none at all.

    Raises:
      UserError: no step can be read, or has the leaves of `like`; a step was
        saved by a version with another state; or their folder cannot be read.
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
    if not self._read_only:  # its owner may be saving it just now
      self._report_unfinished()
    for step in self._candidates(which):
      path = self._directory / str(step)
      try:
        return Restored(step, *format.read(path, like))
      except format.Outdated:  # so are the others, and none is damaged
        raise
      except Exception as error:  # Orbax raises anything, even bare Exception
        skipped.append(f'{path} ({damage.reason(path, error)})')
        self._damaged.add(step)
        say(f'checkpoint skipped: {skipped[-1]}')
    if skipped:
      raise UserError(f'no checkpoint can be read: {"; ".join(skipped)}')
    return None

  def _report_unfinished(self) -> None:
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
      ranked = self._retention.ranked(newest)
      return ranked + [s for s in newest if s not in ranked]
    if which not in newest:
      there = ', '.join(map(str, newest[::-1])) or 'none'
      raise UserError(
        f'no checkpoint {which} in {self._directory}; there: {there}'
      )
    return [which]
