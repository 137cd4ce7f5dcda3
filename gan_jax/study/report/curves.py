"""Learning curves: a chart for each metric with a line for each cell."""

import functools
import html
import json
import math
from typing import NamedTuple

from gan_jax.report import charts, document, glossary, text
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

FRAME = charts.Frame(440, 250, 46, 26, 12, 26)
LOSSES = {
  'd_loss': 'Loss of the discriminator',
  'g_loss': 'Loss of the generator',
}
HEALTH = 'health_'  # prefix of measurements of the game itself
HIDDEN = ('step', 'health_probes')  # counts rather than measurements
FEWEST = 5  # seeds for an interval; the band of fewer is their range
MOST, LEAST = 160, 24  # points of a line
POINTS = 30_000  # of all lines of a page: about 2 MB
LABELS = 20  # lines whose ends are numbered, at most
APART = 10  # of two numbers, in units of the drawing


class Curve(NamedTuple):
  """A cell's line, and the number of seeds behind each of its points."""

  row: figures.Row
  line: charts.Line
  seeds: dict[int, int]  # by step


def section(view: ReportContents, rows: list[figures.Row]) -> str:
  """The <section> with all charts; '' if nothing has been reported."""
  content = _all_charts(view, rows)
  if not content:
    return ''
  lead = f'<p class="lead">{html.escape(_lead(view))}</p>'
  key = ''.join(
    f'<span{marks.owner(row)}>{marks.tag(row)}</span>' for row in rows
  )
  paper = f'<p class="paper key">{key}</p>'
  return document.section('Curves', lead + paper + content, name='curves')


def _all_charts(view, rows):
  """Scores and losses first, the others folded."""
  known = names(rows)
  count = POINTS // max(1, len(known) * len(rows))
  count = min(max(count, LEAST), MOST)
  draw = lambda own: _charts(view, rows, own, count)
  main = [n for n in (*_scores(view), *LOSSES) if n in known]
  health = [n for n in known if n.startswith(HEALTH)]
  rest = [n for n in known if n not in {*main, *health}]
  return (
    draw(main)
    + _folded('Health of the game', draw(health))
    + _folded('More measurements', draw(rest))
  )


def band(values, *, interval: bool) -> tuple[float, float] | None:
  """The interval of the mean of some seeds, or their range.

  Args:
    values: [n] finite, one per seed.
    interval: 95 % by Student's t, or the range.

  Returns:
    (low, high), None of a single value.
  """
  if len(values) < 2:
    return None
  if not interval:
    return min(values), max(values)
  n = len(values)
  mean = math.fsum(values) / n
  variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
  half = _quantile(n - 1) * math.sqrt(variance / n)
  return mean - half, mean + half


@functools.cache
def _quantile(freedom):
  from scipy import special

  return float(special.stdtrit(freedom, 0.975))


def _lead(view):
  kind = '95 % interval of the mean (t)'
  if view.num_seeds < FEWEST:
    kind = 'range of the seeds'
  if view.num_seeds == 1:
    return 'One seed. A line ends where its values are no longer finite.'
  return (
    f'Mean over the seeds and, as a band, the {kind}. Seeds without a finite'
    ' value at a step are left out there.'
  )


def _scores(view):
  own = figures.metrics(view)
  return [*own, *(name for name in glossary.SCORES if name not in own)]


def names(rows: list[figures.Row]) -> list[str]:
  """Names of metrics with at least one number, without ends of intervals."""
  known = set()
  for row in rows:
    for reported in row.cell.rows:
      for name in reported.keys() - known:
        if any(map(math.isfinite, text.numbers(reported[name]))):
          known.add(name)
  return sorted(known - text.interval_ends(known) - set(HIDDEN))


def _folded(title, content):
  if not content:
    return ''
  return f'<details><summary>{title}</summary>{content}</details>'


def _charts(view, rows, names, count):
  shown = ''.join(_chart(view, rows, name, count) for name in names)
  return shown and f'<div class="charts">{shown}</div>'


def _curve(row, name, *, interval, count):
  points, seeds = [], {}
  for reported in sorted(row.cell.rows, key=lambda reported: reported['step']):
    if name in reported:
      values = [v for v in text.numbers(reported[name]) if math.isfinite(v)]
      ends = band(values, interval=interval) or (None, None)
      mean = math.fsum(values) / len(values) if values else None
      points.append(charts.Point(reported['step'], mean, *ends))
      seeds[reported['step']] = len(values)
  line = charts.Line(row.cell.name, charts.thin(points, count))
  return Curve(row, line, seeds)


