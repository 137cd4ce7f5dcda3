"""Where a run starts, and where it continues after it has diverged.

A rollback is a resume within the process: from the newest good checkpoint, or
from the initial state, with fresh random numbers for the training. Every later
checkpoint records the rollbacks so far. A run that is killed before it writes
one will diverge and roll back again, with the same random numbers.
"""

import json
import os
import pathlib
import shlex
import shutil
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.devices import multihost
from gan_jax.devices.parallel import Program
from gan_jax.game import keys
from gan_jax.run import loop
from gan_jax.run.recovery import divergence, dumps
from gan_jax.run.setup import Setup
from gan_jax.storage import files
from gan_jax.storage.checkpoints import Checkpoints

FILE = 'rollbacks.json'


class Start(NamedTuple):
  """Where a run starts or continues."""

  state: loop.Handed  # [S, ...]
  step: int
  saved: bool  # whether a checkpoint holds the state
  records: list  # the latest scores
  window: loop.Window | None
  rollbacks: tuple  # so far, each {'number', 'from', 'to', 'reason'}
  owed: bool = False  # whether a signal interrupted the score of this step


class Policy(NamedTuple):
  """What a run does when it diverges."""

  most: int  # rollbacks allowed in the whole run; 0: stop at once
  every: int  # steps between two reports
  first_seed: int


def begin(
  setup: Setup, checkpoints: Checkpoints, still_valid: Callable
) -> Start:
  """The newest checkpoint with a finite seed, or the initial state.

  Args:
    setup: the networks and their data.
    checkpoints: of the run.
    still_valid: the last scores -> these, or [] if they have to be made anew.
  """
  like = jax.eval_shape(setup.init)
  restored = []  # stays empty in all processes but 0

  # JSON carries step and meta to the other processes; the state stays here
  # and is broadcast below, bit for bit.
  def restore():
    restored.append(_newest_good(checkpoints, like))
    newest = restored[0]
    return newest and {'step': newest.step, 'meta': newest.meta}

  known = multihost.on_process_0(restore)
  if known is None:
    state = loop.Handed(multihost.broadcast(setup.first()))
    return Start(state, 0, False, [], None, ())
  meta = known['meta']
  records, window = still_valid(meta['records']), meta.get('window')
  # Earlier versions saved neither a window nor rollbacks.
  window = loop.Window(**window) if window else None
  rollbacks = tuple(meta.get('rollbacks', ()))
  nothing = lambda x: np.zeros(x.shape, x.dtype)
  state = restored[0].state if restored else jax.tree.map(nothing, like)
  return Start(
    loop.Handed(multihost.broadcast(state)),
    known['step'],
    True,
    records,
    window,
    rollbacks,
    owed=meta.get('owed', False),
  )


def _newest_good(checkpoints, like):
  """The newest checkpoint with a finite seed, or None."""
  newest = checkpoints.restore(like)
  while newest and not loop.finite_seeds(newest.state).any():
    # Earlier versions saved without checking.
    print(f'checkpoint {newest.step} skipped: no seed is finite')
    older = [step for step in checkpoints.steps() if step < newest.step]
    newest = checkpoints.restore(like, which=older[-1]) if older else None
  return newest


def fresh(setup: Setup, number: int) -> Setup:
  """The setup with the keys for training after `number` rollbacks."""
  if not number:
    return setup
  own = lambda key: keys.stream(key, keys.ROLLBACK, number)
  return setup._replace(keys=jax.vmap(own)(setup.keys))


