"""A study file, read and checked: every cell is a config that can be trained.

A study is a Python file that imports nothing of the package; its get_study()
returns a plain dict, see KEYS.
"""

import importlib.util
import os
import pathlib
import sys
from typing import Any, NamedTuple

from gan_jax.devices import parallel
from gan_jax.run import scoring, unused_options
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import keys, recipe
from gan_jax.run.workdir import contents
from gan_jax.study import design as design_lib
from gan_jax.study import identity
from gan_jax.study.statistics import contrasts as contrasts_lib
from gan_jax.study.statistics.types import Contrast
from gan_jax.types import UserError

# The keys of a study, and what stands for the absent ones.
KEYS = {
  'question': '',  # in words; the report's heading
  'base': None,  # 'configs/NAME.py': the recipe that all cells share
  'overrides': {},  # config key -> value, in every cell
  'factors': {},  # config key -> tuple of values, or dict of them by name
  'design': 'grid',  # see design.cells
  'num_seeds': 8,
  'metric': '',  # that is tested; '': the first one of the kind of data
  'also': (),  # metrics that are shown
  'baseline': None,  # {config key: value} or a cell's name; None: the first
}
# What a cell may change: how its runs are trained. Runs that are scored in
# different ways have no place in one column.
VARIED = {*keys.TRAINING_KEYS, 'steps', 'stop_when'} - {'num_seeds'}


class Planned(NamedTuple):
  """A cell with its config."""

  name: str
  overrides: dict[str, Any]  # config key -> value: what makes it this cell
  levels: dict[str, str]  # factor -> name of its level
  config: dict  # resolved, of all its seeds
  identity: str  # see identity.of_cell
  setup: setup_lib.Setup

  def run(self, pair: int) -> str:
    """The identity of its run of a paired seed, 0 to num_seeds - 1."""
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
    """All that is measured."""
    return (self.metric, *self.also)


def load(path) -> Study:
  """Reads a study file, resolves and checks every cell of it.

  Raises:
    UserError: no such file, or whatever is wrong with it, in one line.
  """
  path = pathlib.Path(path)
  given = _read(path)
  make_importable(path)
  parallel.use_cores(given['num_seeds'])  # before JAX starts
  cells = design_lib.cells(given['design'], given['factors'])
  configs = [_configure(given, cell.name, cell.overrides) for cell in cells]
  setups = [_build(*pair) for pair in zip(cells, configs, strict=True)]
  metric, *also = _metrics(given, configs[0], setups[0])
  planned = tuple(
    Planned(
      *cell,
      {**config, 'metrics': (metric, *also)},
      identity.of_cell(config, setup.dataset.fingerprint),
      setup,
    )
    for cell, config, setup in zip(cells, configs, setups, strict=True)
  )
  _check_same_data(planned)
  if given['design'] == 'one_at_a_time':
    planned = _without_repeats(planned)
  baseline = _baseline(given, planned)
  return Study(
    name=path.resolve().parent.name,
    path=path,
    question=given['question'] or f'{path.parent.name}: does it matter?',
    base=given['base'],
    overrides=given['overrides'],
    design=given['design'] if isinstance(given['design'], str) else 'cells',
    num_seeds=given['num_seeds'],
    metric=metric,
    also=tuple(also),
    cells=planned,
    baseline=baseline,
    contrasts=_contrasts(given, planned, baseline),
  )


def make_importable(path):
  """Lets a study name components of its own folder: 'FOLDER.my_loss'."""
  folder = str(pathlib.Path(path).resolve().parents[1])
  if folder not in sys.path:
    sys.path.append(folder)


