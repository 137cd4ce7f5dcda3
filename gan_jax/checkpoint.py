"""Checkpoints by Orbax: everything needed to go on, bit for bit.

Orbax writes the arrays, in the background, and marks a finished step with a
file of its own. What it leaves open is done here: each leaf has a checksum,
the description of the leaves too; the latest and the best steps stay; a
damaged step is passed over, aloud; dtypes are never cast in silence.

In a step's directory `state` holds the leaves by name, and `meta` the caller's
notes, the score, and dtype, shape and checksum of each leaf. Tree structure is
not stored: the caller's state has it.
"""

import json
import logging
import math
import pathlib
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from gan_jax.types import Tree, UserError

_DONE = 'commit_success.txt'  # Orbax writes it last


class Restored(NamedTuple):
  """One checkpoint, read and verified."""

  step: int
  state: Tree
  meta: dict[str, Any]


class _Damaged(Exception):
  """A step whose content is not what was saved."""


def _not_by_orbax(record: logging.LogRecord) -> bool:
  # Orbax logs each phase of each save, and errors that it raises anyway.
  return 'orbax' not in pathlib.PurePath(record.pathname).parts


logging.getLogger('absl').addFilter(_not_by_orbax)


# Leaves.


def _named(tree: Tree) -> dict[str, Any]:
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  name = lambda path: jax.tree_util.keystr(path, simple=True, separator='/')
  named = {name(path): leaf for path, leaf in leaves}
  if len(named) < len(leaves):
    raise ValueError('two leaves of the state have the same name')
  return named


def _is_key(leaf) -> bool:
  dtype = getattr(leaf, 'dtype', np.dtype(int))
  return jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key)


def _kind(leaf) -> dict:
  """What has to agree before a leaf is read: dtype and shape."""
  dtype = getattr(leaf, 'dtype', type(leaf).__name__)
  return {'dtype': str(dtype), 'shape': list(np.shape(leaf))}


def _crc(leaf) -> int:
  array = np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
  return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def _target(leaf):
  """What Orbax fills: with a sharding, so any device count reads any other."""
  if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
    return leaf
  sharding = leaf.sharding or jax.sharding.SingleDeviceSharding(
    jax.local_devices()[0]
  )
  return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _empty(target):
  """A leaf without elements; Orbax cannot save these."""
  if not isinstance(target, jax.ShapeDtypeStruct):
    return target
  return jax.device_put(jnp.zeros(target.shape, target.dtype), target.sharding)


def _stored(named: dict[str, Any]) -> dict[str, Any]:
  return {k: v for k, v in named.items() if np.size(v)}


def _check_kinds(path, want: dict[str, Any], have: dict[str, dict]) -> None:
  """Raises UserError at the first leaf that is not the same in both."""
  text = lambda kind: f'{kind["dtype"]}{kind["shape"]}' if kind else 'missing'
  for name in sorted({*want, *have}):
    here = _kind(want[name]) if name in want else {}
    there = (
      {k: have[name][k] for k in ('dtype', 'shape')} if name in have else {}
    )
    if here != there:
      raise UserError(
        f'checkpoint {path}: {name} is {text(there)} there, {text(here)} here'
      )


# The description beside the leaves.


def _seal(note: dict) -> int:
  return zlib.crc32(json.dumps(note, sort_keys=True).encode())


def _read(path: pathlib.Path, **items) -> dict:
  with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as reader:
    return reader.restore(path, args=ocp.args.Composite(**items))


def _read_note(path: pathlib.Path) -> dict:
  sealed = _read(path, meta=ocp.args.JsonRestore())['meta']
  if _seal(sealed['note']) != sealed['crc']:
    raise _Damaged('wrong checksum of meta')
  if str(sealed['note']['step']) != path.name:
    raise _Damaged(f'it holds step {sealed["note"]["step"]}')
  return sealed['note']


def _read_leaves(path: pathlib.Path, like: Tree, kinds: dict) -> Tree:
  targets = {k: _target(v) for k, v in _named(like).items()}
  _check_kinds(path, targets, kinds)
  leaves = {k: _empty(v) for k, v in targets.items() if not np.size(v)}
  if len(leaves) < len(targets):
    args = ocp.args.StandardRestore(_stored(targets))
    leaves.update(_read(path, state=args)['state'])
  for name, kind in kinds.items():
    if _crc(leaves[name]) != kind['crc']:
      raise _Damaged(f'wrong checksum of {name}')
  return jax.tree.unflatten(
    jax.tree.structure(like), [leaves[name] for name in targets]
  )


