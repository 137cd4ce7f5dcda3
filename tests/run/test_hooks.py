"""Scores are computed beside the training, and told exactly once."""

import json
import threading
import time

import jax
import numpy as np
import pytest

from gan_jax.run import background_scores, command, loop, scoring, signals
from gan_jax.run import hooks as hooks_lib
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from tests.run.hooks_room import (
  METRICS,
  NAMES,
  ROOT,
  SOON,
  START,
  Room,
  outcome,
)


def test_the_training_goes_on_while_scores_are_computed(room):
  room.may_go.clear()
  at, checkpoints = room.open()
  with checkpoints, at:
    assert at.score(2, room.state(2)) is False  # it did not wait
    at.tick(3)
    assert room.rows() == []
    threading.Timer(0.2, room.may_go.set).start()
    at.report(4, METRICS, room.state(4))  # this one waits
    assert [row['step'] for row in room.rows()] == [2, 4]
    assert room.scored() == [2]
    at.tick(5)
    at.report(6, METRICS, room.state(6))
  assert [row['step'] for row in room.rows()] == [2, 4, 6]


def test_scores_are_told_as_soon_as_they_are_there(room):
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    end = time.monotonic() + SOON
    while not room.scored() and time.monotonic() < end:
      at.tick(3)
      time.sleep(0.01)
    assert room.scored() == [2]
    at.score(4, room.state(4))
    at.score(6, room.state(6))
    assert room.scored() == [2, 4]
  assert room.scored() == [2, 4, 6]


@pytest.mark.parametrize(
  'metric, values, best',
  [
    ('reverse_kl', {2: 1.0, 4: 3.0, 6: 2.0}, 2),  # less is better
    ('reverse_kl', {2: 3.0, 4: 1.0, 6: 2.0}, 4),
    ('modes', {2: 3.0, 4: 1.0, 6: 2.0}, 2),  # more is better
    ('modes', {2: 1.0, 4: 2.0, 6: 3.0}, 6),
  ],
)
def test_the_checkpoint_of_a_step_is_ranked_by_its_own_score(
  metric, values, best, setup, tmp_path, monkeypatch
):
  room = Room(setup, tmp_path, monkeypatch, best_metric=metric)
  room.values = values
  at, checkpoints = room.open()
  with checkpoints, at:
    for step in values:
      room.may_go = threading.Event()
      state = room.state(step)
      at.score(step, state)
      at.save(step, state)  # waits for its score, and does not keep us
      jax.tree.map(lambda x: x.delete(), state)  # as the training does
      room.may_go.set()
  found = room.saved()
  assert found == {k: values[k] for k in sorted({best, 4, 6})}
  with contents.open_checkpoints(
    room.workdir, room.config, NAMES, read_only=True
  ) as checkpoints:
    like = jax.eval_shape(setup.init)
    for which, step in (('best', best), ('latest', 6)):
      restored = checkpoints.restore(like, which=which)
      assert restored.step == step and restored.state.step.tolist() == [step]
      assert {r['step'] for r in restored.meta['records']} == {step}


def test_a_score_of_before_ranks_nothing(room):
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    at.save(4, room.state(4))
    at.score(6, room.state(6))
    at.save(6, room.state(6))
  assert room.saved() == {4: None, 6: 6.0}
  assert room.scored() == [2, 6]


def test_saved_again_before_the_score_is_there(room):
  """Told to stop, a run saves the step that it has just saved."""
  room.may_go.clear()
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    at.save(2, room.state(2))
    at.save(2, room.state(2))
    room.may_go.set()
    with pytest.raises(signals.Stopped):
      at.finish(outcome(room, 2, 'signal'), lambda: 15)
    assert room.saved() == {2: 2.0} and room.scored() == [2]
  assert room.scored() == [2]
  assert not (room.workdir / 'scores.json').exists()


@pytest.mark.parametrize('above, reached', [(1.5, True), (2.5, False)])
def test_a_run_with_a_goal_waits_for_its_scores(
  above, reached, setup, tmp_path, monkeypatch
):
  goal = {'metric': 'modes', 'above': above}
  room = Room(setup, tmp_path, monkeypatch, stop_when=goal)
  room.may_go.clear()
  at, checkpoints = room.open()
  with checkpoints, at:
    threading.Timer(0.2, room.may_go.set).start()
    assert at.score(2, room.state(2)) is reached
    assert room.scored() == [2]
    at.save(2, room.state(2))
  assert room.saved() == {2: 2.0}


