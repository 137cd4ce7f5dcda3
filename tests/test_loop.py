"""When the loop reports, scores, saves and stops."""

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import loop


class Fake:
  """A program whose state is the number of steps it has taken."""

  def __init__(self, *, max_steps=None, losses=(1.0,)):
    self.max_steps, self.losses = max_steps, np.array(losses)
    self.calls, self.log = [], []

  def put(self, state):
    return {'kept': state}

  def get(self, kept):
    return kept['kept']

  def zeros(self, kept, data):
    return {k: np.zeros(self.losses.shape) for k in ('d_loss', 'g_loss')}

  def advance(self, kept, total, data, n):
    assert data == f'data {kept["kept"]}'
    self.calls.append(n)
    for _ in range(n):
      kept = {'kept': kept['kept'] + 1}
      total = {k: v + kept['kept'] * self.losses for k, v in total.items()}
    return kept, total


def run(program, *, start=0, steps=10, every=(0, 0, 0), goal=(), stop_at=None):
  """Runs the loop; program.log is what was due, in order."""
  reached, log = [start], program.log
  return loop.run(
    program,
    start,
    lambda step: f'data {step}',
    start=start,
    steps=steps,
    cadence=loop.Cadence(*every),
    report=lambda step, metrics, state: log.append(
      ('report', step, state, metrics['d_loss'].tolist())
    ),
    score=lambda step, state: (
      log.append(('score', step, state)) or step in goal
    ),
    save=lambda step, state: log.append(('save', step, state)),
    tick=reached.append,
    stop_signal=lambda: 15 if reached[-1] == stop_at else None,
  )


def when(program, what):
  return [entry[1] for entry in program.log if entry[0] == what]


def test_everything_comes_when_it_is_due():
  program = Fake()
  outcome = run(program, steps=10, every=(2, 4, 3))
  assert outcome == loop.Outcome(10, 10, 'steps')
  assert when(program, 'report') == [2, 4, 6, 8, 10]
  assert when(program, 'score') == [4, 8, 10]
  assert when(program, 'save') == [3, 6, 9, 10]
  assert all(state == step for _, step, state, *_ in program.log)
  # The score of a step ranks its checkpoint, so it comes first.
  last = [entry[0] for entry in program.log if entry[1] == 10]
  assert last == ['report', 'score', 'save']


def test_only_at_the_end():
  program = Fake()
  run(program, steps=7)
  assert [entry[:2] for entry in program.log] == [
    ('report', 7), ('score', 7), ('save', 7),
  ]  # fmt: skip


def test_metrics_are_means_since_the_last_report():
  """The fake's loss of step k is k."""
  program = Fake(losses=(1.0, 10.0))
  run(program, start=4, steps=9, every=(2, 0, 0))
  means = {entry[1]: entry[3] for entry in program.log if len(entry) == 4}
  assert means == {6: [5.5, 55], 8: [7.5, 75], 9: [9, 90]}


def test_after_a_resume_the_cadence_is_that_of_the_whole_run():
  program = Fake()
  run(program, start=5, steps=12, every=(4, 0, 5))
  assert when(program, 'report') == [8, 12]
  assert when(program, 'save') == [10, 12]
  assert sum(program.calls) == 7


def test_the_goal_ends_the_run_with_a_checkpoint():
  program = Fake()
  outcome = run(program, every=(0, 2, 0), goal=(4,))
  assert outcome == loop.Outcome(4, 4, 'goal')
  assert when(program, 'score') == [2, 4] and when(program, 'save') == [4]
  # Reached at the last step: saved once.
  program = Fake()
  assert run(program, goal=(10,)).reason == 'goal'
  assert when(program, 'save') == [10]


def test_a_signal_ends_the_run_with_a_checkpoint():
  program = Fake(max_steps=1)
  outcome = run(program, every=(0, 0, 100), stop_at=6)
  assert outcome == loop.Outcome(6, 6, 'signal')
  assert when(program, 'save') == [6]
  assert not when(program, 'score') and not when(program, 'report')
  # At the last step it is too late: the run is done.
  program = Fake(max_steps=1)
  assert run(program, stop_at=10).reason == 'steps'
  assert when(program, 'save') == [10]
  # Before the first step: nothing is lost either.
  program = Fake()
  assert run(program, start=3, stop_at=3) == loop.Outcome(3, 3, 'signal')
  assert program.calls == []


def test_a_finished_run_takes_no_step():
  program = Fake()
  assert run(program, start=10, steps=10) == loop.Outcome(10, 10, 'steps')
  assert program.calls == [] and program.log == []


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_diverged_is_raised_before_anything_is_kept(bad):
  program = Fake(losses=(bad, bad))
  with pytest.raises(loop.Diverged, match='between steps 0 and 4.*d_loss'):
    run(program, every=(4, 4, 4))
  assert program.log == []


def test_one_seed_that_lives_is_enough():
  program = Fake(losses=(np.nan, 1.0))
  assert run(program, every=(4, 4, 4)).step == 10


class Clock:
  """Time that passes only when the program works."""

  def __init__(self, monkeypatch, *, seconds_per_step):
    self.now, self.pace = 0.0, seconds_per_step
    monkeypatch.setattr(loop.time, 'monotonic', lambda: self.now)

  def work(self, program):
    advance = program.advance

    def slow(kept, total, data, n):
      self.now += n * self.pace
      return advance(kept, total, data, n)

    program.advance = slow
    return program


@pytest.mark.parametrize('seconds_per_step', [1e-4, 0.01, 0.1, 3.0])
def test_a_call_takes_about_half_a_second(seconds_per_step, monkeypatch):
  clock = Clock(monkeypatch, seconds_per_step=seconds_per_step)
  program = clock.work(Fake())
  run(program, steps=200_000 if seconds_per_step < 0.01 else 300)
  calls = program.calls
  assert calls[0] == 1
  assert all(b <= 4 * a for a, b in zip(calls, calls[1:], strict=False))
  want = max(1, loop.CALL_SECONDS / seconds_per_step)
  assert abs(calls[-2] - want) <= 1


def test_calls_respect_what_is_due_and_what_a_program_takes(monkeypatch):
  clock = Clock(monkeypatch, seconds_per_step=1e-6)
  program = clock.work(Fake())
  run(program, steps=100, every=(10, 25, 0))
  assert when(program, 'report') == list(range(10, 101, 10))
  assert when(program, 'score') == [25, 50, 75, 100]
  assert max(program.calls) <= 10
  program = clock.work(Fake(max_steps=1))
  run(program, steps=20)
  assert program.calls == [1] * 20


def test_the_host_waits_for_what_it_has_queued(monkeypatch):
  """A program of single steps is waited for now and then, not at each one."""
  clock = Clock(monkeypatch, seconds_per_step=0.01)
  waits = []
  monkeypatch.setattr(loop.jax, 'block_until_ready', waits.append)
  run(clock.work(Fake(max_steps=1)), steps=500)  # 5 s
  assert 5 <= len(waits) <= 10
  assert jnp.size(waits[0]['d_loss']) == 1
