"""A stop signal does not wait for a score, and no score is lost by it."""

import os
import signal
import threading
import time

import pytest

from gan_jax.run import command, scoring, signals, training
from gan_jax.run.workdir import contents
from gan_jax.storage.checkpoints import Checkpoints
from tests.run.test_resume import assert_same, reported

CHANGES = {
  'steps': 12,
  'report_every': 4,
  'save_every': 4,
  'eval_every': 6,
  'eval_samples': 64,
}


def config(**changes):
  return command.load_config('configs/ring8.py:tiny', CHANGES | changes)


def slow(make_look, at, signum=signal.SIGTERM):
  """Looks for ever at the samples of a step, in which a signal comes."""

  def make(*args, **kwargs):
    look = make_look(*args, **kwargs)

    def wait(step, *rest):
      if step == at:
        threading.Timer(0.2, os.kill, (os.getpid(), signum)).start()
        time.sleep(600)
      return look(step, *rest)

    return wait

  return make


def stop_in_score(workdir, at, monkeypatch, **changes):
  """Trains until a signal comes in the score of a step."""
  with monkeypatch.context() as patch:
    patch.setattr(scoring, 'make_look', slow(scoring.make_look, at))
    begin = time.monotonic()
    with pytest.raises(signals.Stopped):
      training.train(config(**changes), workdir)
  assert time.monotonic() - begin < 300


@pytest.mark.parametrize('at', [12, 6])
def test_an_interrupted_score_is_owed(at, tmp_path, monkeypatch, capsys):
  """In mid-run and at the end: all is as if nothing had come."""
  stop_in_score(tmp_path / 'a', at, monkeypatch)
  assert f'stopped at step {at}' in capsys.readouterr().out
  assert contents.open_run(tmp_path / 'a')[3] == at
  training.train(config(), tmp_path / 'a')
  training.train(config(), tmp_path / 'b')
  assert_same(tmp_path / 'a', tmp_path / 'b', 12)
  assert sum('modes' in row for row in reported(tmp_path / 'a')) == 2


def test_a_goal_that_was_owed_ends_the_run(tmp_path, monkeypatch):
  goal = {'metric': 'modes', 'below': 9.0}
  stop_in_score(tmp_path, 6, monkeypatch, stop_when=goal)
  training.train(config(stop_when=goal), tmp_path)
  assert Checkpoints(tmp_path / 'checkpoints').latest_step() == 6


def test_only_in_its_block_a_signal_raises():
  with signals.catch_signals() as told:
    os.kill(os.getpid(), signal.SIGTERM)
    assert told() == signal.SIGTERM
    with pytest.raises(signals.Interrupted), signals.interruptible():
      raise AssertionError('never got here')
  with signals.catch_signals() as told:
    with pytest.raises(signals.Interrupted), signals.interruptible():
      os.kill(os.getpid(), signal.SIGUSR1)
      time.sleep(10)
    assert told() == signal.SIGUSR1
