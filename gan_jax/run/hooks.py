"""What the training loop calls when a report, a score or a save is due."""

import concurrent.futures
import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.data import kinds
from gan_jax.metrics import records
from gan_jax.report import lines, pictures
from gan_jax.report.reporter import Reporter
from gan_jax.run import scoring, signals
from gan_jax.run.loop import Outcome, Window
from gan_jax.run.save_retries import Deadline, retry
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.storage.checkpoints import Checkpoints

AHEAD = 2  # draws that wait for their scores, at most


class _Pending(NamedTuple):
  """Scores that are being computed beside the training."""

  step: int
  found: list  # (seed, Future of records) of every draw
  unsaved: list  # (state, window) of that step [0 or 1], if it is to be saved

  def done(self) -> bool:
    """Whether all of them are there."""
    return all(future.done() for _, future in self.found)


class Hooks:
  """Reports, scores and saves one run. A context manager.

  The samples of a score are drawn and looked at while the training waits; the
  score is computed from what was seen while it goes on, and told as soon as it
  is there, at the latest before anything else is written. A run that ends at a
  goal waits for its scores, or its end would depend on the machine's speed.

  A checkpoint is written while the training goes on; the next one waits for it.
  """

  def __init__(
    self,
    setup: Setup,
    config: dict,
    names: tuple[str, ...],
    workdir: pathlib.Path,
    checkpoints: Checkpoints,
    *,
    start: int,
    scored: list[dict],
    rollbacks: tuple[dict, ...] = (),
    progress=None,
  ):
    """Opens the reports.

    Args:
      setup: the networks and their data.
      config: of the run.
      names: of the metrics.
      workdir: of the run.
      checkpoints: of the run.
      start: step that the run goes on from.
      scored: the latest scores, of before.
      rollbacks: of the run so far, see rollback.
      progress: in place of the console's, see Reporter.
    """
    self._lab, self._config, self._names = setup, config, names
    self._kind = kinds.of(setup.dataset)
    self._workdir, self._checkpoints = workdir, checkpoints
    self._records, self._pending = scored, None
    self._rollbacks = rollbacks
    self._scored = scored[0]['step'] if scored else None
    self._owed = False  # whether a signal has ended the score of this step
    self._pool = concurrent.futures.ThreadPoolExecutor(1, 'scores')
    self._reporter = Reporter(
      workdir,
      steps=config['steps'],
      start=start,
      images_per_step=setup.batch_size * len(setup.keys),
      show=self._show,
      progress=progress,
    )
    self.say = self._reporter.say
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
      self._settle()  # or a checkpoint that waits for its score were lost
    finally:
      self._pool.shutdown(cancel_futures=True)
      self._reporter.__exit__(*error)

  # Pictures.

  def _show(self, samples):
    real = self._real() if self._kind.BACKDROP else None
    return self._kind.picture(samples, dataset=self._lab.dataset, real=real)

  def _real(self):
    return scoring.real_samples(self._lab, self._kind.SHOWN)

  def _samples(self, state):
    return scoring.show_samples(self._lab, state.ema, num=self._kind.SHOWN)

  def first_pictures(self, state):
    """Real samples, and those of a generator that has not learned yet."""
    self._reporter.real_picture(self._real())
    self._reporter.picture(0, self._samples(state))

  # What the loop calls.

  def tick(self, step: int):
    """After every call of the program.

    Raises:
      save_retries.Exhausted: saves have failed for too long.
    """
    self._reporter.tick(step)
    with self._deadline.tolerates():
      if self._checkpoints.poll():
        self._deadline.worked()
    if self._pending and self._pending.done():
      self._settle()

  def report(self, step: int, metrics: dict, state):
    """Metrics {name: [S]} and a picture of the step."""
    self._settle()
    self._reporter.report(step, metrics, self._samples(state))

  @functools.cached_property
  def _look(self) -> Callable:
    return scoring.make_look(
      self._lab,
      self._names,
      way=contents.way_of_scoring(self._config),
      say=self.say,
      rollbacks=len(self._rollbacks),
    )

  def score(self, step: int, state) -> bool:
    """Looks at samples of every seed; tells whether the goal is reached.

    A stop signal ends it; then the next checkpoint says that it is owed.
    """
    self._settle()
    try:
      with signals.interruptible():
        found = self._looks(step, state)
    except signals.Interrupted:
      self._owed = True
      return False
    self._pending, self._scored = _Pending(step, found, []), step
    self._owed = False
    goal = self._config['stop_when']
    if goal:
      self._settle()
    self._reporter.restart_clock(step)
    return scoring.goal_reached(self._records, goal) if goal else False

  def _looks(self, step, state):
    """(seed, Future of records) of every draw of every seed."""
    seeds = self._config['seed'] + np.arange(self._config['num_seeds'])
    found = []
    for seed, compute in self._look(step, state.ema, self._lab.keys, seeds):
      found.append((seed, self._pool.submit(compute)))
      if len(found) > AHEAD:  # what was seen of a seed may be large
        found[-1 - AHEAD][1].result()
    return found

  def save(self, step: int, state, window: Window | None = None):
    """Saves the state, with the score of this very step if there is one.

    A save that fails is reported, and the run goes on; see save_retries.

    Args:
      step: of the state.
      state: State [S, ...].
      window: what a report will be made of.

    Raises:
      save_retries.Exhausted: saves have failed for too long.
    """
    if self._pending and self._pending.step == step:
      # A copy, for the training goes on in the same memory.
      copy = jax.tree.map(lambda x: np.array(jax.device_get(x)), state)
      self._pending.unsaved[:] = [(copy, window)]
      return
    self._settle()
    self._save(step, state, window)

  def _save(self, step, state, window):
    # Only a score of this very step may rank this checkpoint.
    current = [r for r in self._records if r['step'] == step]
    metric = contents.ranking_metric(self._config, self._names)
    meta = {
      'config': self._config,
      'records': self._records,
      'window': window and window.as_json(),
      'rollbacks': list(self._rollbacks),
      'owed': self._owed,
    }
    score = scoring.mean_of(current, metric)
    self._wait()
    with self._deadline.tolerates():
      self._checkpoints.save(step, state, meta, score=score)

  def _wait(self):
    """Waits for the save in the background."""
    with self._deadline.tolerates():
      if self._checkpoints.wait():
        self._deadline.worked()

  def _settle(self):
    """Waits for scores that are being computed, and tells them."""
    if not self._pending:
      return
    step, found, unsaved = self._pending
    self._pending = None
    self._records = scoring.gather([(s, f.result()) for s, f in found])
    if self._records:  # or no seed makes finite samples
      self._reporter.scores(step, self._records)
    for state, window in unsaved:
      self._save(step, state, window)

  def finish(self, outcome: Outcome, stop_signal: Callable) -> list[dict]:
    """Last things of a run; returns its last scores.

    Raises:
      command.Stopped: it was told to stop.
      save_retries.Exhausted: the disk has not taken all of it for too long.
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
    state = outcome.state
    insist(
      lambda: save_neighbours(
        self._lab, self._config, state, self._workdir, say=self.say
      )
    )
    # What evaluate has added of other protocols stays.
    path = self._workdir / 'scores.json'
    before = contents.read_records(path)
    every = records.replace(before, self._records)
    insist(lambda: self._reporter.finish(every))
    if outcome.reason == 'goal':
      self.say(f'the goal is reached: {self._config["stop_when"]}')
    for line in lines.summary(self._records):
      self.say(line)
    rows = files.read_rows(self._workdir / 'metrics.jsonl')
    health = lines.health(rows, rollbacks=len(self._rollbacks))
    if health:
      self.say(f'health: {health}')
    self.say(f'open {self._workdir / "report.html"}')
    return self._records

  def _stop(self, step, signum):
    resume = self._deadline.resume_point(self._checkpoints.failed)
    self.say(f'stopped at step {step}; {resume}')
    raise signals.Stopped(signum)


def save_neighbours(
  setup: Setup, config: dict, state, workdir, *, say: Callable
):
  """Draws samples beside their nearest real ones, where that makes sense.

  Args:
    setup: the networks and their data.
    config: of the run.
    state: State [S, ...].
    workdir: of the run.
    say: told when something takes its time.
  """
  found = scoring.neighbours(
    setup, state.ema, way=contents.way_of_scoring(config), say=say
  )
  if found:
    path = pathlib.Path(workdir) / 'samples' / 'neighbours.png'
    pictures.save(path, kinds.of(setup.dataset).neighbours(*found))
