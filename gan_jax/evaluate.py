"""Scores a trained generator, or samples that any other program has made.

python -m gan_jax.evaluate --workdir=runs/digits --metrics=fid,prdc
python -m gan_jax.evaluate --samples=FOLDER --data=cifar10 --metrics=fid,kid
python -m gan_jax.evaluate --compare=runs/a,runs/b
"""

import pathlib
import types

from gan_jax import api
from gan_jax import types as types_lib
from gan_jax.metrics import metric_options, protocols, records
from gan_jax.report import console, lines
from gan_jax.run import (
  command,
  evaluation,
  examples,
  external_samples,
  labels,
  scoring,
)
from gan_jax.run.evaluation import evaluate
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.workdir import contents
from gan_jax.study import sides as sides_lib
from gan_jax.types import UserError

FLAGS = {
  'workdir': '', 'samples': {}, 'compare': '', 'metric': '', 'data': {},
  'data_dir': '',
  'statistics': '', 'out': '', 'metrics': '', 'protocol': '', 'features': '',
  'resize': '', 'weights': '', 'split': '', 'num': 0, 'draws': 1,
  'checkpoint': 'latest', 'labels': '', 'metric_options': {},
  'standing_stats': 0, **way_lib.FLAGS,
}  # fmt: skip
HOW = {
  'metrics', 'metric_options', 'protocol', 'features', 'resize', 'weights',
  'split',
}  # fmt: skip
# The flags that each kind of work takes.
WORK = {
  'workdir': HOW
  | {'checkpoint', 'num', 'draws', 'labels', 'statistics', 'data', 'data_dir'}
  | {'standing_stats', *way_lib.FLAGS},
  'samples': HOW | {'data', 'data_dir', 'out'},
  'compare': {'metric'},
}
FIXED = ('features', 'resize', 'split', 'num', 'statistics')  # by a protocol


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.evaluate --workdir=DIR [--checkpoint=latest]'
    ' [--num=0] [--draws=1] [--statistics=FILE.npz] [--data.dir=DIR, if its'
    ' data have moved], or'
    ' --samples=FOLDER|FILE.npz --data=NAME|FOLDER|FILE.npz [--data_dir=DIR]'
    ' [--data.image_size=N] [--data.OPTION=VALUE] [--samples.OPTION=VALUE]'
    ' [--out=scores.json], or --compare DIR DIR [--metric=NAME]',
    'how: [--metrics=fid,kid,prdc,is,...] [--features=classifier|inception|'
    'random_conv|pixels] [--resize=tf|clean] [--weights=FILE|download]'
    ' [--split=train|test] [--metric_options.prdc.k=5], or all through'
    f' --protocol={"|".join(protocols.PROTOCOLS)}',
    '--checkpoint: latest, best, or a step; --num: samples per seed (0: as in'
    ' the run); --draws: how often to draw them, for the interval;'
    ' --labels: of which classes (data: as the data have them, or balanced);'
    ' --standing_stats=N: batch norms of G by the statistics of N batches'
    ' (0: as in the run). How samples are drawn, each another protocol:'
    f' {way_lib.HELP}.',
  ]


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    command.pair(argv, 'compare'), help_lines=help_lines, **FLAGS
  )
  work = _check(flags)
  if work == 'compare':
    for line in _compared(flags):
      print(line)
    return
  with console.Counter('samples') as progress:
    made = _scored(flags, work, progress)
  if flags.out:
    evaluation.append(pathlib.Path(flags.out), made)
  for line in lines.summary(made):
    print(line)
  there = {r['metric'] for r in records.known(made)}
  missing = [r['metric'] for r in made if r['metric'] not in there]
  if missing:
    raise UserError(f'no score: {", ".join(dict.fromkeys(missing))}.')


