"""What the training loop calls when a report, a score or a save is due."""

import contextlib
import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan_jax.metrics import records
from gan_jax.report import condensed, lines
from gan_jax.report.reporter import Reporter
from gan_jax.run import autotune, goals, neighbours, rebuilt, signals
from gan_jax.run.background_scores import BackgroundScores
from gan_jax.run.loop import Outcome, Window
from gan_jax.run.save_retries import Deadline, retry
from gan_jax.run.score_failures import ScoreFailures
from gan_jax.run.setup import Setup
from gan_jax.run.shown import Shown
from gan_jax.run.workdir import contents
from gan_jax.storage.checkpoints import Checkpoints


class Begun(NamedTuple):
  """Where a run starts or continues."""

  step: int
  records: list[dict]  # the latest scores
  rollbacks: tuple[dict, ...] = ()  # so far, see rollback


class Hooks:
  """Reports, scores and saves one run. A context manager.

  Training waits only while the samples of a score are drawn. The score itself
  is computed in the background and reported as soon as it is known, at the
  latest before anything else is written. A run with a goal (stop_when) waits
  for its scores; otherwise its last step would depend on the machine's speed.

  Checkpoints are written in the background; each waits for the one before.
  """

  def __init__(
    self,
    setup: Setup,
    config: dict,
    names: tuple[str, ...],
    workdir: pathlib.Path,
    checkpoints: Checkpoints,
    *,
    begun: Begun,
    progress=None,
  ):
    """Opens the reports.

    Args:
      setup: the networks and their data.
      config: of the run.
      names: of the metrics.
      workdir: of the run.
      checkpoints: of the run.
      begun: where the run starts or continues.
      progress: replaces the console's progress bar, see Reporter.
    """
    self._setup, self._config, self._names = setup, config, names
    self._shown = Shown(setup)
    self._workdir, self._checkpoints = workdir, checkpoints
    self._records, self._rollbacks = begun.records, begun.rollbacks
    self._scored = begun.records[0]['step'] if begun.records else None
    self._owed = False  # whether a signal interrupted the score of this step
    self._failures = ScoreFailures(workdir, lambda line: self.say(line))
    self._reporter = Reporter(
      workdir,
      steps=config['steps'],
      start=begun.step,
      samples_per_step=setup.batch_size * len(setup.keys),
      show=self._shown.picture,
      more=self._shown.more,
      failed=functools.partial(self._failures.note, lacks='no report'),
      progress=progress,
    )
    self.say = self._reporter.say
    self._scores = BackgroundScores(
      setup,
      names,
      seeds=config['seed'] + np.arange(config['num_seeds']),
      protocol=contents.eval_protocol(config),
      rollbacks=len(begun.rollbacks),
      say=self.say,
      refused=self._failures.note,
    )
    checkpoints.report_to(self.say)
    self._deadline = Deadline(
      config['save_patience_minutes'],
      newest=checkpoints.latest_step,
      say=self.say,
    )

  def __enter__(self):
    self._reporter.__enter__()
    return self

  def __exit__(self, *error):
    try:
      self._settle()  # a checkpoint may be waiting for its score
    finally:
      self._scores.close()
      self._reporter.__exit__(*error)

  # Pictures.

  def first_pictures(self, state):
    """Pictures of real samples and of the untrained generator's samples."""
    self._reporter.real_picture(self._shown.real_picture)
    self._reporter.picture(0, lambda: self._shown.samples(state.ema))

  # What the loop calls.

  def compiles(self):
    """To be called before the first call of the program, which compiles it."""
    self._reporter.compiles()

  def tick(self, step: int):
    """To be called after every call of the program.

    Raises:
      save_retries.Exhausted: saves have failed for too long.
    """
    self._reporter.tick(step)
    with self._deadline.tolerates():
      if self._checkpoints.poll():
        self._deadline.worked()
    if self._scores.done():
      self._settle()

  def report(self, step: int, metrics: dict, state):
    """Reports metrics {name: [S]}, with a picture of the step."""
    self._settle()
    draw = functools.partial(self._shown.samples, state.ema)
    self._reporter.report(step, metrics, draw)

  def score(self, step: int, state) -> bool:
    """Starts scoring every seed; returns whether the goal is reached.

    If a stop signal interrupts it, the next checkpoint records that the score
    of this step is owed.
    """
    self._settle()
    try:
      with signals.interruptible(), self._reporter.waits_for('scoring'):
        self._scores.start(step, state)
    except signals.Interrupted:
      self._owed = True
      return False
    self._scored, self._owed = step, False
    goal = self._config['stop_when']
    if goal:
      self._settle()
    self._reporter.restart_clock(step)
    return goals.reached(self._records, goal) if goal else False

  def save(self, step: int, state, window: Window | None = None):
    """Saves the state, with the score of the same step if there is one.

    A failed save is reported and the run continues; see save_retries.

    Args:
      step: of the state.
      state: State [S, ...].
      window: sums of metrics since the last report, for a resumed run.

    Raises:
      save_retries.Exhausted: saves have failed for too long.
    """
    if self._scores.pending(step):
      self._scores.hold(state, window)
    else:
      self._settle()
      self._save(step, state, window)

  def _save(self, step, state, window):
    # Only a score of the same step may rank this checkpoint.
    current = [r for r in self._records if r['step'] == step]
    metric = contents.ranking_metric(self._config, self._names)
    meta = {
      'config': self._config,
      'records': self._records,
      'window': window and window.as_json(),
      'rollbacks': list(self._rollbacks),
      'owed': self._owed,
    }
    score = goals.mean_of(current, metric)
    self._wait()
    with self._deadline.tolerates():
      with contextlib.suppress(OSError):  # that also stops the checkpoint
        autotune.keep(self._workdir)
      self._checkpoints.save(step, state, meta, score=score)

  def _wait(self):
    """Waits for the save in the background."""
    with self._deadline.tolerates():
      if self._checkpoints.wait():
        self._deadline.worked()

  def _settle(self):
    """Waits for the scores in the background; reports and saves them."""
    with self._reporter.waits_for('scoring'):
      scores = self._scores.collect()
    if scores is None:
      return
    self._records = scores.records
    if scores.records:  # none if all failed
      self._reporter.scores(scores.step, scores.records)
    if scores.save:
      self._save(scores.step, *scores.save)

  def finish(self, outcome: Outcome, stop_signal: Callable) -> list[dict]:
    """Completes the last save, score and reports; returns the last scores.

    Args:
      outcome: of the training.
      stop_signal: () -> number of the signal that was received, or None.

    Raises:
      signals.Stopped: a stop signal was received.
      save_retries.Exhausted: writes have failed for too long.
      score_failures.Failed: all is written, but scores failed unexpectedly.
    """
    self._settle()
    self._wait()
    if outcome.reason == 'signal' or self._owed:
      self._stop(outcome.step, stop_signal())
    insist = functools.partial(retry, deadline=self._deadline)
    again = self._checkpoints.save_again
    insist(lambda: again(outcome.step, outcome.state))
    if self._scored != outcome.step:
      self.score(outcome.step, outcome.state)
      self._settle()
    if self._owed:
      self._stop(outcome.step, stop_signal())
    self._write_last(outcome, insist)
    try:
      self._summarise(outcome)
    except Exception as error:
      self._failures.note(outcome.step, 'summary', error, lacks='no report')
    self._failures.check()
    return self._records

  def _write_last(self, outcome, insist):
    """Writes pictures, scores.json and the page."""
    setup, state, where = self._setup, outcome.state, self._workdir
    near = lambda: neighbours.save(
      setup, self._config, state, where, say=self.say
    )
    pictures = {
      'neighbours': near,
      'what is rebuilt': lambda: rebuilt.save(setup, state, where),
    }
    for name, save in pictures.items():
      try:
        insist(save)
      except OSError:  # a disk that refuses
        raise
      except Exception as error:  # of a feature net: costs only the picture
        self._failures.note(outcome.step, f'picture of {name}', error)
    # Keeps the records of other protocols, which `evaluate` has added.
    before = contents.read_records(self._workdir / 'scores.json')
    merged = records.replace(before, self._records)
    insist(lambda: self._reporter.finish(merged))

  def _summarise(self, outcome):
    """The last lines on the console."""
    goal = self._config['stop_when']
    if goals.reached(self._records, goal):
      self.say(f'goal reached: {goals.words(self._records, goal)}')
    for line in lines.summary(self._records):
      self.say(line)
    rows = condensed.of(self._workdir).rows
    health = lines.health(rows, rollbacks=len(self._rollbacks))
    if health:
      self.say(f'health: {health}')
    self.say(f'open {self._workdir / "report.html"}')

  def _stop(self, step, signum):
    resume = self._deadline.resume_point(self._checkpoints.failed)
    self.say(f'stopped at step {step}; {resume}')
    raise signals.Stopped(signum)
