"""Back to the last good step by fresh numbers, and the same after any kill."""

import json
import pathlib
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.game import keys
from gan_jax.metrics import records
from gan_jax.run import hooks as hooks_lib
from gan_jax.run import loop, training
from gan_jax.run import setup as setup_lib
from gan_jax.run.recovery import dumps, replay, rollback
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from tests.run.test_divergence import RARE, ROOT, diverge, recipe, saved
from tests.run.test_replay import content
from tests.run.test_resume import leaves, reported

# Uniform draws of seed 3 exceed RARE at step 17; by the numbers after one
# rollback at steps 30 and 35; by those after two not within 40 steps.
STEPS = (17, 30)
GOOD = (16, 24)


def lucky(**overrides):
  """A run that has to be rolled back twice."""
  usual = {'seed': 3, 'on_divergence': 'rollback', 'metrics': ('modes',)}
  usual |= {'report_every': 5}
  return recipe({'above': RARE}, **usual | overrides)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """The workdir of such a run, and what it returned."""
  workdir = tmp_path_factory.mktemp('rollback') / 'whole'
  return workdir, training.train(lucky(), workdir)


def history(workdir):
  return json.loads((workdir / 'rollbacks.json').read_text())


def test_a_run_gets_past_what_its_numbers_have_met(whole):
  workdir, scores = whole
  told = history(workdir)
  assert [r['number'] for r in told] == [1, 2]
  assert tuple(r['from'] for r in told) == STEPS
  assert tuple(r['to'] for r in told) == GOOD
  for one in told:
    assert one['reason'].startswith(f'at step {one["from"]}, seed 3: non-fin')
  assert saved(workdir) == [32, 40]
  meta = rollback_meta(workdir, 40)
  assert meta['rollbacks'] == told
  assert {record['rollbacks'] for record in scores} == {2}
  assert json.loads((workdir / 'scores.json').read_text()) == scores


def rollback_meta(workdir, step):
  config = contents.read_config(workdir / 'config.json')
  setup = setup_lib.build(config)
  with contents.open_checkpoints(workdir, config, ('modes',)) as checkpoints:
    like = jax.eval_shape(setup.init)
    return checkpoints.restore(like, which=step).meta


def test_abandoned_steps_are_dropped_but_not_lost(whole):
  workdir, _ = whole
  steps = [row['step'] for row in reported(workdir)]
  assert steps == [5, 10, 15, 20, 25, 30, 35, 40, 40]
  folder = workdir / 'divergence'
  first, second = 'step_00000017', 'step_00000030_rollback_1'
  assert {p.name for p in folder.glob('step*')} == {
    f'{name}.{kind}'
    for name in (first, second)
    for kind in ('json', 'npz', 'jsonl')
  }
  assert files.read_rows(folder / f'{first}.jsonl') == []
  # By other numbers than those that the run ended by.
  (lost,) = files.read_rows(folder / f'{second}.jsonl')
  (kept,) = [row for row in reported(workdir) if row['step'] == 25]
  assert lost['step'] == 25 and lost['d_loss'] != kept['d_loss']


def test_a_dump_can_be_replayed_when_its_checkpoint_has_gone(whole):
  workdir, _ = whole
  before, said = content(workdir), []
  assert replay.replay(workdir, say=said.append)
  assert content(workdir) == before
  assert said[:3] == [
    'step 30, seed 3, from step 24, after 1 rollbacks',
    'batch: as in the dump, bit for bit',
    'norms before: as in the dump, bit for bit',
  ]


def test_readers_are_told(whole):
  workdir, _ = whole
  page = (workdir / 'report.html').read_text()
  assert '<p class="state done">Finished, 40 steps' in page
  assert ', after 2 rollbacks</li>' in page
  assert 'From step 30 back to step 24, with fresh random numbers' in page
  assert 'rollbacks 2' in page  # beside the scores


