"""One checkpoint on disk: leaves by name, each with a checksum.

In a step's directory Orbax writes `state`, the leaves by name, and `meta`, a
note: the caller's notes, the score, and dtype, shape and checksum of each leaf.
The note has a checksum too. Tree structure is not stored: the reader's state
has it, with its empty tuples and its optimizer's named ones.
"""

import json
import os
import pathlib
import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.storage import files, workarounds
from gan_jax.storage import orbax as ocp
from gan_jax.types import Tree, UserError

# Of the state's leaves and the note. A larger number is of a later version.
# 1: leaves `g/...` and `d/...`; 2: `players/g/...`, by gan_jax 0.2.0.
FORMAT = 2
NOTE = {
  'step': int, 'meta': dict, 'metric': str | None, 'score': float | None,
  'leaves': dict,
}  # fmt: skip
_DONE = 'commit_success.txt'  # Orbax writes it last


class Damaged(Exception):
  """A step whose content is not what was saved."""


class Unlike(UserError):
  """A step that is intact, but of another state."""


class Outdated(UserError):
  """A step that an earlier version saved, whose state had another layout."""


# Folders.


def step_folders(directory: pathlib.Path) -> dict[int, pathlib.Path]:
  """What has the name of a step in a directory, ascending; {} without one.

  Raises:
    OSError: it cannot be read. Taking that for an empty folder would begin the
      run anew.
  """
  try:
    names = os.listdir(directory)
  except FileNotFoundError:
    return {}
  plain = lambda name: name.isascii() and name.isdecimal()
  steps = [int(n) for n in names if plain(n) and n == str(int(n))]
  return {step: directory / str(step) for step in sorted(steps)}


def is_finished(path: pathlib.Path) -> bool:
  """Whether a step's folder looks complete."""
  try:
    os.lstat(path / _DONE)
  except (FileNotFoundError, NotADirectoryError):
    return False
  except OSError:  # reading it will say why
    return not os.path.islink(path)
  return True


# Leaves.