def test_what_waits_for_its_score_is_saved_even_if_the_training_fails(room):
  room.may_go.clear()
  at, checkpoints = room.open()
  with checkpoints, pytest.raises(loop.Diverged):
    with at:
      at.score(2, room.state(2))
      at.save(2, room.state(2))
      threading.Timer(0.2, room.may_go.set).start()
      raise loop.Diverged('between steps 2 and 4')
  assert room.saved() == {2: 2.0} and room.scored() == [2]


def test_few_seeds_wait_at_a_time(room, monkeypatch):
  """What was seen of each may be large."""
  room.seeds, waiting, most = 7, [], []
  look, compute = room.look, room.compute

  def watched(*args):
    for seed, later in look(*args):
      waiting.append(seed)
      most.append(len(waiting))
      yield seed, later

  def slow(step, seed, gate):
    time.sleep(0.02)
    found = compute(step, seed, gate)
    waiting.remove(seed)
    return found

  room.compute = slow
  monkeypatch.setattr(scoring, 'make_look', lambda *_, **__: watched)
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
  assert max(most) <= background_scores.AHEAD + 1 < room.seeds
  (row,) = room.rows()
  assert row['modes'] == [2.0] * room.seeds


def test_the_last_score_is_computed_once(room):
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(4, room.state(4))
    at.save(4, room.state(4))
    found = at.finish(outcome(room, 4), lambda: None)
  assert room.looks == [4] and room.scored() == [4]
  assert found == json.loads((room.workdir / 'scores.json').read_text())
  assert [r['metric'] for r in found] == list(NAMES)


def test_a_last_step_that_was_not_scored_is(room):
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    found = at.finish(outcome(room, 4), lambda: None)
  assert room.scored() == [2, 4] and {r['step'] for r in found} == {4}


def test_scores_of_other_protocols_stay_and_its_own_are_replaced(room):
  record = {'value': 1.0, 'step': 2, 'seed': 0}
  other = {**record, 'metric': 'modes', 'n_fake': 500}
  path = room.workdir / 'scores.json'
  path.write_text(json.dumps([other, {**other, 'n_fake': 9}]))
  at, checkpoints = room.open()
  with checkpoints, at:
    found = at.finish(outcome(room, 4), lambda: None)
  assert json.loads(path.read_text()) == [other, *found]


def test_no_seed_makes_finite_samples(room):
  room.seeds = 0
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    at.save(2, room.state(2))
    at.score(4, room.state(4))
    at.save(4, room.state(4))
    assert at.finish(outcome(room, 4), lambda: None) == []
  assert room.looks == [2, 4]  # and not the last one twice
  assert room.rows() == [] and room.saved() == {2: None, 4: None}
  assert json.loads((room.workdir / 'scores.json').read_text()) == []


def test_a_generator_that_diverged_has_no_neighbours(tmp_path, capsys):
  """The first seed's; the run ends as it should, by the other one."""
  config = command.load_config(
    f'{ROOT}/configs/digits.py:tiny',
    {'num_seeds': 2, 'features': 'pixels', 'metrics': ('fid',)},
  )
  digits = setup_lib.build(config)
  state = digits.init()
  ema = jax.tree.map(lambda x: x.at[0].set(np.nan), state.ema)
  checkpoints = contents.open_checkpoints(tmp_path, config, ('fid',))
  at = hooks_lib.Hooks(
    digits, config, ('fid',), tmp_path, checkpoints, begun=START
  )
  with checkpoints, at:
    end = loop.Outcome(state._replace(ema=ema), 8, 'steps')
    found = at.finish(end, lambda: None)
  assert [(r['seed'], r['value'] is None) for r in found] == [
    (0, True),
    (1, False),
  ]
  assert not (tmp_path / 'samples' / 'neighbours.png').exists()
  assert 'seed 0 makes non-finite samples' in capsys.readouterr().out
  (row,) = files.read_rows(tmp_path / 'metrics.jsonl')
  assert row['step'] == 8
  assert row['fid'] == [None, pytest.approx(found[1]['value'])]