def test_what_is_scored_later_says_so_too(whole, tmp_path):
  workdir = tmp_path / 'run'
  shutil.copytree(whole[0], workdir)
  (made,) = evaluate.evaluate(workdir, metrics=('modes',))
  assert made['rollbacks'] == 2
  (before,) = whole[1]
  assert records.identity(made) == records.identity(before)
  records.check_alike(
    made, {k: v for k, v in before.items() if k != 'rollbacks'}
  )


def test_counts_are_those_of_the_checkpoint(tmp_path):
  assert rollback.count(tmp_path, 40) == 0
  rollback.note(tmp_path, ({'from': 17, 'to': 16}, {'from': 30, 'to': 24}))
  counts = [rollback.count(tmp_path, step) for step in (16, 17, 24, 25, 40)]
  assert counts == [0, 1, 1, 2, 2]


def test_fresh_numbers_are_those_of_the_training_alone():
  setup = setup_lib.build(recipe(num_seeds=2))
  assert rollback.fresh(setup, 0) is setup
  seen = {jax.random.key_data(k).tobytes() for k in setup.keys}
  for number in (1, 2):
    fresh = rollback.fresh(setup, number)
    for own, key in zip(fresh.keys, setup.keys, strict=True):
      data = jax.random.key_data(own)
      wanted = keys.stream(key, keys.ROLLBACK, number)
      assert (data == jax.random.key_data(wanted)).all()
      seen.add(np.asarray(data).tobytes())
    assert fresh._replace(keys=setup.keys) == setup
  assert len(seen) == 6


# -------------------------------------------------------------------- the limit


def test_when_rollbacks_are_used_up_the_run_stops(tmp_path, capsys):
  config = recipe({'at': 5}, on_divergence='rollback', max_rollbacks=1)
  told = diverge(tmp_path, config)
  assert told.step == 5 and told.hint.startswith('no rollbacks are left')
  assert [(r['from'], r['to']) for r in history(tmp_path)] == [(5, 0)]
  names = {p.name for p in (tmp_path / 'divergence').glob('*.json')}
  assert names == {
    'step_00000005.json',
    'step_00000005_rollback_1.json',
  }
  said = capsys.readouterr().out
  assert 'rolled back to step 0' in said and '(rollback 1 of 1)' in said
  documents = [dumps.read(p) for p in (tmp_path / 'divergence').glob('*.json')]
  assert len({d['batch']['x']['sha256'] for d in documents}) == 2
  said = []  # without a checkpoint it starts as the run began
  assert replay.replay(tmp_path, say=said.append)
  assert 'from step 0, after 1 rollbacks' in said[0]
  assert said[2] == 'norms before: as in the dump, bit for bit'


def test_a_checkpoint_without_a_finite_seed_is_passed_over(tmp_path, capsys):
  config = recipe({})
  setup = setup_lib.build(config)
  meta = {'records': [], 'window': None}
  with contents.open_checkpoints(tmp_path, config, ('modes',)) as checkpoints:
    sound = setup.init()
    g = sound.players['g']
    nan = jax.tree.map(lambda x: x * np.float32(np.nan), g.params)
    broken = sound.players | {'g': g._replace(params=nan)}
    checkpoints.save(4, sound, meta)
    checkpoints.save(8, sound._replace(players=broken), meta)
    begun = rollback.begin(setup, checkpoints, list)
  assert begun.step == 4 and begun.saved and begun.rollbacks == ()
  assert 'checkpoint 8 skipped' in capsys.readouterr().out


# ----------------------------------------------------------- killed and resumed


class Killed(BaseException):
  """In place of a kill: nothing may catch it."""