def _chart(view, rows, name, count):
  interval = view.num_seeds >= FEWEST
  curves = [_curve(r, name, interval=interval, count=count) for r in rows]
  curves = [one for one in curves if one.line.points]
  scored = name in _scores(view)
  # For scores where higher is better, values near zero would fill a logarithmic
  # axis with noise.
  log = scored and figures.is_lower_better(view, name)
  most = charts.most_of(name)
  lines = [c.line for c in curves]
  plot = charts.plot_of(lines, log=log, most=most, frame=FRAME)
  drawn = ''.join(
    f'<g{marks.owner(c.row)}>{charts.draw(plot, c.line, c.row.key)}</g>'
    for c in curves
  )
  notes = [_better(view, name)] if scored else []
  notes += ['log scale'] if plot.log else []
  title = LOSSES.get(name) or text.title(name)
  readings = html.escape(_readings(plot, curves), quote=True)
  return (
    f'<figure class="chart"><figcaption><h3>{glossary.marked(name, title)}'
    f'<small>{" · ".join(notes)}</small></h3></figcaption>'
    f'<svg viewBox="0 0 {FRAME.width} {FRAME.height}" role="img" tabindex="0"'
    f' aria-label="{html.escape(_summary(title, curves), quote=True)}"'
    f' data-readings="{readings}">{"".join(charts.axes(plot))}{drawn}'
    f'{_ends(plot, curves)}<g class="cursor" hidden>{charts.cursor(plot)}</g>'
    '</svg><div class="tip" hidden></div></figure>'
  )


def _better(view, name):
  lower = figures.is_lower_better(view, name)
  return f'{"lower" if lower else "higher"} is better'


def _last(curve):
  known = [p for p in curve.line.points if p.mean is not None]
  return known[-1] if known else None


def _summary(title, curves):
  ends = [
    f'{c.row.cell.name} {text.number(_last(c).mean)}'
    for c in curves
    if _last(c)
  ]
  return f'{title}; at the end: {", ".join(ends)}'


def _ends(plot, curves):
  """Numbers of the cells at the ends of their lines, kept apart."""
  if not 1 < len(curves) <= LABELS:
    return ''
  ends = [(plot.y(_last(c).mean), c) for c in curves if _last(c)]
  ends.sort(key=lambda pair: pair[0])
  places = apart(
    [y for y, _ in ends], plot.frame.top, plot.frame.height - plot.frame.bottom
  )
  x = plot.frame.width - plot.frame.right + 5
  return ''.join(
    f'<text class="end {c.row.key}" x="{x}" y="{round(y + 3.5, 1)}"'
    f'{marks.owner(c.row)}>{c.row.index + 1}</text>'
    for y, (_, c) in zip(places, ends, strict=True)
  )


def apart(places: list[float], low: float, high: float) -> list[float]:
  """Ordered places moved to be APART at least, within low to high."""
  moved = []
  for y in places:
    moved.append(max(y, moved[-1] + APART) if moved else max(y, low))
  limit = high
  for k in reversed(range(len(moved))):
    moved[k] = min(moved[k], limit)
    limit = moved[k] - APART
  return moved


def _readings(plot, curves):
  """Input of study.js: positions and texts of every cell at every step."""
  cells = {}
  for curve in curves:
    points = {p.step: p for p in curve.line.points if p.mean is not None}
    known = [points.get(step) for step in plot.steps]
    cells[curve.row.index] = {
      'y': [p and plot.y(p.mean) for p in known],
      'words': [p and _reading(p, curve) for p in known],
    }
  steps = [f'step {step:,}' for step in plot.steps]
  x = [plot.x(step) for step in plot.steps]
  readings = {'x': x, 'step': steps, 'cells': cells}
  return json.dumps(readings, separators=(',', ':'), ensure_ascii=False)


def _reading(point, curve):
  ends = figures.pair((point.low, point.high))
  if ends and ends[0] < ends[1]:
    digits = figures.places([point.mean], [ends])
    words = (
      f'{figures.fixed(point.mean, digits)} ({figures.span(ends, digits)})'
    )
  else:
    words = text.number(point.mean)
  seeds, of = curve.seeds.get(point.step, 0), len(curve.row.cell.runs)
  return words if seeds == of else f'{words}, {seeds} of {of} seeds'
