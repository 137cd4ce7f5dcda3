"""A study's rows and the wording of its numbers, for every format."""

import math
import statistics
from typing import NamedTuple

from gan_jax.metrics import measures
from gan_jax.report import tables, text
from gan_jax.study.report.contents import Cell, ReportContents
from gan_jax.study.statistics.types import Comparison, Failures, Spread

DASH = '–'
CONFIDENCE = '95 %'  # of all intervals
VERDICTS = ('better', 'no difference', 'cannot tell', 'worse')  # best first
PLACES = 6  # after the point, at most
COLOURS = DASHES = 11  # of the lines, see study.css; colour 0 is the baseline's


class Row(NamedTuple):
  """A cell with its statistics."""

  index: int
  cell: Cell
  key: str  # classes of its colour and dashes
  is_baseline: bool
  spreads: dict[str, Spread]  # by metric
  failures: Failures | None
  comparison: Comparison | None


def rows(view: ReportContents) -> list[Row]:
  """The cells of a study, in order."""
  spreads = {
    m: {spread.name: spread for spread in one.cells}
    for m, one in view.analyses.items()
  }
  compared = {c.name: c for c in comparisons(view) if c.kind == 'cell'}
  failures = {one.name: one for one in view.failures}
  keys = _keys(view)
  return [
    Row(
      index=index,
      cell=cell,
      key=keys[index],
      is_baseline=cell.name == baseline(view),
      spreads={
        m: own[cell.name] for m, own in spreads.items() if cell.name in own
      },
      failures=failures.get(cell.name),
      comparison=compared.get(cell.name),
    )
    for index, cell in enumerate(view.cells)
  ]


def _keys(view):
  """Ink for the baseline, then colours; equal colours differ in dashes."""
  keys, k = [], 0
  for cell in view.cells:
    if cell.name == baseline(view):
      keys.append('s0 d0')
      continue
    keys.append(f's{k % COLOURS + 1} d{(k + k // COLOURS) % DASHES}')
    k += 1
  return keys


def metrics(view: ReportContents) -> tuple[str, ...]:
  """All metrics, the tested one first."""
  return (view.metric, *view.also)


def comparisons(view: ReportContents) -> tuple[Comparison, ...]:
  """Of the tested metric."""
  tested = view.analyses.get(view.metric)
  return tested.comparisons if tested else ()


def baseline(view: ReportContents) -> str:
  """Name of the cell that the others are compared with; '' if there is none."""
  tested = view.analyses.get(view.metric)
  return tested.baseline if tested else ''


def is_lower_better(view: ReportContents, metric: str) -> bool:
  """Whether lower is better, by the analysis or, without one, the metric."""
  tested = view.analyses.get(metric)
  return tested.lower_is_better if tested else measures.is_lower_better(metric)


def best(view: ReportContents, metric: str) -> set[str]:
  """Names of the cells with the best mean."""
  means = {
    row.cell.name: real(row.spreads[metric].mean)
    for row in rows(view)
    if metric in row.spreads
  }
  known = [value for value in means.values() if value is not None]
  if not known:
    return set()
  top = min(known) if is_lower_better(view, metric) else max(known)
  return {name for name, value in means.items() if value == top}


def real(value) -> float | None:
  """A finite number as it is; None for everything else."""
  number = isinstance(value, (int, float)) and not isinstance(value, bool)
  return value if number and math.isfinite(value) else None


def pair(interval) -> tuple[float, float] | None:
  """An interval with two finite ends; None for everything else."""
  ends = tuple(map(real, interval or ()))
  return ends if len(ends) == 2 and None not in ends else None


def score(row: Row, metric: str, name: str) -> float | None:
  """Mean, median or IQM of a cell, None if it has none."""
  return real(getattr(row.spreads.get(metric), name, None))


def interval(row: Row, metric: str) -> tuple[float, float] | None:
  """Of the mean of a cell."""
  return pair(getattr(row.spreads.get(metric), 'interval', None))


def answer(row: Row, name: str) -> float | None:
  """A number of a cell's comparison, None if it has none."""
  return real(getattr(row.comparison, name, None))


def places_of(rows: list[Row], metric: str) -> int:
  """Digits after the point of a metric's means."""
  return places(
    [score(row, metric, 'mean') for row in rows],
    [interval(row, metric) for row in rows],
  )


