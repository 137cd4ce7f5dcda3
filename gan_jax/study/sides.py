"""Runs and studies that are to be compared: their rows, and their records."""

import os
import pathlib
from typing import NamedTuple

from gan_jax.game.health import diagnosis
from gan_jax.metrics import measures, records
from gan_jax.report import condensed
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.study import results
from gan_jax.types import UserError

# Looked at first where a config names no metric.
USUAL = ('modes', 'stacked_modes', 'fid', 'precision')


class Side(NamedTuple):
  """One of the two."""

  folder: pathlib.Path
  metric: str  # that its config asks about
  metrics: tuple[str, ...]  # all that there are
  cells: dict[str, list[dict]]  # name -> rows as in results.jsonl, by seed


def open_side(path) -> Side:
  """A run or a study to be compared.

  Raises:
    UserError: it is none, or not finished.
  """
  folder = pathlib.Path(path)
  rows = results.read(folder / results.RESULTS)
  if rows:
    metrics = files.read_json(folder / 'study.json').get('metrics')
    if not isinstance(metrics, list) or not all(
      isinstance(m, str) for m in [*metrics, *metrics[:1]]
    ):
      raise UserError(f'--compare: {folder}: study.json names no metrics.')
    cells = {}
    for row in rows:
      cells.setdefault(row['cell'], []).append(row)
    there = _names_of(
      [r for c in cells.values() for r in records_of(folder, c)]
    )
    there = tuple(dict.fromkeys([*metrics, *there]))
    return Side(folder, [*metrics, ''][0], there, cells)
  if not os.path.exists(folder / 'config.json'):
    raise UserError(f'--compare: {folder}: neither a run nor a study.')
  return _open_run(folder)


def _open_run(folder) -> Side:
  """A run as a study of one cell."""
  scored = records.known(_records(folder))
  if not scored:
    raise UserError(
      f'--compare: {folder}: the run is not finished (no scores).'
    )
  config = contents.read_config(folder / 'config.json')
  curves = condensed.of(folder).rows
  last = max(r.get('step') or 0 for r in scored)
  rows = [
    {
      'cell': folder.name,
      'overrides': {},
      'seed': config['seed'] + i,
      'status': 'finished',
      'reason': '',
      'steps': last,
      'scores': {},
      'folder': '.',
      'health': diagnosis.diagnose(curves, i)._asdict(),
    }
    for i in range(config['num_seeds'])
  ]
  names = _names_of(scored)
  return Side(folder, _asked(config, names), names, {folder.name: rows})


def _names_of(scored):
  return tuple(dict.fromkeys(r['metric'] for r in scored))


def _asked(config, there):
  """The metric that a run's config asks about, whatever order scores have."""
  goal = config['stop_when']
  named = [config['best_metric'], isinstance(goal, dict) and goal.get('metric')]
  for name in (*named, *config['metrics']):
    for output in measures.outputs(name) if name else ():
      if output in there:
        return output
  every = (name for metric in measures.METRICS for name in metric.outputs)
  return next(n for n in (*USUAL, *every, *sorted(there)) if n in there)


def records_by_cell(path) -> dict[str, list[dict]]:
  """The score records of a run, of a file, or of every cell of a study.

  Raises:
    UserError: there are none.
  """
  path = pathlib.Path(path)
  rows = results.read(path / results.RESULTS)
  if rows:
    cells = {}
    for row in rows:
      cells.setdefault(row['cell'], []).append(row)
    return {name: records_of(path, own) for name, own in cells.items()}
  path = path / 'scores.json' if os.path.isdir(path) else path
  if not os.path.exists(path):
    raise UserError(f'--compare: there is no {path}.')
  return {'': contents.read_records(path, '--compare: ')}


def records_of(folder, rows):
  """All records of the runs of a cell."""
  own = dict.fromkeys(row['folder'] for row in rows)
  return [r for one in own for r in _records(folder / one)]


def _records(folder):
  return contents.read_records(folder / 'scores.json', '--compare: ')


def pair_cells(a: dict, b: dict) -> dict:
  """{name: (a's, b's)} of the cells in common; single ones always match.

  Raises:
    UserError: none in common.
  """
  if len(a) == len(b) == 1:
    ((name, left),), (right,) = a.items(), b.values()
    return {name: (left, right)}
  common = {name: (a[name], b[name]) for name in a if name in b}
  if not common:
    raise UserError(
      f'--compare: no cell in common: {", ".join(a)} and {", ".join(b)}.'
    )
  return common