def assert_same(workdir, whole):
  step = max(saved(whole))
  ours, theirs = leaves(workdir, step), leaves(whole, step)
  assert ours.keys() == theirs.keys()
  for name in ours:
    assert ours[name].tobytes() == theirs[name].tobytes(), name
  assert reported(workdir) == reported(whole)
  for name in ('scores.json', 'rollbacks.json'):
    assert (workdir / name).read_bytes() == (whole / name).read_bytes()
  for path in (whole / 'divergence').glob('*.json*'):
    there = workdir / 'divergence' / path.name
    if path.suffix == '.json':
      assert there.read_bytes() == path.read_bytes()
    else:  # but for the speed
      rows = [[{**row, 'samples_per_s': 0} for row in files.read_rows(p)]
              for p in (there, path)]  # fmt: skip
      assert rows[0] == rows[1]


@pytest.mark.slow
@pytest.mark.parametrize('at', [(1, 24), (2, 32)], ids=['before', 'after'])
def test_killed_after_a_rollback_it_ends_with_the_same_bits(
  at, whole, tmp_path, monkeypatch
):
  """Before the first save after a rollback, or before a later one."""
  save = hooks_lib.Hooks.save

  def die(self, step, state, window=None):
    if (len(self._rollbacks), step) == at:
      raise Killed
    save(self, step, state, window)

  with monkeypatch.context() as patch:
    patch.setattr(hooks_lib.Hooks, 'save', die)
    with pytest.raises(Killed):
      training.train(lucky(), tmp_path)
  assert max(saved(tmp_path)) == at[1] - 8
  assert training.train(lucky(), tmp_path) == whole[1]
  assert_same(tmp_path, whole[0])


DRIVER = """
import json, sys
from gan_jax import train
config, workdir = json.load(sys.stdin)
train.train(config, workdir)
"""


def run(config, workdir, *, seconds=None):
  """Trains in a process of its own, killed after some seconds if asked for."""
  command = [sys.executable, '-c', DRIVER]
  try:
    subprocess.run(
      command,
      input=json.dumps([config, str(workdir)]),
      cwd=ROOT,
      capture_output=True,
      text=True,
      check=True,
      timeout=seconds,  # by SIGKILL
    )
  except subprocess.TimeoutExpired:
    assert seconds


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path):
  config, rng = lucky(), np.random.default_rng(0)
  run(config, tmp_path / 'whole')
  assert len(history(tmp_path / 'whole')) == 2
  for _ in range(8):
    run(config, tmp_path / 'killed', seconds=rng.uniform(4, 12))
  run(config, tmp_path / 'killed')
  assert_same(tmp_path / 'killed', tmp_path / 'whole')


@pytest.mark.slow
def test_a_second_seed_keeps_a_run_from_going_back(tmp_path):
  """Seed 2 is dead from step 12, seed 3 from 17: back once, with both."""
  config = lucky(seed=2, num_seeds=2, steps=24)
  training.train(config, tmp_path)
  assert [(r['from'], r['to']) for r in history(tmp_path)] == [(17, 16)]
  state = leaves(tmp_path, 24)
  finite = np.isfinite(state['players/d/params/hidden_0/kernel']).all(
    axis=(1, 2)
  )
  assert finite.tolist() == [False, True]


def test_go_back_without_the_checkpoint_of_its_part_looks_for_no_step():
  """The way from an older checkpoint is one of other numbers."""
  state = setup_lib.build(recipe({})).init()
  begun = rollback.Start(state, 16, True, [], None, ({'number': 1},))
  last = begun._replace(step=8, rollbacks=())
  policy = rollback.Policy(2, 10, 0)
  seen = loop.Diverged('between steps 16 and 24', good=16, step=24)
  # Not even a program is asked; nothing of checkpoints is there to be kept.
  with pytest.raises(loop.Diverged, match='between steps 16 and 24') as raised:
    rollback.go_back(
      seen, begun, last, setup=None, program=None, workdir=pathlib.Path('none'),
      policy=policy._replace(most=1),
    )  # fmt: skip
  assert 'could not be reproduced' in raised.value.hint
  assert dumps.stem(24, 1) == 'step_00000024_rollback_1'
