"""Records of the step at which a run diverged.

The workdir's divergence/ holds, for each such step, a .npz with its batch and
metrics, and a .json with everything else. replay.py reads them.
"""

import hashlib
import json
import pathlib
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.run import loop
from gan_jax.run.recovery.divergence import Bad
from gan_jax.run.setup import Setup
from gan_jax.storage import files, npz
from gan_jax.types import State, Tree, UserError

FOLDER = 'divergence'
LARGEST = 64 * 2**20  # bytes of real samples in a dump, at most
FIELDS = {
  'step', 'seeds', 'shown', 'checkpoint', 'rollbacks', 'nonfinite', 'norms',
  'batch',
}  # fmt: skip


class Origin(NamedTuple):
  """Where the replay of a bad step starts, and with which random numbers."""

  checkpoint: int | None  # its step; None for the initial state
  rollbacks: int  # so far; they select the random numbers, see rollback.fresh


def named(state: State, seed: int) -> dict[str, np.ndarray]:
  """The float arrays of one seed: players, memos, moving averages."""
  arrays = {}
  for player, own in state.players.items():
    arrays |= leaves(own, player)
  for part in ('memo', 'ema'):
    arrays |= leaves(getattr(state, part), part)
  return {k: np.asarray(leaf[seed]) for k, leaf in arrays.items()}


def leaves(tree: Tree, prefix: str) -> dict:
  """The floating-point leaves of a tree by name."""
  name = lambda path: jax.tree_util.keystr(path, simple=True, separator='/')
  return {
    f'{prefix}/{name(path)}': leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    if np.issubdtype(leaf.dtype, np.inexact)
  }


def norm(x: np.ndarray) -> float:
  """Euclidean norm, in float64 so that no float32 value overflows."""
  with np.errstate(over='ignore', invalid='ignore'):
    return float(np.sqrt(np.square(np.asarray(x, np.float64)).sum()))


def norms(state: State, seed: int) -> dict[str, float]:
  """The norms of one seed's arrays, by name."""
  return {name: norm(leaf) for name, leaf in named(state, seed).items()}


def nonfinite(state: State, seed: int) -> list[str]:
  """Names of one seed's arrays that hold a NaN or an infinity."""
  arrays = named(state, seed).items()
  return [name for name, leaf in arrays if not np.isfinite(leaf).all()]


def describe(bad: Bad, first_seed: int) -> str:
  """What happened, as a clause.

  Args:
    bad: from find.
    first_seed: number of the run's first seed.
  """
  seed = bad.seeds[0]
  values = loop.losses(bad.metrics).items()
  names = [name for name, v in values if not np.isfinite(v[seed])]
  arrays = nonfinite(bad.after, seed)
  if arrays:
    names.append(
      f'{len(arrays)} of {len(named(bad.after, seed))} arrays of the state'
      f' (first: {arrays[0]})'
    )
  return (
    f'at step {bad.step}, seed {first_seed + seed}: non-finite values in'
    f' {", ".join(names)}'
  )


def stem(step: int, rollbacks: int) -> str:
  """The common stem of a dump's file names."""
  return f'step_{step:08}' + (f'_rollback_{rollbacks}' if rollbacks else '')


def dump(
  workdir: pathlib.Path,
  bad: Bad,
  setup: Setup,
  origin: Origin,
  *,
  first_seed: int,
) -> pathlib.Path:
  """Writes a step's .npz and .json, each atomically.

  Args:
    workdir: of the run.
    bad: from find.
    setup: with the keys that the program draws with.
    origin: where a replay of the step starts.
    first_seed: number of the run's first seed.

  Returns:
    The path of the .json.
  """
  seed = bad.seeds[0]
  batch, left_out = _bounded(bad.batch)
  before = norms(bad.before, seed)
  key = np.asarray(jax.random.key_data(setup.keys[seed]))
  arrays = {f'batch_{name}': value for name, value in batch.items()}
  arrays |= {f'metric_{name}': v for name, v in bad.metrics.items()}
  arrays |= {'key': key, 'norms': np.array([*before.values()])}
  document = {
    'step': bad.step,
    'seeds': [first_seed + s for s in bad.seeds],
    'shown': first_seed + seed,
    'said': describe(bad, first_seed),
    'checkpoint': origin.checkpoint,
    'rollbacks': origin.rollbacks,
    'key': key.tolist(),
    'metrics': {k: v.tolist() for k, v in bad.metrics.items()},
    'nonfinite': nonfinite(bad.after, seed),
    'norms': before,
    'batch': {name: digest(value) for name, value in bad.batch.items()},
    'left_out': left_out,
  }
  path = workdir / FOLDER / stem(bad.step, origin.rollbacks)
  # The .json last: readers look for it, and then the .npz must be there.
  with files.replacing(path.with_suffix('.npz')) as temporary:
    np.savez(temporary, **arrays)
  files.write_json(path.with_suffix('.json'), document)
  return path.with_suffix('.json')


def digest(value: np.ndarray) -> dict:
  """Identifies an array: its dtype, shape and the hash of its bytes."""
  content = hashlib.sha256(np.ascontiguousarray(value).tobytes())
  return {
    'dtype': str(value.dtype),
    'shape': list(value.shape),
    'sha256': content.hexdigest(),
  }


def _bounded(batch):
  """The batch, or its first examples if it is large; and what was left out."""
  size = len(batch['index'])
  keep = min(size, max(1, size * LARGEST // max(batch['x'].nbytes, 1)))
  left_out = ['the state: the checkpoint that the replay starts from has it']
  if keep < size:
    left_out.append(f'all but the first {keep} of {size} examples of the batch')
  cut = lambda name, v: v[:keep] if name == 'index' else v[:, :keep]
  return {name: cut(name, value) for name, value in batch.items()}, left_out


def newest(workdir: pathlib.Path) -> tuple[dict, dict[str, np.ndarray]]:
  """The latest dump of a run: its document and its arrays.

  Raises:
    UserError: there is none, or it is unreadable.
  """
  paths = sorted((workdir / FOLDER).glob('step_*.json'))
  if not paths:
    raise UserError(
      f'--workdir={workdir}: no divergence recorded'
      f' ({FOLDER}/step_*.json is missing): a step is recorded when the last'
      ' finite seed of a run dies.'
    )
  dumps = [(read(path), path) for path in paths]
  # By rollbacks first: after one, a run may diverge at an earlier step.
  latest = lambda each: (each[0]['rollbacks'], each[0]['step'])
  document, path = max(dumps, key=latest)
  try:
    return document, npz.read(path.with_suffix('.npz'))
  except npz.DAMAGED as e:
    raise UserError(f'{path.with_suffix(".npz")}: not readable ({e}).') from e


def read(path: pathlib.Path) -> dict:
  """Reads the .json of a dump.

  Raises:
    UserError: it is unreadable, or not a dump.
  """
  try:
    document = json.loads(path.read_text('utf-8'))
    missing = FIELDS - set(document)
  except (OSError, ValueError, TypeError) as e:
    raise UserError(f'{path}: not readable ({e}).') from e
  if missing:
    raise UserError(f'{path}: missing {", ".join(sorted(missing))}.')
  return document
