"""One checkpoint on disk: leaves by name, each with a checksum.

In a step's directory Orbax writes `state`, the leaves by name, and `meta`, a
note: the caller's notes, the score, and dtype, shape and checksum of each leaf.
The note has a checksum too. Tree structure is not stored: the reader's state
has it, with its empty tuples and its optimizer's named ones.
"""

import asyncio
import contextlib
import json
import logging
import pathlib
import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from gan_jax.types import Tree, UserError


class Damaged(Exception):
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
  leaf = jax.random.key_data(leaf) if _is_key(leaf) else leaf
  if isinstance(leaf, jax.Array) and leaf.is_fully_replicated:
    leaf = leaf.addressable_data(0)  # a view, not a copy that stays with leaf
  array = np.asarray(leaf)
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


def _with_elements(named: dict[str, Any]) -> dict[str, Any]:
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


class _PatientLoop(asyncio.SelectorEventLoop):
  """An event loop that ends what it has begun before it closes."""

  def close(self):
    if not self.is_closed() and (tasks := asyncio.all_tasks(self)):
      self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    super().close()


@contextlib.contextmanager
def _patient_loops():
  # When one of many reads fails, Orbax closes the event loop under the others,
  # and each of them complains on the console at some later time.
  usual, asyncio.new_event_loop = asyncio.new_event_loop, _PatientLoop
  try:
    yield
  finally:
    asyncio.new_event_loop = usual


def _read(path: pathlib.Path, **items) -> dict:
  with (
    _patient_loops(),
    ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as reader,
  ):
    return reader.restore(path, args=ocp.args.Composite(**items))


def read_note(path: pathlib.Path) -> dict:
  """Reads and verifies the description of a step's directory."""
  sealed = _read(path, meta=ocp.args.JsonRestore())['meta']
  if _seal(sealed['note']) != sealed['crc']:
    raise Damaged('wrong checksum of meta')
  if str(sealed['note']['step']) != path.name:
    raise Damaged(f'it holds step {sealed["note"]["step"]}')
  return sealed['note']


def read(path: pathlib.Path, like: Tree) -> tuple[Tree, dict]:
  """Reads and verifies one step; returns (state, meta).

  Raises:
    UserError: the leaves are intact, but not those of `like`.
    Exception: the step is damaged; of any type, Orbax raises them all.
  """
  note = read_note(path)
  targets = {k: _target(v) for k, v in _named(like).items()}
  _check_kinds(path, targets, note['leaves'])
  leaves = {k: _empty(v) for k, v in targets.items() if not np.size(v)}
  if len(leaves) < len(targets):
    args = ocp.args.StandardRestore(_with_elements(targets))
    leaves.update(_read(path, state=args)['state'])
  for name, kind in note['leaves'].items():
    if _crc(leaves[name]) != kind['crc']:
      raise Damaged(f'wrong checksum of {name}')
  ordered = [leaves[name] for name in targets]
  return jax.tree.unflatten(jax.tree.structure(like), ordered), note['meta']


def to_write(state: Tree, **note) -> ocp.args.Composite:
  """What Orbax saves: the leaves, and the note with their checksums."""
  named = _named(state)
  kinds = {k: _kind(v) | {'crc': _crc(v)} for k, v in named.items()}
  note = json.loads(json.dumps({**note, 'leaves': kinds}))  # as it will be read
  return ocp.args.Composite(
    state=ocp.args.StandardSave(_with_elements(named)),
    meta=ocp.args.JsonSave({'note': note, 'crc': _seal(note)}),
  )


def reason(error: Exception) -> str:
  """One short line; Orbax's own run over several."""
  if isinstance(error, Damaged):
    return str(error)
  lines = str(error).strip().splitlines() or ['']
  return f'{type(error).__name__}: {lines[0]}'[:160]
