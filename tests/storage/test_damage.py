"""Damaged checkpoints: passed over aloud, named, never touched."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import train
from gan_jax.run import command
from gan_jax.storage import format
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import UserError
from tests.storage.test_checkpoints import assert_same

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
  """Both steps, of which the test damages the newest.

  A copy where others than the owner may look, too.
  """
  with tempfile.TemporaryDirectory() as path:
    os.chmod(path, 0o755)
    yield shutil.copytree(saved, pathlib.Path(path) / 'checkpoints')


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


@each_harm
@each_file
def test_a_damaged_file_is_named_and_costs_one_step(damaged, file, harm):
  do_harm(damaged, file, harm)
  before = tree(damaged)
  got, said = restore(damaged, read_only=True)
  if (file, harm) in HARMLESS:
    assert not said and got.step == NEWEST
  else:
    assert len(said) == 1 and got.step == OLDER
    assert reason_of(said[0], damaged).startswith(NAMED[file])
  assert_same(got.state, state(got.step))
  assert got.meta == {'at': got.step} and tree(damaged) == before
  if said:
    stops(damaged, NAMED[file])


def stops(directory, named):
  """With none left it stops and touches nothing."""
  shutil.rmtree(directory / str(OLDER))
  before, path = tree(directory), directory / str(NEWEST)
  with pytest.raises(UserError) as error:
    restore(directory)
  start = f'no checkpoint can be read: {path} ('
  told = str(error.value).removeprefix(start)
  assert told.startswith(named) and told.endswith(')') and '\n' not in told
  assert tree(directory) == before


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
UNFINISHED = ('never finished', 'not a folder')
each_step = pytest.mark.parametrize('name', STEPS)


@each_step
def test_a_damaged_step_is_passed_over_and_moved_aside(damaged, name):
  harm, words = STEPS[name]
  harm(damaged / str(NEWEST))
  before = tree(damaged)
  got, said = restore(damaged)
  assert len(said) == 1 and reason_of(said[0], damaged).startswith(words)
  assert got.step == OLDER and got.meta == {'at': OLDER}
  assert_same(got.state, state(OLDER))
  assert tree(damaged) == before
  if name == 'locked':
    (damaged / str(NEWEST)).chmod(0o755)
    return
  # The run comes by again.
  with Checkpoints(damaged) as c:
    said = []
    c.restore(state(0), say=said.append)
    assert c.save(NEWEST, state(NEWEST), {'at': 'again'}, wait=True)
    assert c.restore(state(0)).meta == {'at': 'again'}
  gone = words == 'never finished'
  assert gone or (damaged / 'damaged' / f'{NEWEST}.0').lstat()


def test_a_step_of_another_number_is_not_that_step(damaged):
  (damaged / str(NEWEST)).rename(damaged / '30')
  got, said = restore(damaged)
  assert got.step == OLDER
  assert said == [f'checkpoint skipped: {damaged}/30 (it holds step 20)']


def test_a_note_may_hold_more_than_this_version_knows(damaged):
  write_note(damaged / str(NEWEST), lambda n: {**n, 'from_the_future': [1]})
  got, said = restore(damaged)
  assert got.step == NEWEST and not said


@pytest.mark.parametrize(
  'change', [lambda n: without(n, 'format'), lambda n: {**n, 'format': 1}]
)
def test_a_step_of_an_earlier_version_is_refused_and_left_alone(
  damaged, change
):
  """Its state had another layout; the first version's note has no format."""
  step = damaged / str(NEWEST)
  write_note(step, change)
  before = tree(damaged)
  assert format.peek(step) == 1
  with pytest.raises(
    UserError, match='format 1, this version reads 2'
  ) as error:
    restore(damaged)
  assert str(step) in str(error.value) and '\n' not in str(error.value)
  assert tree(damaged) == before


STRAY = {
  'tmp': lambda d: (d / '10.tmp').mkdir(),
  'orbax_tmp': lambda d: (d / '30.orbax-checkpoint-tmp-17').mkdir(),
  'orbax_tmp_file': lambda d: (d / '.orbax-checkpoint-tmp-17').touch(),
  'zeros': lambda d: shutil.copytree(d / str(OLDER), d / '007'),
  'negative': lambda d: shutil.copytree(d / str(OLDER), d / '-3'),
  'other_digits': lambda d: (d / '\u0663').mkdir(),
  'plus': lambda d: (d / '+30').mkdir(),
  'blank': lambda d: (d / ' 30').mkdir(),
  'latest': lambda d: (d / 'latest').symlink_to(str(NEWEST)),
  'loop': lambda d: (d / 'loop').symlink_to('loop'),
  'metadata': lambda d: (d / 'metadata').write_text('not Orbax'),
  'dump': lambda d: (d / 'core').write_bytes(bytes(10)),
  'older_file': lambda d: (d / '12').write_text('12'),
  'older_loop': lambda d: (d / '13').symlink_to('13'),
  'older_unfinished': lambda d: (d / '14').mkdir(),
}


def test_what_else_lies_there_does_no_harm(damaged):
  for add in STRAY.values():
    add(damaged)
  got, said = restore(damaged)
  assert got.step == NEWEST and not said
  others = set(os.listdir(damaged)) - {'10', '12', '13', '14', '20'}
  with Checkpoints(damaged, keep_last=2, keep_best=0) as c:
    c.restore(state(0), say=said.append)
    for step in (30, 40):
      c.save(step, state(step), {}, wait=True)
    assert c.steps() == [30, 40]
    assert c.restore(state(0), say=said.append).step == 40
  assert sorted(said) == [
    f'checkpoint {damaged / step} moved to damaged/' for step in ('12', '13')
  ]
  kept = set(os.listdir(damaged)) - {'30', '40', 'damaged'}
  assert kept == others


def test_a_folder_that_cannot_be_looked_into_is_no_new_run(damaged):
  damaged.chmod(0)
  try:
    with pytest.raises(UserError, match='checkpoints: Permission denied'):
      restore(damaged)
  finally:
    damaged.chmod(0o755)
  shutil.rmtree(damaged)
  damaged.write_text('')
  with pytest.raises(UserError, match='checkpoints: Not a directory'):
    restore(damaged)


# A whole run.


def test_a_run_without_a_good_checkpoint_stops(saved, tmp_path, capsys):
  """The newest is damaged, and the other is of another network."""
  workdir = tmp_path / 'run'
  shutil.copytree(saved, workdir / 'checkpoints')
  flip(FILES['note'](workdir / 'checkpoints' / str(NEWEST)), at=0)
  before = tree(workdir)
  argv = [f'--config={ROOT}/configs/ring8.py:tiny', f'--workdir={workdir}']
  with pytest.raises(SystemExit) as left:
    command.run(train.main, ['', *argv])
  assert left.value.code == 2
  assert tree(workdir) == before  # the lock is given back
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('error: no checkpoint can be read: ')
  assert '/20 (meta/metadata is no JSON); ' in line
  assert '/10 (d/opt/' in line and ' is missing there, ' in line
