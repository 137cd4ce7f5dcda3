"""Scores a trained generator.

python -m gan_jax.evaluate --workdir=runs/digits --metrics=fid,precision
"""

import json
import pathlib

import numpy as np

from gan_jax import command, runs, scoring
from gan_jax.report import page, writers
from gan_jax.train import summary
from gan_jax.types import UserError


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.evaluate --workdir=DIR [--metrics=fid,coverage]'
    ' [--num=0] [--features=] [--checkpoint=latest]',
    'metrics: fid precision recall density coverage class_coverage modes'
    ' high_quality reverse_kl; default: those of the run.',
    '--num: samples of each seed (0: as in the run); --features: classifier or'
    ' pixels; --checkpoint: latest, best, or a step.',
  ]


def evaluate(
  workdir,
  *,
  metrics: tuple[str, ...] = (),
  num: int = 0,
  features: str = '',
  which: str = 'latest',
) -> list[dict]:
  """Scores a run's moving average of G and keeps the records.

  Args:
    workdir: of the run.
    metrics: their names; () for those of the run.
    num: samples of each seed; 0 for as many as in the run.
    features: 'classifier', 'pixels', or '' for the usual one.
    which: checkpoint: 'latest', 'best', or a step.

  Returns:
    the records, one for each metric and seed; scores.json holds them after
    those that it held of other protocols, and report.html shows them.

  Raises:
    UserError: no run, no checkpoint, or a metric that is not possible.
  """
  config, lab, state, step = runs.open_run(workdir, which=which)
  names = scoring.metric_names(lab, metrics or tuple(config['metrics']))
  score = scoring.make_scores(
    lab, names, num_samples=num or config['eval_samples'], space=features
  )
  seeds = config['seed'] + np.arange(config['num_seeds'])
  records = score(step, state.ema, lab.keys, seeds)
  _append(pathlib.Path(workdir), records)
  return records


def _append(workdir, records):
  """Records of the same protocol are replaced, all others stay."""
  path = workdir / 'scores.json'
  before = json.loads(path.read_text()) if path.exists() else []
  protocol = lambda r: {k: v for k, v in r.items() if k not in MEASURED}
  new = [protocol(r) for r in records]
  kept = [r for r in before if protocol(r) not in new]
  writers.write_json(path, kept + records)
  page.write_page(workdir)


MEASURED = ('value', 'class_shares')  # the rest of a record is its protocol


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    argv,
    help_lines=help_lines,
    workdir=None,
    metrics='',
    num=0,
    features='',
    checkpoint='latest',
  )
  metrics = tuple(m.strip() for m in flags.metrics.split(',') if m.strip())
  if flags.num < 0:
    raise UserError(f'--num={flags.num}: expected at least 0.')
  records = evaluate(
    flags.workdir,
    metrics=metrics,
    num=flags.num,
    features=flags.features,
    which=flags.checkpoint,
  )
  for line in summary(records):
    print(line)


if __name__ == '__main__':
  command.run(main)
