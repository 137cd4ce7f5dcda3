"""Damaged checkpoints: skipped with a warning, named, never touched."""

import os
import shutil

import pytest

from gan_jax import train
from gan_jax.run import command
from gan_jax.storage import format
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import UserError
from tests.storage import damaging
from tests.storage.damaging import (
  FILES,
  HARMLESS,
  NAMED,
  NEWEST,
  OLDER,
  ROOT,
  STEPS,
  do_harm,
  each_file,
  each_harm,
  flip,
  reason_of,
  restore,
  state,
  tree,
  without,
  write_note,
)
from tests.storage.test_checkpoints import assert_same

saved, damaged = damaging.saved, damaging.damaged  # fixtures


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
  assert '/10 (ema/g/params/' in line and ' is missing there, ' in line
