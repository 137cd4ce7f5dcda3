"""Trains a GAN, shows it, scores it; the same command goes on with it.

python -m gan_jax.train --config=configs/digits.py --workdir=runs/digits
"""

import pathlib

import jax

from gan_jax import command, loop, manifest, parallel, runs, scoring, select
from gan_jax import lab as lab_lib
from gan_jax.desk import Desk
from gan_jax.report import writers


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
  way = runs.way_of_scoring(config)
  names = scoring.metric_names(lab, config['metrics'], way=way)
  scoring.check_goal(config['stop_when'], names)
  runs.ranking_metric(config, names)
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
    with Desk(
      lab,
      config,
      names,
      workdir,
      checkpoints,
      start=start,
      scored=records,
    ) as desk:
      if start:
        desk.say(f'resumed {workdir} at step {start}')
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
        tick=desk.tick,
        stop_signal=stop_signal,
      )
      return desk.finish(outcome, stop_signal)


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