def _reason(error: Exception) -> str:
  """One short line; Orbax's own run over several."""
  if isinstance(error, _Damaged):
    return str(error)
  lines = str(error).strip().splitlines() or ['']
  return f'{type(error).__name__}: {lines[0]}'[:160]


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
    self._manager: ocp.CheckpointManager | None = None

  def __enter__(self):
    return self

  def __exit__(self, *exception):
    self.close()

  # What is there.

  def _folders(self) -> list[int]:
    names = [p.name for p in self._directory.glob('*') if p.is_dir()]
    return sorted(int(n) for n in names if n.isdecimal() and n == str(int(n)))

  def _durable(self, step: int) -> bool:
    return (self._directory / str(step) / _DONE).exists()

  def steps(self) -> list[int]:
    """Steps that are safely on disk, ascending; not those being saved."""
    return [s for s in self._folders() if self._durable(s)]

  def latest_step(self) -> int | None:
    """The newest step on disk, None if there is none."""
    return max(self.steps(), default=None)

  def best_step(self) -> int | None:
    """The best-scored step on disk, None if none has a score."""
    return next(iter(self._ranked(self.steps())), None)

  def _score(self, step: int) -> float | None:
    if step not in self._scores:
      try:
        note = _read_note(self._directory / str(step))
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

    An error of the save before is raised here. Steps at or above this one are
    a future that was left (damaged, or the run went back): moved aside.

    Args:
      step: number of the checkpoint.
      state: arrays (any sharding), or Python numbers.
      meta: what json can write; comes back from restore().
      score: by which the best is kept; NaN or None is never the best.
      wait: return only when it is on disk.

    Returns:
      False if the step is on disk already and nothing was done.
    """
    if self._read_only:
      raise ValueError(f'checkpoints in {self._directory} are read-only')
    self.wait()
    if step in self.steps() and step not in self._damaged:
      return False
    self._clear_way(step)
    finite = score is not None and math.isfinite(score)
    self._scores[step] = float(score) if finite else None
    self._open().save(step, args=self._args(step, state, meta), force=True)
    if wait:
      self.wait()
    return True

  def _args(self, step: int, state: Tree, meta: dict) -> ocp.args.Composite:
    named = _named(state)
    note = {
      'step': int(step),
      'meta': meta,
      'metric': self._metric,
      'score': self._scores[step],
      'leaves': {k: _kind(v) | {'crc': _crc(v)} for k, v in named.items()},
    }
    note = json.loads(json.dumps(note))  # a copy, as it will be read
    return ocp.args.Composite(
      state=ocp.args.StandardSave(_stored(named)),
      meta=ocp.args.JsonSave({'note': note, 'crc': _seal(note)}),
    )

  def _open(self) -> ocp.CheckpointManager:
    if self._manager is None:
      mode = ocp.options.AtomicityMode.COMMIT_FILE
      self._manager = ocp.CheckpointManager(
        self._directory,
        options=ocp.CheckpointManagerOptions(
          preservation_policy=self,
          cleanup_tmp_directories=True,
          atomicity_options=ocp.options.AtomicityOptions(mode=mode),
        ),
      )
    return self._manager

  def _clear_way(self, step: int) -> None:
    """Moves aside what would stop or outlive this save."""
    for other in self._folders():
      if other in self._damaged or not self._durable(other):
        self._move_aside(other, 'damaged')
      elif other > step:
        self._move_aside(other, 'superseded')

  def _move_aside(self, step: int, why: str) -> None:
    """Into a folder that Orbax does not count; nothing is ever deleted."""
    self._say(f'checkpoint {self._directory / str(step)} moved to {why}/')
    folder, number = self._directory / why, 0
    folder.mkdir(exist_ok=True)
    while (folder / (name := f'{step}.{number}')).exists():
      number += 1
    (self._directory / str(step)).rename(folder / name)
    self._damaged.discard(step)
    self._scores.pop(step, None)
    if self._manager:
      self._manager.reload()

  def wait(self) -> None:
    """Returns when all is on disk; raises what went wrong in the background."""
    if self._manager:
      self._manager.wait_until_finished()
      self._manager.check_for_errors()

  def close(self) -> None:
    """Waits, and ends the background work; raises what went wrong there."""
    manager, self._manager = self._manager, None
    if manager:
      manager.close()

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
      UserError: no step can be read, or its leaves are not those of `like`.
    """
    self.wait()
    self._say, failures = say, []
    for step in self._candidates(which):
      try:
        return self._restore_step(step, like)
      except UserError:
        raise
      except Exception as error:  # Orbax raises anything, even bare Exception
        failures.append(f'{self._directory / str(step)} ({_reason(error)})')
        self._damaged.add(step)
        say(f'checkpoint skipped: {failures[-1]}')
    if failures:
      raise UserError(f'no checkpoint can be read: {"; ".join(failures)}')
    return None

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

  def _restore_step(self, step: int, like: Tree) -> Restored:
    path = self._directory / str(step)
    note = _read_note(path)
    state = _read_leaves(path, like, note['leaves'])
    return Restored(step, state, note['meta'])