def go_back(
  seen: loop.Diverged,
  begun: Start,
  last: Start,
  *,
  setup: Setup,
  program: Program,
  workdir: pathlib.Path,
  policy: Policy,
) -> Start:
  """Where a run continues after it has diverged; its reports are closed.

  The decision depends only on what all processes have, so they agree without
  talking; process 0 writes the files.

  Args:
    seen: what the loop raised.
    begun: where the part of the run that diverged started.
    last: from begin.
    setup: with the keys of that part, see fresh.
    program: of that part.
    workdir: of the run.
    policy: what to do.

  Raises:
    loop.Diverged: the run stops here; the message names the step.
  """
  number, again = len(begun.rollbacks), len(begun.rollbacks) < policy.most
  bad = None
  # Otherwise the checkpoint that this part started from has been damaged
  # since, and `last` is an older one. A replay from there would use this
  # part's random numbers for steps that may have used others.
  if last.step >= begun.step:
    try:
      bad = _find(setup, program, seen, last, every=policy.every)
    except Exception as e:  # of any type; it costs only what it would show
      print(f'the step was not located: {type(e).__name__}: {e}')
  step = bad.step if bad else seen.step
  reason = dumps.describe(bad, policy.first_seed) if bad else str(seen)
  numbers = {'number': number + 1, 'from': step, 'to': last.step}
  entry = numbers | {'reason': reason}
  last = last._replace(rollbacks=(*begun.rollbacks, entry))
  if multihost.is_first() and bad:
    origin = dumps.Origin(last.step if last.saved else None, number)
    dumps.dump(workdir, bad, setup, origin, first_seed=policy.first_seed)
  if multihost.is_first() and again:
    _keep(workdir, last, dumps.stem(step, number))
    note(workdir, last.rollbacks)
  if not again:
    hint = _hint(workdir, last, policy, dumped=bad is not None)
    raise loop.Diverged(reason, good=seen.good, step=step, hint=hint)
  return last


def summary(begun: Start, policy: Policy) -> str:
  """One line about the newest rollback."""
  last = begun.rollbacks[-1]
  return (
    f'diverged {last["reason"]}; rolled back to step {begun.step} with fresh'
    f' random numbers (rollback {last["number"]} of {policy.most})'
  )


def _find(setup, program, seen, last, *, every):
  """The bad step, replayed from the last good state; None if not found."""
  walk = divergence.Walk(
    setup,
    program,
    last.state.value,
    start=last.step,
    window=last.window,
    every=every,
  )
  return divergence.find(walk, setup, good=seen.good, end=seen.step)


def _hint(workdir, last, policy, *, dumped):
  """What remains of a run that stops, and what can be done about it."""
  hints = ['no rollbacks are left'] if policy.most else []
  hints.append(
    f'the newest good checkpoint is that of step {last.step}'
    if last.saved
    else 'there is no good checkpoint: the run started at step 0'
  )
  hints.append(
    f'python -m gan_jax.train --workdir={shlex.quote(str(workdir))} --replay'
    ' repeats the step'
    if dumped
    else f'the step could not be reproduced from step {last.step}'
  )
  return '; '.join(hints)


def _keep(workdir, last, stem):
  """Keeps what the continued run will drop: rows, and its checkpoint."""
  folder = workdir / dumps.FOLDER
  rows = files.read_rows(workdir / 'metrics.jsonl')
  rows = [row for row in rows if row['step'] > last.step]
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  files.write_text(folder / f'{stem}.jsonl', lines)
  kept = folder / 'checkpoints' / str(last.step)
  if last.saved and not kept.exists():
    # Renamed when complete: `kept` exists only as a whole.
    half = kept.with_name(f'.{kept.name}')
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(
      workdir / 'checkpoints' / str(last.step), half, copy_function=_link
    )
    half.rename(kept)


def _link(source, target):
  """A hard link; a copy where the file system has none."""
  try:
    os.link(source, target)
  except OSError:
    shutil.copy2(source, target)


def note(workdir: pathlib.Path, rollbacks: tuple):
  """Writes a run's rollbacks into its workdir, if there are any."""
  path = pathlib.Path(workdir) / FILE
  # An existing file is rewritten even with none: it may be of a run that was
  # killed before its next checkpoint.
  if rollbacks or path.exists():
    files.write_json(path, list(rollbacks))


def count(workdir: pathlib.Path, step: int) -> int:
  """How many rollbacks came before the checkpoint of a step."""
  rollbacks = files.read_json(pathlib.Path(workdir) / FILE, list)
  return sum(one['to'] < step for one in rollbacks)