def _read(path) -> dict:
  if not os.path.isfile(path):
    studies = sorted(
      str(p) for p in pathlib.Path('experiments').glob('*/study.py')
    )
    here = ', '.join(studies) or 'none'
    raise UserError(f'--study={path}: no such file; here are {here}.')
  try:
    spec = importlib.util.spec_from_file_location('gan_jax_study', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    given = module.get_study()
  except KeyboardInterrupt:
    raise
  except BaseException as e:  # whatever the file does wrong, exit() too
    raise UserError(f'--study={path}: {type(e).__name__}: {e}') from e
  if not isinstance(given, dict):
    raise UserError(f'--study={path}: get_study() gave no dict, but {given!r}.')
  for key in given:
    recipe.check_known(KEYS, key, flag=f'--study={path}: {key}')
  return _checked({**KEYS, **given})


def _checked(given) -> dict:
  for key, kind, what in (
    ('question', str, 'a text'),
    ('base', str, "a config, like 'configs/ring8.py'"),
    ('overrides', dict, 'a dict of config keys'),
    ('factors', dict, 'a dict of config keys'),
    ('num_seeds', int, 'a whole number'),
    ('metric', str, 'the name of a metric'),
    ('also', (tuple, list), 'names of metrics'),
    (
      'baseline',
      (dict, str, type(None)),
      "a dict of config keys, or a cell's name",
    ),
  ):
    if not isinstance(given[key], kind) or isinstance(given[key], bool):
      raise UserError(f'study: {key}={given[key]!r}: expected {what}.')
  for key in ('overrides', 'factors', 'baseline'):
    names = given[key] if isinstance(given[key], dict) else ()
    _check_names(f'{key}: the key', names)
  _check_names('also: the metric', given['also'])
  if given['num_seeds'] < 1:
    raise UserError(
      f'study: num_seeds={given["num_seeds"]}: expected at least 1.'
    )
  if given['num_seeds'] == 1 and given['baseline'] is not None:
    raise UserError(
      'study: num_seeds=1, but a difference from the baseline cannot be tested'
      ' with one seed; expected 2 or more, or no baseline.'
    )
  return given


def _check_names(what, names):
  for name in names:
    if not isinstance(name, str) or not name:
      raise UserError(f'study: {what} {name!r}: expected a name.')


def _configure(given, name, overrides) -> dict:
  """The config of a cell, as plain values."""
  config = recipe.load(given['base'], flag='study: base')
  for key, value in given['overrides'].items():
    flag = f'study: overrides: {key}={value!r}'
    if key.split('.')[0] in ('num_seeds', 'metrics'):
      raise UserError(f'{flag}: it is a key of the study itself.')
    recipe.override(config, key, value, flag=flag)
  for key, value in overrides.items():
    flag = f'study: cell {name!r}: {key}={value!r}'
    recipe.check_known(config, key.split('.')[0], flag=flag)
    if key.split('.')[0] not in VARIED:
      raise UserError(f'{flag}: it does not change how a run is trained.')
    recipe.override(config, key, value, flag=flag)
  config.num_seeds = given['num_seeds']
  return config.to_dict()


def _build(cell, config):
  try:
    setup = setup_lib.build(config)
    unused_options.check_run(config)
    unused_options.check_training(config, setup)
    return setup
  except UserError as e:
    raise UserError(f'study: cell {cell.name!r}: {e}') from e


def _check_same_data(cells):
  """Scores against different real samples are not compared."""
  first = cells[0].setup.dataset
  for cell in cells:
    other = cell.setup.dataset
    if other.fingerprint != first.fingerprint:
      raise UserError(
        f'study: cells {cells[0].name!r} and {cell.name!r} have different data'
        f' ({first.name} and {other.name}): their scores cannot be compared;'
        ' make a study of each.'
      )


def _metrics(given, config, setup) -> tuple[str, ...]:
  """The names of what is measured, the tested one first."""
  way = contents.way_of_scoring(config)
  wanted = (
    (given['metric'], *given['also']) if given['metric'] else given['also']
  )
  names = scoring.metric_names(setup, wanted, way=way)
  if given['metric'] and given['metric'] not in names:
    raise UserError(
      f'study: metric={given["metric"]!r} gives several scores:'
      f' {", ".join(names)}; choose one.'
    )
  return names


def _without_repeats(cells):
  """Without levels that are the base's own values; the base comes first."""
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
    config = keys.flatten(_configure(given, 'baseline', wanted))
    ignored = {'metrics': ()}
    matching = [
      c for c in cells if keys.flatten(c.config) | ignored == config | ignored
    ]
  if not matching:
    there = ', '.join(cell.name for cell in cells)
    raise UserError(f'study: baseline={wanted!r} is no cell; cells: {there}.')
  return matching[0].name


def _contrasts(given, cells, baseline) -> tuple[Contrast, ...]:
  """All that is tested: each cell; in a grid also effects and interactions."""
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
