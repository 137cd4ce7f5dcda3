"""Two finished runs, or studies, side by side in the report of a study."""

import shlex

from gan_jax.metrics import measures, records
from gan_jax.report import protocols
from gan_jax.run.config import keys
from gan_jax.run.workdir import record
from gan_jax.storage import files
from gan_jax.study import results
from gan_jax.study import sides as sides_lib
from gan_jax.study.report.contents import Cell, ReportContents
from gan_jax.study.statistics import analysis, summary
from gan_jax.study.statistics.types import Contrast
from gan_jax.types import UserError


def view(a, b, *, metric: str = '', workdir='DIR') -> ReportContents:
  """What a report shows of two workdirs; differences are b - a, paired by seed.

  Scores of one protocol are compared, where there are several: the one that
  the runs were scored by while they were trained, if both have it.

  Args:
    a: workdir of a run or study.
    b: workdir of the other.
    metric: that is tested; '' for the one that a's config asks about.
    workdir: folder of the report, for the command that repeats it.

  Raises:
    UserError: one of them is not a finished run or study, their protocols
      differ, or they have no metric, cell or seed in common.
  """
  sides = sides_lib.open_side(a), sides_lib.open_side(b)
  pairs = sides_lib.pair_cells(*(side.cells for side in sides))
  metrics = _metrics(sides, metric)
  common = {name: _common_seeds(name, *two) for name, two in pairs.items()}
  metrics, notes = _rescored(sides, pairs, metrics)
  cells, contrasts = {}, []
  for name, two in pairs.items():
    names = [_title(side, name, sides) for side in sides]
    for side, own, rows in zip(sides, names, two, strict=True):
      cells[own] = side, [r for r in rows if r['seed'] in common[name]]
    contrasts.append(
      Contrast(names[1], 'cell', {names[1]: 1.0, names[0]: -1.0})
    )
  again = _command(sides, metric, workdir)
  return _view(sides, cells, contrasts, metrics, notes, again)


def _command(sides, metric, workdir):
  """What makes the same report once more, in a shell."""
  flags = [str(side.folder) for side in sides]
  flags += [f'--metric={metric}'] if metric else []
  words = ['--compare', *flags, f'--workdir={workdir}']
  return f'python -m gan_jax.ablate {shlex.join(words)}'


def _metrics(sides, wanted):
  """The metrics in common, the tested one first."""
  a, b = sides
  common = [m for m in a.metrics if m in b.metrics]
  if not common or (wanted and wanted not in common):
    flag = f'--metric={wanted}: not ' if wanted else '--compare: no metric '
    raise UserError(
      f'{flag}in common: {", ".join(a.metrics)} and {", ".join(b.metrics)}.'
    )
  asked = [m for m in (wanted, a.metric, b.metric) if m in common]
  return list(dict.fromkeys([*asked[:1], *common]))


def _rescored(sides, pairs, metrics):
  """Sets the scores of all rows, of one protocol in each metric.

  Returns:
    (metrics that can be compared, notes on protocols).
  """
  values, notes = {}, {}
  for metric in metrics:
    try:
      values[metric] = {
        name: _values(sides, two, metric, notes) for name, two in pairs.items()
      }
    except UserError as error:
      if metric == metrics[0]:
        raise
      notes[metric] = str(error)
  for name, two in pairs.items():
    for k, rows in enumerate(two):
      for row in rows:
        scores = {m: values[m][name][k].get(row['seed']) for m in values}
        row['scores'] = scores
  return [m for m in metrics if m in values], tuple(notes.values())


def _values(sides, two, metric, notes):
  """{seed: value} of a cell on both sides, by a protocol that both have."""
  both = [
    [
      r
      for r in records.known(sides_lib.records_of(side.folder, rows))
      if r['metric'] == metric
    ]
    for side, rows in zip(sides, two, strict=True)
  ]
  if not all(both):  # only the results of a study are left
    return [{r['seed']: r['scores'].get(metric) for r in rows} for rows in two]
  common = records.alike(*both)
  hashes = {records.protocol_hash(x[0]): (x, y) for x, y in common}
  own = [
    protocols.latest(side.folder / rows[0]['folder'], metric)
    for side, rows in zip(sides, two, strict=True)
  ]
  chosen = next(h for h in (*own, *sorted(hashes)) if h in hashes)
  if len(hashes) > 1:
    brief = records.words(hashes[chosen][0][0])
    notes[metric] = f'{metric}: scores of the protocol {brief}'
  return [{r['seed']: r['value'] for r in side} for side in hashes[chosen]]


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


def _view(sides, cells, contrasts, metrics, notes, again) -> ReportContents:
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
    notes=notes,
    commands=(again,),
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