def named(tree: Tree) -> dict[str, Any]:
  """The leaves of a tree by the names that they have on disk."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  name = lambda path: jax.tree_util.keystr(path, simple=True, separator='/')
  by_name = {name(path): leaf for path, leaf in leaves}
  if len(by_name) < len(leaves):
    raise ValueError('two leaves of the state have the same name')
  return by_name


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


def _check_kinds(want: dict[str, Any], have: dict[str, dict]) -> None:
  """Raises Unlike at the first leaf that is not the same in both."""
  text = lambda kind: f'{kind["dtype"]}{kind["shape"]}' if kind else 'missing'
  for name in sorted({*want, *have}):
    here = _kind(want[name]) if name in want else {}
    there = (
      {k: have[name][k] for k in ('dtype', 'shape')} if name in have else {}
    )
    if here != there:
      raise Unlike(f'{name} is {text(there)} there, {text(here)} here')


# The description beside the leaves.


def _seal(note: dict) -> int:
  return zlib.crc32(json.dumps(note, sort_keys=True).encode())


def _is_kind(kind):
  fits = {'dtype': str, 'shape': list, 'crc': int}
  return isinstance(kind, dict) and all(
    isinstance(kind.get(k), t) for k, t in fits.items()
  )


def alone() -> Any:
  """Options by which this process works alone, and waits for no other."""
  own = jax.process_index()
  # A barrier needs a name in the processes' coordinator, even that of one.
  return ocp.options.MultiprocessingOptions(
    primary_host=own, active_processes={own}, barrier_sync_key_prefix='gan_jax'
  )


def _read(path: pathlib.Path, **items) -> dict:
  handler = ocp.CompositeCheckpointHandler(
    composite_options=ocp.CompositeOptions(multiprocessing_options=alone())
  )
  options = {'multiprocessing_options': alone()}
  with workarounds.applied(), ocp.Checkpointer(handler, **options) as reader:
    return reader.restore(path, args=ocp.args.Composite(**items))


def read_note(path: pathlib.Path) -> dict:
  """Reads and verifies the description of a step's directory.

  Fields that it does not know are left as they are.

  Raises:
    Damaged: it is not what was written, or of another step or a later format.
    Exception: it cannot be read.
  """
  sealed = _read(path, meta=ocp.args.JsonRestore())['meta']
  note = sealed.get('note') if isinstance(sealed, dict) else None
  if not isinstance(note, dict) or _seal(note) != sealed.get('crc'):
    raise Damaged('wrong checksum of meta')
  if format_of(note) > FORMAT:
    raise Damaged(
      f'meta is of format {note["format"]}, this version reads {FORMAT}'
    )
  for name, kind in NOTE.items():
    if not isinstance(note.get(name), kind):
      raise Damaged(f'meta lacks {name}, or it is none')
  if not all(map(_is_kind, note['leaves'].values())):
    raise Damaged('meta has leaves that are none')
  if str(note['step']) != path.name:
    raise Damaged(f'it holds step {note["step"]}')
  return note


def format_of(note: dict) -> int:
  """The format that a note is of; the first one did not say so."""
  number = note.get('format', 1)
  return number if isinstance(number, int) else FORMAT + 1


def peek(path: pathlib.Path) -> int | None:
  """The format of a step, None if its note cannot be read; verifies nothing."""
  document = files.read_json(path / 'meta' / 'metadata')
  note = document.get('note')
  return format_of(note) if isinstance(note, dict) else None


def read(
  path: pathlib.Path, like: Tree, *, earlier: bool = False
) -> tuple[Tree, dict]:
  """Reads and verifies one step.

  Args:
    path: its folder.
    like: has the structure, dtypes, shapes and shardings of the result.
    earlier: whether it may be of an earlier format; `like` decides then.

  Returns:
    (state, meta).

  Raises:
    Outdated: it is of an earlier format.
    Unlike: the leaves are not those of `like`.
    Exception: the step is damaged; of any type, Orbax raises them all.
  """
  note = read_note(path)
  if format_of(note) < FORMAT and not earlier:
    raise Outdated(
      f'{path} was saved by an earlier version: its state is of format'
      f' {format_of(note)}, this version reads {FORMAT}.'
    )
  targets = {k: _target(v) for k, v in named(like).items()}
  _check_kinds(targets, note['leaves'])
  leaves = {k: _empty(v) for k, v in targets.items() if not np.size(v)}
  if len(leaves) < len(targets):
    args = ocp.args.StandardRestore(_with_elements(targets))
    leaves.update(_read(path, state=args)['state'])
  for name, kind in note['leaves'].items():
    if _crc(leaves[name]) != kind['crc']:
      raise Damaged(f'wrong checksum of {name}')
  ordered = [leaves[name] for name in targets]
  return jax.tree.unflatten(jax.tree.structure(like), ordered), note['meta']


def blank(kind: dict):
  """What a leaf is read into of which only the note is known."""
  name, shape = kind['dtype'], tuple(kind['shape'])
  if name in ('int', 'float', 'bool', 'complex'):  # Python's
    return {'int': 0, 'float': 0.0, 'bool': False, 'complex': 0j}[name]
  if name.startswith('key<'):
    for impl in ('threefry2x32', 'rbg', 'unsafe_rbg'):
      key = jax.eval_shape(lambda impl=impl: jax.random.key(0, impl=impl))
      if str(key.dtype) == name:
        return jax.ShapeDtypeStruct(shape, key.dtype)
  dtype = jnp.dtype(name)
  if jax.dtypes.canonicalize_dtype(dtype) != dtype:  # JAX would round it
    return np.empty(shape, dtype)
  return jax.ShapeDtypeStruct(shape, dtype)


def to_write(state: Tree, **note) -> Any:
  """What Orbax saves: the leaves, and the note with their checksums."""
  leaves = named(state)
  if jax.process_count() > 1:  # Orbax takes what is on a device for a share
    leaves = {k: np.array(jax.device_get(v)) for k, v in leaves.items()}
  kinds = {k: _kind(v) | {'crc': _crc(v)} for k, v in leaves.items()}
  note = {'format': FORMAT, **note, 'leaves': kinds}
  note = json.loads(json.dumps(note))  # as it will be read
  return ocp.args.Composite(
    state=ocp.args.StandardSave(_with_elements(leaves)),
    meta=ocp.args.JsonSave({'note': note, 'crc': _seal(note)}),
  )
