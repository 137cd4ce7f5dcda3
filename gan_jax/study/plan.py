"""Plans a study: every cell is resolved to a config that can be trained."""

import pathlib
import sys
from typing import Any, NamedTuple

from gan_jax.devices import parallel
from gan_jax.run import (
  compatibility,
  examples,
  score_trial,
  scoring,
  unused_options,
)
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import changes, keys, recipe
from gan_jax.run.workdir import contents
from gan_jax.storage import paths
from gan_jax.study import design as design_lib
from gan_jax.study import identity, study_file
from gan_jax.study.statistics import contrasts as contrasts_lib
from gan_jax.study.statistics.types import Contrast
from gan_jax.types import UserError

# What a cell may change: how its runs are trained. Runs that are scored
# differently do not belong in one column.
VARIED = {*keys.that_decide(keys.TRAINING), 'steps', 'stop_when'} - {
  'num_seeds'
}


class Planned(NamedTuple):
  """A cell with its config."""

  name: str
  overrides: dict[str, Any]  # config key -> value: what makes it this cell
  levels: dict[str, str]  # factor -> name of its level
  config: dict  # resolved, of all its seeds
  identity: str  # see identity.of_cell
  setup: setup_lib.Setup
  left_out: tuple[str, ...] = ()  # see changes.override

  def run(self, pair: int) -> str:
    """The identity of its run with a paired seed, 0 to num_seeds - 1."""
    return identity.of_run(self.identity, self.config['seed'] + pair)


class Study(NamedTuple):
  """A question, and the runs that answer it."""

  name: str  # of the folder that the file lies in
  path: pathlib.Path
  question: str
  base: str
  overrides: dict
  design: str  # in a word
  num_seeds: int
  metric: str
  also: tuple[str, ...]
  cells: tuple[Planned, ...]
  baseline: str  # name of the cell; '' where nothing is tested
  contrasts: tuple[Contrast, ...]

  @property
  def metrics(self) -> tuple[str, ...]:
    """All metrics, the tested one first."""
    return (self.metric, *self.also)


def load(path) -> Study:
  """Reads a study file, resolves and checks every cell of it.

  Raises:
    UserError: no such file, or anything wrong with it, in one line.
  """
  given = _read(path)
  path = given['path']
  parallel.use_cores(given['num_seeds'])  # before JAX starts
  planned = _planned(given)
  baseline = _baseline(given, planned)
  return Study(
    name=path.resolve().parent.name,
    path=path,
    question=given['question'] or f'{path.parent.name}: does it matter?',
    base=given['base'],
    overrides=given['overrides'],
    design=given['design'] if isinstance(given['design'], str) else 'cells',
    num_seeds=given['num_seeds'],
    metric=planned[0].config['metrics'][0],
    also=planned[0].config['metrics'][1:],
    cells=planned,
    baseline=baseline,
    contrasts=_contrasts(given, planned, baseline),
  )


def configs(path) -> dict[str, dict]:
  """The config of each cell of a study file, whose data need not be there.

  Levels equal to another cell's own values appear once.

  Raises:
    UserError: no such file, or a key or value that is not known.
  """
  given = _read(path)
  made, seen = {}, set()
  for cell in design_lib.cells(given['design'], given['factors']):
    config, _ = _configure(given, cell.name, cell.overrides)
    own = identity.of_cell(config, '')
    if own not in seen:
      made[cell.name] = config
    seen.add(own)
  return made


def _read(path) -> dict:
  """What a study file says, with its path and the recipe of its base."""
  path = paths.expand(path)
  given = study_file.read(path) | {'path': path}
  make_importable(path)
  base = study_file.base_of(given['base'], path)
  return given | {'recipe': recipe.load(base, flag='study: base')}


def _planned(given) -> tuple[Planned, ...]:
  """The cells of a study, each built and checked, without repeated ones."""
  cells = design_lib.cells(given['design'], given['factors'])
  made = [_configure(given, cell.name, cell.overrides) for cell in cells]
  configs = [config for config, _ in made]
  load = _once(examples.load)
  setups = [
    _build(cell, config, load)
    for cell, config in zip(cells, configs, strict=True)
  ]
  metrics = _metrics(given, configs[0], setups[0])
  planned = tuple(
    Planned(
      *cell,
      {**config, 'metrics': metrics},
      identity.of_cell(config, setup.dataset.fingerprint),
      setup,
      tuple(lines),
    )
    for cell, (config, lines), setup in zip(cells, made, setups, strict=True)
  )
  _check_same_data(planned)
  if given['design'] == 'one_at_a_time':
    planned = _without_repeats(planned)
  return planned


