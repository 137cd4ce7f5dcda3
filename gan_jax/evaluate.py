"""Scores a trained generator, or samples that any other program has made.

python -m gan_jax.evaluate --workdir=runs/digits --metrics=fid,prdc
python -m gan_jax.evaluate --samples=FOLDER --data=cifar10 --metrics=fid,kid
python -m gan_jax.evaluate --compare=runs/a,runs/b
"""

import os
import pathlib
import types

import numpy as np

from gan_jax import types as types_lib
from gan_jax.metrics import protocols, records
from gan_jax.report import console, lines, page
from gan_jax.run import command, external_samples, scoring
from gan_jax.run.hooks import save_neighbours
from gan_jax.run.recovery import rollback
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.types import UserError

FLAGS = {
  'workdir': '', 'samples': '', 'compare': '', 'data': '', 'data_dir': '',
  'statistics': '', 'out': '', 'metrics': '', 'protocol': '', 'features': '',
  'resize': '', 'weights': '', 'split': '', 'num': 0, 'draws': 1,
  'checkpoint': 'latest',
}  # fmt: skip
HOW = {'metrics', 'protocol', 'features', 'resize', 'weights', 'split'}
# What each kind of work takes.
WORK = {
  'workdir': HOW | {'checkpoint', 'num', 'draws', 'statistics'},
  'samples': HOW | {'data', 'data_dir', 'out'},
  'compare': set(),
}
FIXED = ('features', 'resize', 'split', 'num', 'statistics')  # by a protocol


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.evaluate --workdir=DIR [--checkpoint=latest]'
    ' [--num=0] [--draws=1] [--statistics=FILE.npz], or'
    ' --samples=FOLDER|FILE.npz --data=NAME|FOLDER|FILE.npz [--data_dir=DIR]'
    ' [--out=scores.json], or --compare=DIR,DIR',
    'how: [--metrics=fid,kid,prdc,is,...] [--features=classifier|inception|'
    'random_conv|pixels] [--resize=tf|clean] [--weights=FILE|download]'
    ' [--split=train|test], or all of these through'
    f' --protocol={"|".join(protocols.PROTOCOLS)}',
    '--checkpoint: latest, best, or a step; --num: samples per seed (0: as in'
    ' the run); --draws: how often to draw them, for the interval.',
  ]


def evaluate(
  workdir,
  *,
  metrics: tuple[str, ...] = (),
  which: str = 'latest',
  progress=None,
  **way,
) -> list[dict]:
  """Scores a run's moving average of G and keeps the records.

  Args:
    workdir: of the run, finished or still training.
    metrics: their names; () for those of the run.
    which: checkpoint: 'latest', 'best', or a step.
    progress: console.Counter that shows how far it is, or None.
    **way: fields of scoring.Way, in place of the run's own.

  Returns:
    the records, one for each metric and seed; scores.json holds them after
    those that it held of other protocols, and report.html shows them.

  Raises:
    UserError: no run, no checkpoint, a metric that is not possible, or a
      scores.json that holds something else.
  """
  config, setup, state, step = contents.open_run(workdir, which=which)
  kept = pathlib.Path(workdir) / 'scores.json'
  contents.read_records(
    kept
  )  # now: a damaged file must stop us before the work
  chosen = _chosen_way(contents.way_of_scoring(config), way)
  names = scoring.metric_names(
    setup, metrics or tuple(config['metrics']), way=chosen
  )
  progress = progress or console.Counter('samples', main=False)
  look = scoring.make_look(
    setup,
    names,
    way=chosen,
    say=progress.say,
    tick=progress.tick,
    rollbacks=rollback.count(workdir, step),
  )
  seeds = config['seed'] + np.arange(config['num_seeds'])
  made = scoring.gather(
    [
      (seed, compute())
      for seed, compute in look(step, state.ema, setup.keys, seeds)
    ]
  )
  progress.close()
  save_neighbours(setup, config, state, workdir, say=progress.say)
  _append(kept, made)
  page.write_page(workdir)
  return made


