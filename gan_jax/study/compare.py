"""Two finished runs, or studies, side by side in the report of a study."""

import os
import pathlib
from typing import NamedTuple

from gan_jax.game.health import diagnosis
from gan_jax.metrics import measures, records
from gan_jax.run.config import keys
from gan_jax.run.workdir import contents, record
from gan_jax.storage import files
from gan_jax.study import results
from gan_jax.study.report.contents import Cell, ReportContents
from gan_jax.study.statistics import analysis, summary
from gan_jax.study.statistics.types import Contrast
from gan_jax.types import UserError


class Side(NamedTuple):
  """One of the two."""

  folder: pathlib.Path
  metrics: tuple[str, ...]  # the tested one first
  cells: dict[str, list[dict]]  # name -> rows as in results.jsonl, by seed


def view(a, b) -> ReportContents:
  """What a report shows of two workdirs; differences are b - a, paired by seed.

  Raises:
    UserError: one of them is not a finished run or study, their protocols
      differ, or they have no metric, cell or seed in common.
  """
  sides = _open(a), _open(b)
  pairs = _pairs(*sides)
  metrics = [m for m in sides[0].metrics if m in sides[1].metrics]
  if not metrics:
    raise UserError(
      f'--compare: no metric in common: {", ".join(sides[0].metrics)} and'
      f' {", ".join(sides[1].metrics)}.'
    )
  cells, contrasts = {}, []
  for name, (left, right) in pairs.items():
    seeds = _common_seeds(name, left, right)
    names = [_title(side, name, sides) for side in sides]
    for side, own, rows in zip(sides, names, (left, right), strict=True):
      cells[own] = side, [r for r in rows if r['seed'] in seeds]
    _check_alike(sides, left, right, metrics)
    contrasts.append(
      Contrast(names[1], 'cell', {names[1]: 1.0, names[0]: -1.0})
    )
  return _view(sides, cells, contrasts, metrics)


def _open(path) -> Side:
  folder = pathlib.Path(path)
  rows = results.read(folder / results.RESULTS)
  if rows:
    metrics = files.read_json(folder / 'study.json').get('metrics')
    if not isinstance(metrics, list) or not all(
      isinstance(m, str) for m in metrics
    ):
      raise UserError(f'--compare: {folder}: study.json names no metrics.')
    cells = {}
    for row in rows:
      cells.setdefault(row['cell'], []).append(row)
    return Side(folder, tuple(metrics), cells)
  if not os.path.exists(folder / 'config.json'):
    raise UserError(f'--compare: {folder}: neither a run nor a study.')
  return _open_run(folder)


def _open_run(folder) -> Side:
  """A run as a study of one cell."""
  scored = [r for r in _records(folder) if r['value'] is not None]
  if not scored:
    raise UserError(
      f'--compare: {folder}: the run is not finished (no scores).'
    )
  config = contents.read_config(folder / 'config.json')
  curves = files.read_rows(folder / 'metrics.jsonl')
  last = max(r.get('step') or 0 for r in scored)
  at_the_end = [r for r in scored if (r.get('step') or 0) == last]
  rows = [
    {
      **_row(folder.name, config['seed'] + i, last, at_the_end),
      'health': diagnosis.diagnose(curves, i)._asdict(),
    }
    for i in range(config['num_seeds'])
  ]
  metrics = tuple(dict.fromkeys(r['metric'] for r in scored))
  return Side(folder, metrics, {folder.name: rows})


def _row(cell, seed, steps, scored):
  """A seed of a single run as results.jsonl has it, without its health."""
  return {
    'cell': cell,
    'overrides': {},
    'seed': seed,
    'status': 'finished',
    'reason': '',
    'steps': steps,
    'scores': {r['metric']: r['value'] for r in scored if r['seed'] == seed},
    'folder': '.',
  }


def _records(folder):
  return contents.read_records(folder / 'scores.json', '--compare: ')


def _pairs(a, b):
  """Rows of both sides by the cell's name; single cells always match."""
  if len(a.cells) == len(b.cells) == 1:
    ((name, left),), (right,) = a.cells.items(), b.cells.values()
    return {name: (left, right)}
  common = {n: (a.cells[n], b.cells[n]) for n in a.cells if n in b.cells}
  if not common:
    raise UserError(
      f'--compare: no cell in common: {", ".join(a.cells)} and'
      f' {", ".join(b.cells)}.'
    )
  return common


def _common_seeds(name, left, right):
  seeds = [sorted(row['seed'] for row in rows) for rows in (left, right)]
  common = set(seeds[0]) & set(seeds[1])
  if not common:
    raise UserError(
      f'--compare: {name}: no seed in common: {seeds[0]} and {seeds[1]}.'
    )
  return common


def _title(side, name, sides):
  """A name that distinguishes the two."""
  same = sides[0].folder.name == sides[1].folder.name
  own = str(side.folder) if same else side.folder.name
  alone = len(sides[0].cells) == len(sides[1].cells) == 1
  return own if alone else f'{own}: {name}'


def _check_alike(sides, left, right, metrics):
  """Refuses scores of different protocols, for every metric shown."""
  for metric in metrics:
    of = [
      [
        r
        for r in _records(side.folder / rows[0]['folder'])
        if r['metric'] == metric
      ]
      for side, rows in zip(sides, (left, right), strict=True)
    ]
    if all(of):
      records.check_alike(of[0][-1], of[1][-1])


def _view(sides, cells, contrasts, metrics) -> ReportContents:
  seeds = sorted({row['seed'] for _, rows in cells.values() for row in rows})
  baseline = next(iter(cells))
  return ReportContents(
    name='comparison',
    question=f'{sides[0].folder.name} or {sides[1].folder.name}?',
    base='',
    design='comparison',
    num_seeds=len(seeds),
    seed=seeds[0],
    overrides={},
    metric=metrics[0],
    also=tuple(metrics[1:]),
    cells=tuple(
      _cell(name, side, rows, baseline=cells[baseline])
      for name, (side, rows) in cells.items()
    ),
    analyses={
      m: _analyse(m, cells, contrasts if m == metrics[0] else [], seeds)
      for m in metrics
    },
    failures=tuple(
      summary.failures(name, [r['health']['verdict'] for r in rows])
      for name, (_, rows) in cells.items()
    ),
    notes=(),
    commands=(
      'python -m gan_jax.ablate --compare'
      f' {sides[0].folder} {sides[1].folder} --workdir=DIR',
    ),
    manifest=record.describe(),
    state='done',
  )


def _analyse(metric, cells, contrasts, seeds):
  values = {}
  for name, (_, rows) in cells.items():
    scores = {row['seed']: row['scores'].get(metric) for row in rows}
    values[name] = [scores.get(seed) for seed in seeds]
  return analysis.analyse(
    values,
    contrasts,
    metric=metric,
    lower_is_better=measures.is_lower_better(metric),
    baseline=next(iter(cells)),
  )


def _cell(name, side, rows, *, baseline) -> Cell:
  other_side, other_rows = baseline
  config = _config(side.folder / rows[0]['folder'])
  other = _config(other_side.folder / other_rows[0]['folder'])
  return Cell(
    name=name,
    differs={k: v for k, v in config.items() if other.get(k) != v},
    runs=rows,
    rows=results.curves(side.folder, rows),
    picture=results.last_picture(side.folder, rows),
  )


def _config(folder):
  return keys.flatten(files.read_json(folder / 'config.json'))
