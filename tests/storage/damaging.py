"""Ways to damage a checkpoint, and what is said of each; for tests."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.storage import format
from gan_jax.storage.checkpoints import Checkpoints

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534
NEWEST, OLDER = 20, 10


def state(step, *, rows=20_000, dtype=np.float32, **more):
  """One leaf is large enough for a file of its own."""
  rng = np.random.default_rng(step)
  draw = lambda *shape: jnp.asarray(rng.normal(size=shape).astype(dtype))
  w, v = draw(rows), draw(rows)
  return {'step': jnp.int32(step), 'w': w, 'v': v, **more}


def save(directory, step, content=None, **options):
  with Checkpoints(directory, metric='fid') as c:
    content = state(step) if content is None else content
    c.save(step, content, {'at': step}, score=float(step), **options)


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
  """Two good steps."""
  directory = tmp_path_factory.mktemp('saved') / 'checkpoints'
  for step in (OLDER, NEWEST):
    save(directory, step)
  return directory


@pytest.fixture
def damaged(saved):
  """Both steps, of which the test damages the newest."""
  with open_folder() as path:
    yield shutil.copytree(saved, path / 'checkpoints')


@contextlib.contextmanager
def open_folder():
  """A temporary folder where others than its owner may look.

  Not always below TMPDIR, which may itself be closed to them.
  """
  places = map(pathlib.Path, (tempfile.gettempdir(), '/tmp', '/var/tmp'))
  place = next(filter(_is_open, places), None)
  if place is None and not os.geteuid():
    pytest.skip('no folder for temporary files is open to others than root')
  with tempfile.TemporaryDirectory(dir=place) as path:
    os.chmod(path, 0o755)
    yield pathlib.Path(path)


def _is_open(folder):
  every = (folder, *folder.resolve().parents)
  return folder.is_dir() and all(p.stat().st_mode & 0o001 for p in every)


@contextlib.contextmanager
def as_anybody():
  """Root may read everything: for a while this process is not root."""
  if os.geteuid():
    yield
    return
  os.seteuid(NOBODY)
  try:
    yield
  finally:
    os.seteuid(0)


def tree(directory):
  """{path: (kind, time, content)} of all there is."""
  found = {}
  for path in sorted(pathlib.Path(directory).rglob('*')):
    about = path.lstat()
    is_file = path.is_file() and not path.is_symlink()
    content = path.read_bytes() if is_file else None
    found[str(path)] = (about.st_mode, about.st_mtime_ns, content)
  return found


def restore(directory, **options):
  """(what is restored, the lines that were said)."""
  said = []
  like = {k: v * 0 for k, v in state(0).items()}
  with as_anybody(), Checkpoints(directory, **options) as c:
    return c.restore(like, say=said.append), said


# Files of a step.


def largest(paths):
  return max(paths, key=lambda p: p.stat().st_size)


FILES = {
  'values': lambda s: largest(s.glob('state/ocdbt.process_0/d/*')),
  'index': lambda s: largest(s.glob('state/d/*')),
  'manifest': lambda s: s / 'state' / 'manifest.ocdbt',
  'tree': lambda s: s / 'state' / '_METADATA',
  'arrays': lambda s: s / 'state' / 'array_metadatas' / 'process_0',
  'note': lambda s: s / 'meta' / 'metadata',
}


def flip(path, *, bit=0, at=0.5):
  content = bytearray(path.read_bytes())
  content[int(at * (len(content) - 1))] ^= 1 << bit
  path.write_bytes(content)


def in_place(path, make):
  path.unlink()
  make(path)


HARM = {  # file, the other step's file of that kind
  'flipped_first': lambda p, _: flip(p, at=0),
  'flipped_middle': lambda p, _: flip(p, bit=3),
  'flipped_late': lambda p, _: flip(p, bit=7, at=0.97),
  'half': lambda p, _: os.truncate(p, p.stat().st_size // 2),
  'empty': lambda p, _: os.truncate(p, 0),
  'zeros': lambda p, _: p.write_bytes(bytes(p.stat().st_size)),
  'missing': lambda p, _: p.unlink(),
  'a_folder': lambda p, _: in_place(p, pathlib.Path.mkdir),
  'a_loop': lambda p, _: in_place(p, lambda p: p.symlink_to(p.name)),
  'unreadable': lambda p, _: p.chmod(0),
  'of_another_step': lambda p, twin: shutil.copyfile(twin, p),
}
# What Orbax can do without, or what is alike in both steps.
HARMLESS = {
  ('tree', 'missing'), ('tree', 'a_loop'), ('tree', 'of_another_step'),
  ('arrays', 'missing'), ('arrays', 'of_another_step'),
}  # fmt: skip
# What is said; a leaf where only the leaf is known.
NAMED = {
  'values': ('state/ocdbt.process_0/d/', 'v (', 'w (', 'wrong checksum of '),
  # What an index of another step leads to may lie elsewhere.
  'index': ('state/d/', 'state/ocdbt.process_0/d/', 'step (', 'v (', 'w ('),
  'manifest': ('state/manifest.ocdbt ', 'state/d/'),
  'tree': ('state/_METADATA ',),
  'arrays': ('state/array_metadatas/process_0', 'state/_METADATA or state/arr'),
  'note': ('meta/metadata ', 'wrong checksum of meta', 'it holds step 10'),
}
each_harm = pytest.mark.parametrize('harm', HARM)
each_file = pytest.mark.parametrize('file', FILES)


def do_harm(directory, file, harm):
  find = FILES[file]
  path = find(directory / str(NEWEST))
  HARM[harm](path, find(directory / str(OLDER)))


def reason_of(line, directory):
  """What is said to be wrong with the newest step."""
  start = f'checkpoint skipped: {directory / str(NEWEST)} ('
  assert line.startswith(start) and line.endswith(')') and '\n' not in line
  return line[len(start) : -1]


# Whole steps.


def write_note(step, change):
  """Another note, with the checksum that belongs to it."""
  path = FILES['note'](step)
  note = json.loads(path.read_text())['note']
  note = change(note)
  path.write_text(json.dumps({'note': note, 'crc': format._seal(note)}))


def without(note, name):
  return {k: v for k, v in note.items() if k != name}


def save_other(step, content):
  """A good step in the place of the newest."""
  shutil.rmtree(step)
  save(step.parent, NEWEST, content)


def swap_leaves(step):
  """What was written as v lies where w was, and the other way round."""
  note = FILES['note'](step).read_bytes()
  content = state(NEWEST)
  save_other(step, content | {'w': content['v'], 'v': content['w']})
  FILES['note'](step).write_bytes(note)


def half_deleted(step):
  shutil.rmtree(step / 'state')
  (step / 'commit_success.txt').unlink()


def replace_step(step, make):
  shutil.rmtree(step)
  make(step)


STEPS = {  # what is done to the newest, what is said
  'no_state': (lambda s: shutil.rmtree(s / 'state'), 'state/manifest.ocdbt is'),
  'no_meta': (lambda s: shutil.rmtree(s / 'meta'), 'meta/metadata is missing'),
  'no_data': (lambda s: shutil.rmtree(s / 'state' / 'd'), 'state/d/'),
  'only_the_mark': (
    lambda s: replace_step(
      s, lambda s: (s.mkdir(), (s / 'commit_success.txt').touch())
    ),
    'meta/metadata is missing',
  ),
  'empty_folder': (lambda s: replace_step(s, os.mkdir), 'never finished'),
  'no_mark': (
    lambda s: (s / 'commit_success.txt').unlink(), 'never finished',
  ),
  'half_deleted': (half_deleted, 'never finished'),
  'a_file': (
    lambda s: replace_step(s, lambda s: s.write_text('20')), 'not a folder',
  ),
  'a_loop': (
    lambda s: replace_step(s, lambda s: s.symlink_to(s.name)), 'not a folder',
  ),
  'dangling': (
    lambda s: replace_step(s, lambda s: s.symlink_to('gone')), 'not a folder',
  ),
  'locked': (lambda s: s.chmod(0), 'meta/metadata cannot be read: Permission'),
  'another_step': (
    lambda s: replace_step(
      s, lambda s: shutil.copytree(s.parent / str(OLDER), s)
    ),
    'it holds step 10',
  ),
  'swapped_leaves': (swap_leaves, 'wrong checksum of '),
  'more_leaves': (
    lambda s: save_other(s, state(NEWEST, u=jnp.zeros(3))),
    'u is float32[3] there, missing here',
  ),
  'fewer_leaves': (
    lambda s: save_other(s, without(state(NEWEST), 'v')),
    'v is missing there, float32[20000] here',
  ),
  'another_architecture': (
    lambda s: save_other(s, state(NEWEST, rows=7)),
    'v is float32[7] there, float32[20000] here',
  ),
  'another_dtype': (
    lambda s: save_other(s, state(NEWEST, dtype=jnp.bfloat16)),
    'v is bfloat16[20000] there, float32[20000] here',
  ),
  'more_seeds': (
    lambda s: save_other(
      s, {k: jnp.stack([v, v]) for k, v in state(NEWEST).items()}
    ),
    'step is int32[2] there, int32[] here',
  ),
  'a_later_format': (
    lambda s: write_note(s, lambda n: {**n, 'format': 3}),
    'meta is of format 3, this version reads 2',
  ),
  'no_leaves_in_the_note': (
    lambda s: write_note(s, lambda n: without(n, 'leaves')),
    'meta lacks leaves, or it is none',
  ),
  'a_score_in_words': (
    lambda s: write_note(s, lambda n: {**n, 'score': 'good'}),
    'meta lacks score, or it is none',
  ),
  'a_note_of_nothing': (
    lambda s: write_note(s, lambda n: [1, 2]), 'wrong checksum of meta',
  ),
  'a_note_unsealed': (
    lambda s: FILES['note'](s).write_text('{"note": {"step": 20}}'),
    'wrong checksum of meta',
  ),
  'a_list_for_a_note': (
    lambda s: FILES['note'](s).write_text('[]'), 'wrong checksum of meta',
  ),
  'a_leaf_of_another_kind_in_the_note': (
    lambda s: write_note(
      s, lambda n: {**n, 'leaves': {k: 3 for k in n['leaves']}}
    ),
    'meta has leaves that are none',
  ),
}  # fmt: skip
