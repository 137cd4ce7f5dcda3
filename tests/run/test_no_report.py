"""A report that fails costs only itself: pictures, events, pages, terminals."""

import io
import json
from importlib import metadata

import pytest
import tensorboardX

from gan_jax.report import console, page, pictures, writers
from gan_jax.run import score_failures
from gan_jax.run.recovery import rollback
from gan_jax.types import UserError
from tests.run.hooks_room import METRICS, outcome

# What fails, and with what.
PARTS = {
  'a picture': (pictures, 'save_step', ValueError('Pillow')),
  'an event': (
    tensorboardX.summary, 'scalar', metadata.PackageNotFoundError('protobuf'),
  ),
  'all events': (writers, 'TensorBoard', ImportError('tensorboardX')),
  'a row': (writers.JsonLines, 'write', ValueError('nan is not JSON')),
  'a page': (page, 'write_page', ZeroDivisionError('of a chart')),
  'an animation': (pictures, 'animate', MemoryError('60 frames')),
}  # fmt: skip


@pytest.mark.parametrize('part', PARTS)
def test_a_report_that_fails_costs_no_training(part, room, monkeypatch, capsys):
  place, name, error = PARTS[part]

  def fails(*args, **kwargs):
    raise error

  monkeypatch.setattr(place, name, fails)
  at, checkpoints = room.open()
  with checkpoints, pytest.raises(score_failures.Failed) as caught:
    with at:
      for step in (2, 4):
        at.tick(step)
        at.report(step, METRICS, room.state(step))
        at.score(step, room.state(step))
        at.save(step, room.state(step))
      at.finish(outcome(room, 4), lambda: None)
  assert 'no report: ' in str(caught.value)
  assert type(error).__name__ in str(caught.value)
  assert room.saved() == {2: 2.0, 4: 4.0}  # the run and its scores are whole
  kept = json.loads((room.workdir / 'scores.json').read_text())
  assert {r['step'] for r in kept} == {4}
  said = capsys.readouterr().out
  assert said.count('no report: ') == 1  # said once, however often it fails
  log = (room.workdir / 'score_errors.txt').read_text()
  assert log.count('Traceback') == 1


class Gone(io.StringIO):
  """A terminal that has been closed."""

  def write(self, text):
    raise BrokenPipeError(32, 'Broken pipe')


def test_a_terminal_that_is_gone_costs_nothing(room):
  room.progress = console.Progress(9, stream=Gone())
  at, checkpoints = room.open()
  with checkpoints, at:
    at.report(2, METRICS, room.state(2))
    at.score(2, room.state(2))
    at.save(2, room.state(2))
    at.finish(outcome(room, 2), lambda: None)
  assert room.saved() == {2: 2.0}
  assert [row['step'] for row in room.rows()] == [2, 2]


def test_samples_that_cannot_be_drawn_cost_a_picture(room, monkeypatch):
  def fails(*args, **kwargs):
    raise RuntimeError('RESOURCE_EXHAUSTED: out of memory')

  at, checkpoints = room.open()
  monkeypatch.setattr(at._shown, 'samples', fails)
  with checkpoints, pytest.raises(score_failures.Failed, match='RESOURCE'):
    with at:
      at.tick(2)
      at.report(2, METRICS, room.state(2))
      at.save(2, room.state(2))
      at.finish(outcome(room, 2), lambda: None)
  assert room.saved() == {2: None}
  assert room.rows()[0]['step'] == 2  # its numbers are there


@pytest.mark.parametrize('step, ends', [(0, True), (2, False)])
def test_a_mistake_is_told_before_the_first_step(
  step, ends, room, monkeypatch, capsys
):
  def fails(*args):
    raise UserError('data.dir=x: 7.png cannot be read')

  at, checkpoints = room.open()
  monkeypatch.setattr(at._shown, 'real_picture', fails)
  with checkpoints, at:
    if step:
      at.tick(step)
    if ends:
      with pytest.raises(UserError, match='7.png'):
        at.first_pictures(room.state(0))
    else:
      at.first_pictures(room.state(0))
      assert '7.png cannot be read' in capsys.readouterr().out


def test_a_step_that_cannot_be_located_is_rolled_back_all_the_same(
  tmp_path, monkeypatch, capsys
):
  def fails(*args, **kwargs):
    raise RuntimeError('no memory for the replay')

  monkeypatch.setattr(rollback, '_find', fails)
  seen = rollback.loop.Diverged('between steps 2 and 4', good=2, step=4)
  start = rollback.Start(None, 0, False, [], None, ())
  policy = rollback.Policy(1, 0, 0)
  begun = rollback.go_back(
    seen, start, start, setup=None, program=None, workdir=tmp_path,
    policy=policy,
  )  # fmt: skip
  assert begun.rollbacks[0]['from'] == 4 and begun.step == 0
  assert 'no memory for the replay' in capsys.readouterr().out
  assert json.loads((tmp_path / rollback.FILE).read_text())
