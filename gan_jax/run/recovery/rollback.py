"""Where a run begins, and where it goes on after it has diverged.

A rollback is a resume within the process: from the newest good checkpoint, or
from the beginning, with fresh random numbers for the training. What has been
rolled back is part of every later checkpoint. A run that is killed before its
next one diverges and is rolled back again, by the same numbers.
"""

import json
import os
import pathlib
import shutil
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
from gan_jax.types import State

FILE = 'rollbacks.json'


class Start(NamedTuple):
  """Where a run begins, or goes on."""

  state: State  # [S, ...]
  step: int
  saved: bool  # whether a checkpoint holds the state
  records: list  # the latest scores
  window: loop.Window | None
  rollbacks: tuple  # of before: {'number', 'from', 'to', 'reason'}
  owed: bool = False  # whether a signal had come before the score of the step


class Policy(NamedTuple):
  """What a run does when it diverges."""

  most: int  # rollbacks in the whole run; 0: stop
  every: int  # steps between two reports
  first_seed: int


def begin(setup: Setup, checkpoints: Checkpoints, names) -> Start:
  """The newest checkpoint in which a seed is finite, or the initial state.

  Args:
    setup: the networks and their data.
    checkpoints: of the run.
    names: of the metrics.
  """
  like = jax.eval_shape(setup.init)
  found = []  # in process 0

  def restore():
    found.append(_newest_good(checkpoints, like))
    return found[0] and {'step': found[0].step, 'meta': found[0].meta}

  known = multihost.on_process_0(restore)
  if known is None:
    return Start(multihost.broadcast(setup.init()), 0, False, [], None, ())
  meta = known['meta']
  records, window = meta['records'], meta.get('window')
  if not set(names) <= {record['metric'] for record in records}:
    records = []  # somebody asks for more: it is scored again at the end
  # Earlier versions kept no window, and no rollbacks.
  window = loop.Window(**window) if window else None
  rollbacks = tuple(meta.get('rollbacks', ()))
  nothing = lambda x: np.zeros(x.shape, x.dtype)
  state = found[0].state if found else jax.tree.map(nothing, like)
  state = multihost.broadcast(state)
  return Start(
    state,
    known['step'],
    True,
    records,
    window,
    rollbacks,
    owed=meta.get('owed', False),
  )


def _newest_good(checkpoints, like):
  """The newest checkpoint in which a seed is finite, or None."""
  found = checkpoints.restore(like)
  while found and not loop.finite_seeds(found.state).any():
    # Of a version that did not look before it saved.
    print(f'checkpoint {found.step} passed over: no seed is finite there')
    older = [step for step in checkpoints.steps() if step < found.step]
    found = checkpoints.restore(like, which=older[-1]) if older else None
  return found


def fresh(setup: Setup, number: int) -> Setup:
  """The setup by whose keys one trains after so many rollbacks."""
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
  """What a run goes on from after it has diverged; its reports are closed.

  What is decided depends only on what all processes have; the first one writes
  it down.

  Args:
    seen: what the loop has raised.
    begun: where the part of the run that diverged had begun.
    last: from begin.
    setup: with the keys of that part, see fresh.
    program: of that part.
    workdir: of the run.
    policy: what to do.

  Raises:
    loop.Diverged: the run stops here; it names the step.
  """
  number, again = len(begun.rollbacks), len(begun.rollbacks) < policy.most
  bad = None
  # If it does not hold, the newest has been damaged, and what led there from
  # the one before it were other numbers.
  if last.step >= begun.step:
    bad = _find(setup, program, seen, last, every=policy.every)
  step = bad.step if bad else seen.step
  said = dumps.describe(bad, policy.first_seed) if bad else str(seen)
  entry = {'number': number + 1, 'from': step, 'to': last.step, 'reason': said}
  last = last._replace(rollbacks=(*begun.rollbacks, entry))
  if multihost.is_first() and bad:
    origin = dumps.Origin(last.step if last.saved else None, number)
    dumps.dump(workdir, bad, setup, origin, first_seed=policy.first_seed)
  if multihost.is_first() and again:
    _keep(workdir, last, dumps.stem(step, number))
    note(workdir, last.rollbacks)
  if not again:
    hint = _hint(workdir, last, policy, dumped=bad is not None)
    raise loop.Diverged(said, good=seen.good, step=step, hint=hint)
  return last


def told(begun: Start, policy: Policy) -> str:
  """What is said of a rollback, in a line."""
  last = begun.rollbacks[-1]
  return (
    f'diverged {last["reason"]}; rolled back to step {begun.step}, by fresh'
    f' random numbers (rollback {last["number"]} of {policy.most})'
  )


def _find(setup, program, seen, last, *, every):
  """The bad step on the way from the last good state, or None."""
  walk = divergence.Walk(
    setup, program, last.state, start=last.step, window=last.window, every=every
  )
  return divergence.find(walk, setup, good=seen.good, end=seen.step)


def _hint(workdir, last, policy, *, dumped):
  """What is left of a run that stops, and what can be done, in a clause."""
  told = ['no rollback is left'] if policy.most else []
  told.append(
    f'the newest good checkpoint is that of step {last.step}'
    if last.saved
    else 'there is no good checkpoint, it had begun at step 0'
  )
  told.append(
    f'python -m gan_jax.train --workdir={workdir} --replay repeats the step'
    if dumped
    else f'gone through again from step {last.step}, it did not happen'
  )
  return '; '.join(told)


def _keep(workdir, last, stem):
  """Puts aside what the run that goes on will drop: rows, and its beginning."""
  folder = workdir / dumps.FOLDER
  rows = files.read_rows(workdir / 'metrics.jsonl')
  rows = [row for row in rows if row['step'] > last.step]
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  files.write_text(folder / f'{stem}.jsonl', lines)
  kept = folder / 'checkpoints' / str(last.step)
  if last.saved and not kept.exists():
    half = kept.with_name(f'.{kept.name}')
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(
      workdir / 'checkpoints' / str(last.step), half, copy_function=_link
    )
    half.rename(kept)


def _link(source, target):
  """The same file under another name; a copy where there are no links."""
  try:
    os.link(source, target)
  except OSError:
    shutil.copy2(source, target)


def note(workdir: pathlib.Path, rollbacks: tuple):
  """Writes the rollbacks of a run down for its readers, if there are any."""
  path = pathlib.Path(workdir) / FILE
  if rollbacks or path.exists():
    files.write_json(path, list(rollbacks))


def count(workdir: pathlib.Path, step: int) -> int:
  """How many rollbacks the checkpoint of a step has behind it."""
  found = files.read_json(pathlib.Path(workdir) / FILE, list)
  return sum(one['to'] < step for one in found)
