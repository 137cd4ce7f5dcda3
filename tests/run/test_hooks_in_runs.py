"""In whole runs every score is written once, and carried by its checkpoint."""

import json

import jax
import pytest

from gan_jax import evaluate
from gan_jax.run import hooks as hooks_lib
from gan_jax.run import setup as setup_lib
from gan_jax.run import training
from gan_jax.run.workdir import contents
from gan_jax.storage import files, format
from tests.run.hooks_room import NAMES, recipe

EVERY = {'eval_every': 2, 'save_every': 2, 'report_every': 4}


@pytest.fixture(scope='module')
def parted(tmp_path_factory):
  """A whole run, scored by somebody else meanwhile, and one in two parts."""
  folder = tmp_path_factory.mktemp('runs')
  whole, parts = folder / 'whole', folder / 'parts'
  report = hooks_lib.Hooks.report

  def and_evaluate(self, step, metrics, state):
    report(self, step, metrics, state)
    if step == 8:
      made = evaluate.evaluate(whole, metrics=('precision',))
      (folder / 'meanwhile').write_text(json.dumps(made))

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(hooks_lib.Hooks, 'report', and_evaluate)
    training.train(recipe(steps=8, **EVERY), whole)
  training.train(recipe(steps=4, **EVERY), parts)
  training.train(recipe(steps=8, **EVERY), parts)
  return folder


def test_every_score_is_in_the_file_once_and_before_the_next_report(parted):
  for name in ('whole', 'parts'):
    rows = files.read_rows(parted / name / 'metrics.jsonl')
    kinds = [(r['step'], 'modes' if 'modes' in r else 'd_loss') for r in rows]
    assert sorted(kinds) == sorted(
      [(step, 'modes') for step in (2, 4, 6, 8)]
      + [(step, 'd_loss') for step in (4, 8)]
    )
    assert kinds.index((2, 'modes')) < kinds.index((4, 'd_loss'))
    assert kinds.index((6, 'modes')) < kinds.index((8, 'd_loss'))


def test_a_resumed_run_ends_with_the_same_bits(parted):
  like, found = jax.eval_shape(setup_lib.build(recipe()).init), []
  for name in ('whole', 'parts'):
    with contents.open_checkpoints(
      parted / name, recipe(), NAMES, read_only=True
    ) as checkpoints:
      found.append([checkpoints.restore(like, which=k) for k in (8, 'best')])
      assert 6 in checkpoints.steps()
  for a, b in zip(*found, strict=True):
    assert a.step == b.step and a.meta['records'] == b.meta['records']
    pairs = zip(*map(jax.tree.leaves, (a.state, b.state)), strict=True)
    assert all(x.tobytes() == y.tobytes() for x, y in pairs)
  scores = [
    json.loads((parted / name / 'scores.json').read_text())
    for name in ('whole', 'parts')
  ]
  own = [[r for r in s if r['metric'] != 'precision'] for s in scores]
  assert own[0] == own[1] and {r['step'] for r in own[0]} == {8}


def test_the_checkpoints_carry_the_scores_of_their_steps(parted):
  rows = files.read_rows(parted / 'whole' / 'metrics.jsonl')
  modes = {row['step']: row['modes'] for row in rows if 'modes' in row}
  folders = list((parted / 'whole' / 'checkpoints').glob('[0-9]*'))
  assert len(folders) in (2, 3)
  for folder in folders:
    note = format.read_note(folder)
    assert note['metric'] == 'modes'
    assert note['score'] == modes[note['step']]


def test_a_run_can_be_evaluated_while_it_trains(parted):
  (record,) = json.loads((parted / 'meanwhile').read_text())
  # The checkpoint of step 8 comes after its report; that of step 6 may still
  # be on its way to the disk.
  assert record['metric'] == 'precision' and record['step'] in (4, 6)


def test_a_run_stops_at_the_first_score_that_reaches_its_goal(tmp_path):
  goal = {'stop_when.metric': 'modes', 'stop_when.above': -1.0}
  found = training.train(recipe(steps=8, **EVERY, **goal), tmp_path / 'run')
  assert {r['step'] for r in found} == {2}
  rows = files.read_rows(tmp_path / 'run' / 'metrics.jsonl')
  assert [row['step'] for row in rows] == [2]
  assert format.read_note(tmp_path / 'run' / 'checkpoints' / '2')['score'] >= 0
