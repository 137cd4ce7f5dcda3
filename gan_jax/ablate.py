"""An ablation: a question in, an answer with error bars out.

python -m gan_jax.ablate --study=experiments/NAME/study.py --workdir=DIR

The same command continues a study that was stopped, or that has been edited.
"""

import pathlib

from gan_jax import api, select
from gan_jax.run import command
from gan_jax.run.config import recipe
from gan_jax.run.workdir import contents
from gan_jax.study import compare as compare_lib
from gan_jax.study import worker
from gan_jax.study.ablation import Failed, ablate
from gan_jax.study.report import report
from gan_jax.study.report.contents import ReportContents
from gan_jax.types import UserError

FLAGS = {
  'study': '', 'workdir': '', 'engine': 'local', 'options': '', 'workers': 0,
  'memory_mb': 0, 'compare': '', 'metric': '',
}  # fmt: skip
COMPARING = {'compare', 'metric', 'workdir'}


def help_lines() -> list[str]:
  """What --help prints."""
  studies = sorted(
    str(p) for p in pathlib.Path('experiments').glob('*/study.py')
  )
  return [
    'usage: python -m gan_jax.ablate --study=experiments/NAME/study.py'
    f' --workdir=DIR [--engine={"|".join(select.available("study.engines"))}]'
    ' [--workers=0] [--options=NAME=VALUE,...] [--memory_mb=0], or'
    ' --compare A B [--metric=NAME] --workdir=DIR',
    f'studies: {" ".join(studies) or "none here"}',
    '--workers: jobs at a time (0: the engine chooses); --options: for the'
    ' engine; --memory_mb: limit for one job (0: all available memory).',
  ]


def closing(view: ReportContents, workdir) -> list[str]:
  """The verdicts in words, and where the report is."""
  tested = view.analyses[view.metric]
  lines = [f'{c.name}: {c.words}' for c in tested.comparisons]
  return [*lines, f'open {pathlib.Path(workdir) / "report.html"}']


def _options(text: str) -> dict:
  """{'name': value} of 'name=value,name=value'."""
  options = {}
  for part in filter(None, text.split(',')):
    name, equals, value = part.partition('=')
    if not equals:
      raise UserError(f'--options={text}: expected NAME=VALUE,NAME=VALUE.')
    options[name.strip()] = recipe.literal(value)
  return options


def compare(pair: str, workdir, *, metric: str = '') -> ReportContents:
  """Writes the report of two finished runs or studies into a folder.

  Args:
    pair: 'A,B', their workdirs.
    workdir: folder of the report.
    metric: that is tested; '' for the one that A's config asks about.

  Raises:
    UserError: see study.compare.
  """
  paths = command.two_paths(pair, 'compare', 'workdirs A B')
  view = compare_lib.view(*paths, metric=metric, workdir=workdir)
  contents.make_workdir(pathlib.Path(workdir))
  report.write(workdir, view)
  return view


def _check(flags):
  """Refuses flags that are missing, out of range or incompatible."""
  work = 'compare' if flags.compare else 'study'
  for name in (work, 'workdir'):
    if not getattr(flags, name):
      raise UserError(f'--{name} is missing; --help shows the usage.')
  for name in ('workers', 'memory_mb'):
    if getattr(flags, name) < 0:
      raise UserError(f'--{name}={getattr(flags, name)}: expected at least 0.')
  if flags.metric and not flags.compare:
    raise UserError('--metric: only with --compare; a study names its own.')
  for name in set(FLAGS) - COMPARING if flags.compare else ():
    if getattr(flags, name) != FLAGS[name]:
      raise UserError(f'--{name} cannot be used with --compare.')


def _work(flags) -> ReportContents:
  if flags.compare:
    return compare(flags.compare, flags.workdir, metric=flags.metric)
  return ablate(
    flags.study,
    flags.workdir,
    engine=flags.engine,
    options=_options(flags.options),
    workers=flags.workers,
    memory_mb=flags.memory_mb,
  )


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    command.pair(argv, 'compare'), help_lines=help_lines, **FLAGS
  )
  _check(flags)
  try:
    view = _work(flags)
  except Failed as e:
    raise SystemExit(f'error: {e}') from e
  except OSError as e:
    if not worker.is_disk_full(e):
      raise
    where = e.filename or flags.workdir
    raise SystemExit(
      f'error: the disk is full ({where}); free some space and rerun the same'
      ' command to continue.'
    ) from e
  for line in closing(view, flags.workdir):
    print(line)


command.make_callable(__name__, api.ablate)

if __name__ == '__main__':
  command.run(main)