def make_importable(path):
  """Lets a study name components of its own folder: 'FOLDER.my_loss'."""
  folder = str(pathlib.Path(path).resolve().parents[1])
  if folder not in sys.path:
    sys.path.append(folder)


def _configure(given, name, overrides) -> tuple[dict, list[str]]:
  """The config of a cell, as plain values; lines on what was left out."""
  config = given['recipe'].copy_and_resolve_references()

  def base_flag(key, value):
    flag = f'study: overrides: {key}={value!r}'
    if key.split('.')[0] in ('num_seeds', 'metrics'):
      raise UserError(f'{flag}: set this key in the study itself.')
    return flag

  def cell_flag(key, value):
    flag = f'study: cell {name!r}: {key}={value!r}'
    recipe.check_known(config, key.split('.')[0], flag=flag)
    if key.split('.')[0] not in VARIED:
      raise UserError(f'{flag}: it does not change how a run is trained.')
    return flag

  # A level that names another component leaves out what this one lacks, of the
  # study's overrides too.
  lines = []
  stages = (given['overrides'], base_flag), (overrides, cell_flag)
  for values, flag in stages:
    lines += changes.override(config, values.items(), flag=flag)()
  config.num_seeds = given['num_seeds']
  return study_file.with_places(config.to_dict(), given['path']), lines


def _once(load):
  """The same, which keeps what it loads: the cells of a study share data."""
  known = {}

  def loaded(options):
    key = repr(sorted(options.items()))
    if key not in known:
      known[key] = load(options)
    return known[key]

  return loaded


def _build(cell, config, load):
  try:
    setup = setup_lib.build(config, opened=load)
    unused_options.check_run(config)
    unused_options.check_training(config, setup)
    compatibility.check(setup.clashes, force=config['force'])
    return setup
  except UserError as e:
    raise UserError(f'study: cell {cell.name!r}: {e}') from e


def _check_same_data(cells):
  """Refuses cells whose scores are against different real samples."""
  first = cells[0].setup.dataset
  for cell in cells:
    other = cell.setup.dataset
    if other.fingerprint != first.fingerprint:
      raise UserError(
        f'study: cells {cells[0].name!r} and {cell.name!r} have different data'
        f' ({first.name} and {other.name}): their scores cannot be compared;'
        ' make a study for each.'
      )


def _metrics(given, config, setup) -> tuple[str, ...]:
  """The names of what is measured, the tested one first."""
  protocol = contents.eval_protocol(config)
  wanted = (
    (given['metric'], *given['also']) if given['metric'] else given['also']
  )
  names = scoring.metric_names(setup, wanted, protocol=protocol)
  score_trial.check_numbers(
    setup, names, protocol=protocol, flag='study: eval_samples'
  )
  if given['metric'] and given['metric'] not in names:
    raise UserError(
      f'study: metric={given["metric"]!r} gives several scores:'
      f' {", ".join(names)}; choose one.'
    )
  return names


def _without_repeats(cells):
  """Drops levels equal to the base's own values; the base comes first."""
  by_run = {}
  for cell in cells:
    by_run.setdefault(cell.run(0), cell)
  return tuple(by_run.values())


def _baseline(given, cells) -> str:
  """The name of the cell that all others are compared with, '' if none."""
  wanted = given['baseline']
  if wanted is None:
    return cells[0].name if given['num_seeds'] > 1 and len(cells) > 1 else ''
  if isinstance(wanted, str):
    matching = [cell for cell in cells if cell.name == wanted]
  else:
    config = keys.flatten(_configure(given, 'baseline', wanted)[0])
    ignored = {'metrics': ()}
    matching = [
      c for c in cells if keys.flatten(c.config) | ignored == config | ignored
    ]
  if not matching:
    there = ', '.join(cell.name for cell in cells)
    raise UserError(
      f'study: baseline={wanted!r} is not a cell; cells: {there}.'
    )
  return matching[0].name


def _contrasts(given, cells, baseline) -> tuple[Contrast, ...]:
  """What is tested: each cell; in a grid also effects and interactions."""
  if not baseline:
    return ()
  contrasts = contrasts_lib.against(baseline, [cell.name for cell in cells])
  levels = {cell.name: cell.levels for cell in cells}
  if given['design'] == 'grid' and len(given['factors']) > 1:
    there = {
      key: tuple(dict.fromkeys(at[key] for at in levels.values()))
      for key in given['factors']
    }
    contrasts += contrasts_lib.main_effects(there, levels, levels[baseline])
    contrasts += contrasts_lib.interactions(there, levels, levels[baseline])
  return tuple(contrasts)
