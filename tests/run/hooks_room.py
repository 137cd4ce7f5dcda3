"""A room for hooks: scores that are made up, and the workdir they write."""

import functools
import pathlib
import threading

import numpy as np

from gan_jax.run import command, loop, scoring
from gan_jax.run import hooks as hooks_lib
from gan_jax.run.workdir import contents
from gan_jax.storage import files, format

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ('modes', 'high_quality', 'reverse_kl')
START = hooks_lib.Begun(0, [])
SOON = 30  # seconds, after which a test gives up


def recipe(**overrides):
  return command.load_config(f'{ROOT}/configs/ring8.py:tiny', overrides)


class Room:
  """A hooks whose scores are made up, and the workdir that it writes."""

  def __init__(self, setup, workdir, monkeypatch, **config):
    self.setup, self.workdir = setup, workdir / 'run'
    self.config = recipe(metrics=NAMES) | config
    self.values = {}  # of all metrics by step, else the step itself
    self.seeds, self.progress = 1, None
    self.may_go, self.looks = threading.Event(), []
    self.may_go.set()
    self.fails = self.unready = None  # errors, of a score and of all
    monkeypatch.setattr(scoring, 'make_look', lambda *_, **__: self.look)
    contents.make_workdir(self.workdir)

  def look(self, step, variables, keys, seeds):
    self.looks.append(step)
    if self.unready:
      raise self.unready
    for seed in range(self.seeds):
      yield seed, functools.partial(self.compute, step, seed, self.may_go)

  def compute(self, step, seed, gate):
    assert gate.wait(SOON)
    if self.fails:
      raise self.fails
    value = self.values.get(step, float(step))
    return [
      {'metric': name, 'value': value, 'step': step, 'seed': seed, 'n_fake': 9}
      for name in NAMES
    ]

  def open(self):
    """(hooks, checkpoints), to be closed in that order."""
    checkpoints = contents.open_checkpoints(self.workdir, self.config, NAMES)
    found = hooks_lib.Hooks(
      self.setup, self.config, NAMES, self.workdir, checkpoints,
      begun=START, progress=self.progress,
    )  # fmt: skip
    return found, checkpoints

  def state(self, step):
    """A state that tells its step."""
    state = self.setup.init()
    return state._replace(step=state.step * 0 + step)

  def rows(self):
    return files.read_rows(self.workdir / 'metrics.jsonl')

  def scored(self):
    """Steps of the rows that hold scores, in the order of the file."""
    return [row['step'] for row in self.rows() if 'modes' in row]

  def saved(self):
    """{step: score in its note} of what is on disk."""
    folders = (self.workdir / 'checkpoints').glob('[0-9]*')
    notes = [format.read_note(path) for path in folders]
    return {note['step']: note['score'] for note in notes}


METRICS = {name: np.ones(1) for name in ('d_loss', 'g_loss')}


def outcome(room, step, reason='steps'):
  return loop.Outcome(room.state(step), step, reason)