def _scored(flags, work, progress):
  """The records of a run, or of samples."""
  metrics = tuple(m.strip() for m in flags.metrics.split(',') if m.strip())
  options = _nested(flags.metric_options)
  chosen = metric_options.pairs(options)
  if unused := metric_options.unused(options, metrics):
    raise UserError(
      f'--metric_options.{unused} does nothing for'
      f' --metrics={",".join(metrics)}.'
    )
  given = {
    'space': flags.features,
    'resize': flags.resize,
    'weights': flags.weights,
    'split': flags.split,
    'statistics': flags.statistics,
    'protocol': flags.protocol,
    'options': chosen,
  }
  if work == 'workdir':
    return evaluate(
      flags.workdir,
      metrics=metrics,
      which=flags.checkpoint,
      places=_data_options(flags),
      progress=progress,
      num_samples=flags.num,
      draws=flags.draws,
      labels=flags.labels,
      standing_stats=flags.standing_stats,
      way=way_lib.of_flags(flags),
      **given,
    )
  return external_samples.evaluate(
    flags.samples.pop(''),
    flags.data.pop(''),
    data_options=_data_options(flags),
    samples_options=flags.samples,
    metrics=metrics,
    protocol=evaluation.chosen_protocol(scoring.EvalProtocol(), given),
    progress=progress,
  )


def _data_options(flags):
  """--data_dir is a name of its own for --data.dir."""
  return flags.data | ({'dir': flags.data_dir} if flags.data_dir else {})


def _nested(options):
  """{'prdc': {'k': 3}} of {'prdc.k': 3}."""
  groups = {}
  for key, value in options.items():
    name, dot, option = key.rpartition('.')
    if not dot:
      raise UserError(
        f'--metric_options.{key}={value}: expected'
        ' --metric_options.METRIC.OPTION=VALUE, such as prdc.k=3.'
      )
    groups.setdefault(name, {})[option] = value
  return groups


def _check(flags: types.SimpleNamespace) -> str:
  """What to do, one of WORK; refuses flags that do not go with it."""
  given = [work for work in WORK if getattr(flags, work)]
  if len(given) != 1:
    raise UserError('expected one of --workdir, --samples, --compare.')
  (work,) = given
  takes = WORK[work] | {work}
  for name in FLAGS:
    if name not in takes and getattr(flags, name) != FLAGS[name]:
      raise UserError(f'--{name} does not go with --{work}.')
  if work == 'workdir':
    examples.places_given(flags.data)
  _check_values(flags)
  if flags.out:
    contents.check_out(pathlib.Path(flags.out))
    contents.read_records(pathlib.Path(flags.out), '--out=')
  if work == 'samples' and not flags.samples.get(''):
    raise UserError('--samples is missing: a folder, an .npz, or a .txt.')
  if work == 'samples' and not flags.data.get(''):
    raise UserError('--data is missing: what are the samples compared with?')
  return work


def _check_values(flags):
  """Refuses values out of range, and what a named protocol fixes."""
  if not 0 <= flags.num < types_lib.MAX_SIZE:
    bound = 'at least 0' if flags.num < 0 else f'below {types_lib.MAX_SIZE:,}'
    raise UserError(f'--num={flags.num}: expected {bound}.')
  if flags.standing_stats < 0:
    raise UserError(
      f'--standing_stats={flags.standing_stats}: expected at least 0.'
    )
  if flags.draws < 1:
    raise UserError(f'--draws={flags.draws}: expected at least 1.')
  labels.check(flags.labels)
  way_lib.of_flags(flags)
  for name in FIXED if flags.protocol else ():
    if getattr(flags, name):
      raise UserError(f'--{name} is fixed by --protocol={flags.protocol}.')
  if flags.statistics and flags.split:
    raise UserError('--split does not go with --statistics.')


def _compared(flags):
  """Lines about two runs, files of scores, or studies cell by cell."""
  paths = command.two_paths(flags.compare, 'compare')
  sides = map(sides_lib.records_by_cell, paths)
  pairs = sides_lib.pair_cells(*sides)
  text = []
  for cell, two in pairs.items():
    of = f': {cell}' if len(pairs) > 1 else ''
    names = [f'{path}{of}' for path in paths]
    rows = records.compare(*two, metric=flags.metric)
    text += lines.comparison(names, rows)
  return text


command.make_callable(__name__, api.evaluate)

if __name__ == '__main__':
  command.run(main)