def places_of_differences(compared) -> int:
  """Digits after the point of the differences of some comparisons."""
  compared = [one for one in compared if one]
  return places(
    [one.difference for one in compared],
    [pair(one.interval) for one in compared],
  )


def places(values, intervals=()) -> int:
  """Digits after the point: two of the median interval's half width.

  More would mean nothing. Without intervals, four digits of the numbers.
  """
  halves = [(ends[1] - ends[0]) / 2 for ends in intervals if ends]
  halves = [half for half in halves if half > 0]
  sizes = halves or [abs(v) for v in values if real(v)]
  if not sizes:
    return 0
  magnitude = math.floor(math.log10(statistics.median_low(sizes)))
  return min(max((1 if halves else 3) - magnitude, 0), PLACES)


def fixed(value, digits: int, *, sign: str = '') -> str:
  """A number with some digits after the point; a dash if it is not a number.

  Args:
    value: any.
    digits: after the point.
    sign: '+' to write it before positive numbers.
  """
  value = real(value)
  if value is None:
    return DASH
  shown = f'{value:{sign},.{digits}f}'
  hides = value and not float(shown.replace(',', ''))
  return f'{value:{sign}.1e}' if hides or abs(value) >= 1e9 else shown


def span(interval, digits: int, *, sign: str = '') -> str:
  """'0.8 to 1.7'; '' without an interval."""
  ends = pair(interval)
  if not ends:
    return ''
  return ' to '.join(fixed(end, digits, sign=sign) for end in ends)


def p_value(p) -> str:
  """Three digits after the point; '< 0.001' where these would be zeros."""
  p = real(p)
  if p is None:
    return DASH
  return '< 0.001' if p < 0.001 else f'{p:.3f}'


def percent(rate: float) -> str:
  """A rate in per cent: .0625 is 6 %."""
  return f'{100 * rate:.0f} %'


def failed(failures: Failures | None) -> str:
  """'2 of 16'; a dash where no run has ended."""
  if failures is None or not failures.of:
    return DASH
  return f'{failures.count} of {failures.of}'


def setting(value) -> str:
  """A setting in words: {'r1': {'gamma': 0.1}} is 'r1 gamma=0.1'."""
  if value is None or value in ('', {}, (), []):
    return 'none'
  if not isinstance(value, dict):
    return tables.inline(value)
  parts = []
  for key, one in value.items():
    nested = isinstance(one, dict)
    inner = f' {setting(one)}' if one else ''
    parts.append(f'{key}{inner}' if nested else f'{key}={setting(one)}')
  return ', '.join(parts)


def seeds(view: ReportContents) -> str:
  """'16 seeds, 0 to 15'."""
  if view.num_seeds == 1:
    return f'1 seed, {view.seed}'
  last = view.seed + view.num_seeds - 1
  return f'{view.num_seeds} seeds, {view.seed} to {last}'


def contrast(view: ReportContents) -> str:
  """What is subtracted from what."""
  if view.design == 'comparison' and len(view.cells) > 2:
    return 'second minus first, cell by cell'
  return f'cell minus {baseline(view)}'


def is_done(view: ReportContents) -> bool:
  """Whether all runs have ended."""
  return view.state == 'done'


def _spreads(view):
  tested = view.analyses.get(view.metric)
  return tested.cells if tested else ()


def protocol(view: ReportContents) -> list[str]:
  """Sentences that explain the table."""
  better = 'lower' if is_lower_better(view, view.metric) else 'higher'
  sentences = [
    f'{text.title(view.metric)} ({view.metric}), {better} is better:'
    f' mean over {seeds(view)}, with {CONFIDENCE} interval.'
  ]
  sentences += ['IQM: mean of the middle half of the runs.']
  if any(None in spread.values for spread in _spreads(view)):
    sentences.append('Runs without a score are left out of the means.')
  sentences.append(
    'Failures: runs that diverged, exploded, missed the data or collapsed.'
  )
  count = len(comparisons(view))
  if count:
    sentences.append(
      f'Differences are paired by seed ({contrast(view)}); exact paired'
      f' permutation test, p corrected by Holm over {count}'
      f' comparison{"s" if count > 1 else ""}; effect: difference in standard'
      ' deviations of the differences (Hedges). Intervals are not corrected.'
    )
  if not is_done(view):
    sentences.append(f'Not complete: {view.state}.')
  return sentences
