"""Checks checkpoints on disk; needs no config and no model.

python -m gan_jax.checkpoint verify DIR
"""

import contextlib
import os
import pathlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from gan_jax.storage import damage, format, paths
from gan_jax.types import UserError

SECONDS = 1.0  # after which a step that looks damaged may have been deleted
LAYOUTS = ('checkpoints', '*/checkpoints')  # of a run, of a study


class Verdict(NamedTuple):
  """What is known of one step."""

  path: pathlib.Path
  size: int  # bytes
  note: dict  # {} if it cannot be read
  state: str  # 'ok', 'unfinished' or 'damaged'
  reason: str = ''


def verdicts(directory) -> Iterator[Verdict]:
  """Reads every step of a run, or of all runs of a study; writes nothing.

  Args:
    directory: a workdir, a folder of checkpoints, one step of it, or the
      workdir of a study.

  Yields:
    a verdict for each step, of each run the oldest first.

  Raises:
    UserError: there is no such folder, or no checkpoint in it.
  """
  directory = paths.expand(directory)
  if not directory.is_dir():
    raise UserError(f'{directory}: no such folder.')
  try:
    steps = _steps(directory)
  except OSError as error:
    raise UserError(f'{error.filename}: {error.strerror}.') from error
  if not steps:
    raise UserError(f'{directory}: there is no checkpoint.')
  for path in steps:
    verdict = _verdict(path)
    if verdict:
      yield verdict


def _steps(directory):
  """The folders of all steps there."""
  for layout in LAYOUTS:
    folders = sorted(directory.glob(layout))
    if folders:
      return [p for f in folders for p in format.step_folders(f).values()]
  below = list(format.step_folders(directory).values())
  return below or ([directory] if directory.name.isdecimal() else [])


def _verdict(path):
  """Of one step; None if its run has deleted it meanwhile."""
  verdict = _look(path)
  if verdict.state == 'damaged':
    time.sleep(SECONDS)
    verdict = _look(path)
  return verdict if path.exists() else None


def _look(path):
  path, size, note = path.absolute(), _size(path), {}
  if path.is_dir() and not format.is_finished(path):
    why = 'being saved or deleted, or its process was killed'
    return Verdict(path, size, note, 'unfinished', why)
  try:
    note = format.read_note(path)
    blank = {k: format.blank(kind) for k, kind in note['leaves'].items()}
    format.read(path, blank, earlier=True)
  except Exception as error:  # Orbax raises anything
    return Verdict(path, size, note, 'damaged', damage.reason(path, error))
  return Verdict(path, size, note, 'ok')


def _size(path):
  total = 0
  for folder, _, names in os.walk(path):  # skips what cannot be read
    for name in names:
      with contextlib.suppress(OSError):  # deleted meanwhile
        total += os.lstat(os.path.join(folder, name)).st_size
  return total


def line(verdict: Verdict) -> str:
  """A verdict in a line: step, size, leaves, score, state."""
  parts = [f'{verdict.path}', f'{verdict.size:,} bytes']
  if verdict.note:
    parts.append(f'{len(verdict.note["leaves"])} leaves')
    score, metric = verdict.note['score'], verdict.note['metric'] or 'score'
    parts.append('no score' if score is None else f'{metric} {score:.6g}')
  reason = f': {verdict.reason}' if verdict.reason else ''
  return '  '.join([*parts, f'{verdict.state}{reason}'])