def _chosen_way(usual, given):
  given = {k: v for k, v in given.items() if v}
  if 'protocol' in given:
    return scoring.named_way(given['protocol'])._replace(**given)
  # Anything else that is given leaves the run's own protocol; not how often,
  # nor where the weights lie.
  left = {'protocol': ''} if set(given) - {'draws', 'weights'} else {}
  left |= {'resize': ''} if 'space' in given else {}  # it was of the other net
  return usual._replace(**{**left, **given})


def _append(path, made):
  files.write_json(path, records.join(contents.read_records(path), made))


def main(argv: list[str]):
  """The command."""
  flags = command.parse(argv, help_lines=help_lines, **FLAGS)
  work = _check(flags)
  if work == 'compare':
    for line in lines.comparison(*_compared(flags.compare)):
      print(line)
    return
  metrics = tuple(m.strip() for m in flags.metrics.split(',') if m.strip())
  way = {
    'space': flags.features,
    'resize': flags.resize,
    'weights': flags.weights,
    'split': flags.split,
    'statistics': flags.statistics,
    'protocol': flags.protocol,
  }
  with console.Counter('samples') as progress:
    if work == 'workdir':
      way |= {'num_samples': flags.num, 'draws': flags.draws}
      made = evaluate(
        flags.workdir,
        metrics=metrics,
        which=flags.checkpoint,
        progress=progress,
        **way,
      )
    else:
      made = external_samples.evaluate(
        flags.samples,
        flags.data,
        folder=flags.data_dir,
        metrics=metrics,
        way=_chosen_way(scoring.Way(), way),
        progress=progress,
      )
  if flags.out:
    _append(pathlib.Path(flags.out), made)
  for line in lines.summary(made):
    print(line)


def _check(flags: types.SimpleNamespace) -> str:
  """The kind of work; refuses flags that do not belong to it."""
  kinds = [kind for kind in WORK if getattr(flags, kind)]
  if len(kinds) != 1:
    raise UserError('expected one of --workdir, --samples, --compare.')
  takes = WORK[kinds[0]] | {kinds[0]}
  for name in FLAGS:
    if name not in takes and getattr(flags, name) != FLAGS[name]:
      raise UserError(f'--{name} does not go with --{kinds[0]}.')
  if not 0 <= flags.num < types_lib.MAX_SIZE:
    bound = 'at least 0' if flags.num < 0 else f'below {types_lib.MAX_SIZE:,}'
    raise UserError(f'--num={flags.num}: expected {bound}.')
  if flags.draws < 1:
    raise UserError(f'--draws={flags.draws}: expected at least 1.')
  for name in FIXED if flags.protocol else ():
    if getattr(flags, name):
      raise UserError(f'--{name} is fixed by --protocol={flags.protocol}.')
  if flags.statistics and flags.split:
    raise UserError('--split does not go with --statistics.')
  if flags.out:
    contents.check_out(pathlib.Path(flags.out))
    contents.read_records(pathlib.Path(flags.out), '--out=')
  if kinds[0] == 'samples' and not flags.data:
    raise UserError('--data is missing: what are the samples compared with?')
  return kinds[0]


def _compared(pair):
  paths = [p.strip() for p in pair.split(',')]
  if len(paths) != 2:
    raise UserError(f'--compare={pair}: expected two, A,B.')
  return paths, records.compare(*map(_scores_of, paths))


def _scores_of(path):
  path = pathlib.Path(path)
  path = path / 'scores.json' if os.path.isdir(path) else path
  if not os.path.exists(path):
    raise UserError(f'--compare: there is no {path}.')
  # What is no number has no place in a comparison.
  found = contents.read_records(path, '--compare: ')
  return [r for r in found if r['value'] is not None]


if __name__ == '__main__':
  command.run(main)
