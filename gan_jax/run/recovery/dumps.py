"""What is written down of the step at which a run diverged.

In the workdir's divergence/ lie, for each such step, a .npz with what it was
fed and measured, and a .json with the rest. See replay.py for what reads them.
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
  """Where the way to a bad step begins, and by what numbers it goes."""

  checkpoint: int | None  # its step; None for the initial state
  rollbacks: int  # there were before


def named(state: State, seed: int) -> dict[str, np.ndarray]:
  """The arrays of numbers of one seed: players, what they recall, averages."""
  found = {}
  for player, own in state.players.items():
    found |= leaves(own, player)
  for part in ('memo', 'ema'):
    found |= leaves(getattr(state, part), part)
  return {k: np.asarray(leaf[seed]) for k, leaf in found.items()}


def leaves(tree: Tree, prefix: str) -> dict:
  """The leaves that hold floating-point numbers, by their names."""
  name = lambda path: jax.tree_util.keystr(path, simple=True, separator='/')
  return {
    f'{prefix}/{name(path)}': leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    if np.issubdtype(leaf.dtype, np.inexact)
  }


def norm(x: np.ndarray) -> float:
  """Euclidean norm of an array, in float64: no float32 overflows."""
  with np.errstate(over='ignore', invalid='ignore'):
    return float(np.sqrt(np.square(np.asarray(x, np.float64)).sum()))


def norms(state: State, seed: int) -> dict[str, float]:
  """Norms of the arrays of one seed by name."""
  return {name: norm(leaf) for name, leaf in named(state, seed).items()}


def nonfinite(state: State, seed: int) -> list[str]:
  """Names of the arrays of one seed that hold a NaN or an infinity."""
  found = named(state, seed).items()
  return [name for name, leaf in found if not np.isfinite(leaf).all()]


def describe(bad: Bad, first_seed: int) -> str:
  """What happened, in a clause.

  Args:
    bad: from find.
    first_seed: number of the first seed of the run.
  """
  seed = bad.seeds[0]
  values = loop.losses(bad.metrics).items()
  names = [name for name, v in values if not np.isfinite(v[seed])]
  arrays = nonfinite(bad.after, seed)
  if arrays:
    names.append(
      f'{len(arrays)} of {len(named(bad.after, seed))} arrays of the state,'
      f' {arrays[0]} first'
    )
  return (
    f'at step {bad.step}, seed {first_seed + seed}: not finite are'
    f' {", ".join(names)}'
  )


def stem(step: int, rollbacks: int) -> str:
  """What the names of a dump's files begin with."""
  return f'step_{step:08}' + (f'_rollback_{rollbacks}' if rollbacks else '')


def dump(
  workdir: pathlib.Path,
  bad: Bad,
  setup: Setup,
  origin: Origin,
  *,
  first_seed: int,
) -> pathlib.Path:
  """Writes a step's .npz and .json, each whole or not at all.

  Args:
    workdir: of the run.
    bad: from find.
    setup: with the keys that the program draws by.
    origin: of the way to the step.
    first_seed: number of the first seed of the run.

  Returns:
    the path of the .json.
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
  with files.replacing(path.with_suffix('.npz')) as temporary:
    np.savez(temporary, **arrays)
  files.write_json(path.with_suffix('.json'), document)
  return path.with_suffix('.json')


def digest(value: np.ndarray) -> dict:
  """What tells an array from any other: dtype, shape, hash of its bytes."""
  content = hashlib.sha256(np.ascontiguousarray(value).tobytes())
  return {
    'dtype': str(value.dtype),
    'shape': list(value.shape),
    'sha256': content.hexdigest(),
  }


def _bounded(batch):
  """The batch, or its first examples; and what is left out, in words."""
  size = len(batch['index'])
  keep = min(size, max(1, size * LARGEST // max(batch['x'].nbytes, 1)))
  told = ['the state: the checkpoint that the way begins at holds one']
  if keep < size:
    told.append(f'all but the first {keep} of {size} examples of the batch')
  cut = lambda name, v: v[:keep] if name == 'index' else v[:, :keep]
  return {name: cut(name, value) for name, value in batch.items()}, told


def newest(workdir: pathlib.Path) -> tuple[dict, dict[str, np.ndarray]]:
  """The latest dump of a run: its document and its arrays.

  Raises:
    UserError: there is none, or it cannot be read.
  """
  paths = sorted((workdir / FOLDER).glob('step_*.json'))
  if not paths:
    raise UserError(
      f'--workdir={workdir}: no divergence was met there'
      f' ({FOLDER}/step_*.json is missing).'
    )
  found = [(read(path), path) for path in paths]
  latest = lambda each: (each[0]['rollbacks'], each[0]['step'])
  document, path = max(found, key=latest)
  try:
    return document, npz.read(path.with_suffix('.npz'))
  except npz.DAMAGED as e:
    raise UserError(f'{path.with_suffix(".npz")}: not readable ({e}).') from e


def read(path: pathlib.Path) -> dict:
  """The document of a dump.

  Raises:
    UserError: it cannot be read, or is something else.
  """
  try:
    document = json.loads(path.read_text('utf-8'))
    missing = FIELDS - set(document)
  except (OSError, ValueError, TypeError) as e:
    raise UserError(f'{path}: not readable ({e}).') from e
  if missing:
    raise UserError(f'{path}: it lacks {", ".join(sorted(missing))}.')
  return document
