"""Trains a GAN, shows it, scores it; the same command goes on with it.

python -m gan_jax.train --config=configs/digits.py --workdir=runs/digits
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import jax
import numpy as np

from gan_jax import command, loop, manifest, parallel, runs, scoring, select
from gan_jax import lab as lab_lib
from gan_jax.checkpoint import Checkpoints
from gan_jax.report import pictures, writers
from gan_jax.report.reporter import Reporter

SHOWN = {'image': 100, 'point': 2500}  # samples in a picture, by kind


def help_lines() -> list[str]:
  """What --help prints."""
  recipes = {p.stem for p in pathlib.Path('configs').glob('*.py')}
  configs = sorted(recipes - {'__init__', 'common'})
  return [
    'usage: python -m gan_jax.train --config=configs/NAME.py[:tiny]'
    ' --workdir=DIR [--config.loss.name=lsgan] [--config.KEY=VALUE ...]',
    f'configs: {" ".join(configs)}',
    f'losses: {" ".join(select.available("losses"))}; penalties:'
    f' {" ".join(select.available("penalties"))}; models:'
    f' {" ".join(select.available("models"))}',
  ]


def train(config: dict, workdir) -> list[dict]:
  """Trains until config.steps or config.stop_when, from where it stopped.

  Args:
    config: all keys of lab.KEYS.
    workdir: folder of the run; made, or resumed if it holds one.

  Returns:
    the last score records.

  Raises:
    UserError: a mistake in the config, or a workdir that holds another run;
      nothing is written then.
    command.Stopped: told to stop, after one more checkpoint.
  """
  workdir = pathlib.Path(workdir)
  parallel.use_cores(config.get('num_seeds', 1))

  # Resolve and check everything before anything is written.
  lab = lab_lib.build(config)
  names = scoring.metric_names(lab, config['metrics'])
  scoring.check_goal(config['stop_when'], names)
  program = lab_lib.make_program(lab, wrapper=config['parallel'])
  runs.check_same_training(workdir, config)
  runs.make_workdir(workdir)

  with (
    command.catch_signals() as stop_signal,
    runs.open_checkpoints(workdir, config, names) as checkpoints,
  ):
    state, start, records = _start(lab, checkpoints)
    writers.write_json(workdir / 'config.json', config)
    writers.write_json(workdir / 'manifest.json', _manifest(lab, program))
    desk = _Desk(lab, config, names, workdir, checkpoints, records)
    with desk.open(start) as reporter:
      if start:
        reporter.say(f'resumed {workdir} at step {start}')
      else:
        desk.first_pictures(state)
      outcome = loop.run(
        program,
        state,
        lab_lib.make_data(lab, program, step=start),
        start=start,
        steps=config['steps'],
        cadence=loop.Cadence(
          config['report_every'], config['eval_every'], config['save_every']
        ),
        report=desk.report,
        score=desk.score,
        save=desk.save,
        tick=reporter.tick,
        stop_signal=stop_signal,
      )
      return desk.finish(outcome, stop_signal)


@dataclasses.dataclass
class _Desk:
  """What the loop calls when something is due."""

  lab: lab_lib.Lab
  config: dict
  names: tuple[str, ...]
  workdir: pathlib.Path
  checkpoints: Checkpoints
  records: list[dict]  # the latest scores
  reporter: Reporter | None = None

  def open(self, start: int) -> Reporter:
    self.reporter = Reporter(
      self.workdir,
      steps=self.config['steps'],
      start=start,
      images_per_step=self.lab.batch_size * len(self.lab.keys),
      show=self._show,
    )
    return self.reporter

  @functools.cached_property
  def _scores(self) -> Callable:
    return scoring.make_scores(
      self.lab,
      self.names,
      num_samples=self.config['eval_samples'],
      say=self.reporter.say,
    )

  def _show(self, samples):
    dataset = self.lab.dataset
    real = _real(self.lab) if dataset.kind == 'point' else None
    return pictures.picture(
      dataset.kind, samples, modes=dataset.modes, real=real
    )

  def _samples(self, state):
    num = SHOWN[self.lab.dataset.kind]
    return scoring.show_samples(self.lab, state.ema, num=num)

  def first_pictures(self, state):
    pictures.save(
      self.workdir / 'samples' / 'real.png', self._show(_real(self.lab))
    )
    self.reporter.picture(0, self._samples(state))

  def report(self, step, metrics, state):
    self.reporter.report(step, metrics, self._samples(state))

  def score(self, step, state) -> bool:
    seeds = self.config['seed'] + np.arange(self.config['num_seeds'])
    self.records = self._scores(step, state.ema, self.lab.keys, seeds)
    self.reporter.scores(step, self.records)
    return scoring.goal_reached(self.records, self.config['stop_when'])

  def save(self, step, state):
    # Only a score of this very step may rank this checkpoint.
    current = [r for r in self.records if r['step'] == step]
    metric = runs.ranking_metric(self.config, self.names)
    self.checkpoints.save(
      step,
      state,
      {'config': self.config, 'records': self.records},
      score=scoring.mean_of(current, metric),
    )

  def finish(self, outcome, stop_signal) -> list[dict]:
    self.checkpoints.wait()
    say = self.reporter.say
    if outcome.reason == 'signal':
      say(f'stopped at step {outcome.step}; the same command goes on from here')
      raise command.Stopped(stop_signal())
    if not self.records or self.records[0]['step'] != outcome.step:
      self.score(outcome.step, outcome.state)
    self.reporter.finish(self.records)
    if outcome.reason == 'goal':
      say(f'the goal is reached: {self.config["stop_when"]}')
    for line in summary(self.records):
      say(line)
    say(f'open {self.workdir / "report.html"}')
    return self.records


def summary(records: list[dict]) -> list[str]:
  """One line for each metric: its mean, and its range over the seeds."""
  lines = []
  for metric in dict.fromkeys(r['metric'] for r in records):
    values = [r['value'] for r in records if r['metric'] == metric]
    first = next(r for r in records if r['metric'] == metric)
    spread = f' ({min(values):.4g} to {max(values):.4g}, {len(values)} seeds)'
    where = f'{first["features"]}, {first["n_fake"]} samples'
    lines.append(
      f'{metric} {np.mean(values):.4g}'
      f'{spread if len(values) > 1 else ""} [{where}]'
    )
  return lines


def _real(lab):
  return scoring.real_samples(lab, SHOWN[lab.dataset.kind])


def _start(lab, checkpoints):
  """(state, step, records) of the newest checkpoint, or of a fresh start."""
  restored = checkpoints.restore(jax.eval_shape(lab.init))
  if restored is None:
    return lab.init(), 0, []
  return restored.state, restored.step, restored.meta['records']


def _manifest(lab, program):
  return manifest.describe(
    data_fingerprint=lab.dataset.fingerprint,
    layout=program.layout._asdict(),
  )


def main(argv: list[str]):
  """The command."""
  flags = command.parse(argv, help_lines=help_lines, config=None, workdir=None)
  try:
    train(flags.config.to_dict(), flags.workdir)
  except loop.Diverged as e:
    raise SystemExit(f'error: diverged {e}') from e


if __name__ == '__main__':
  command.run(main)
