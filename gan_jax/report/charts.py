"""Small line charts as inline SVG; page.css styles them, page.js reads them."""

import html
import itertools
import json
import math
from typing import NamedTuple

from gan_jax.report import glossary, text, ticks

POINTS = 240  # of a line, at most: more would be under a pixel apart
DECADES = 30  # a score that falls by more than this gets a logarithmic axis


class Frame(NamedTuple):
  """A drawing and its margins, in its own units."""

  width: int = 360
  height: int = 210
  left: int = 46
  right: int = 12
  top: int = 10
  bottom: int = 26


FRAME = Frame()


class Point(NamedTuple):
  """A value over the seeds at a step; None where it is not a number."""

  step: int
  mean: float | None
  low: float | None
  high: float | None


class Line(NamedTuple):
  """A named line of points, in the order of their steps."""

  title: str
  points: list[Point]


def line(name: str, rows: list[dict]) -> Line:
  """The line of a metric in rows {'step': int, name: value or one per seed}.

  Its band reaches from the lowest seed to the highest, or from the lower end
  of the lowest interval to the upper end of the highest where the rows hold
  them as `name_low` and `name_high`.
  """
  by_step = {row['step']: row for row in rows if name in row}
  points = [_point(step, by_step[step], name) for step in sorted(by_step)]
  return Line(text.title(name), thin(points))


def most_of(name: str) -> float:
  """The most that a score can be: 1 of a share, else infinity."""
  return 1.0 if name in text.SHARES else math.inf


def chart(
  title: str,
  lines: list[Line],
  *,
  name: str = '',
  log=False,
  zero=False,
  most=math.inf,
) -> str:
  """A chart with axes, a band from the lowest to the highest seed, a legend.

  Args:
    title: heading of the chart.
    lines: one or more.
    name: of what it shows, which the glossary explains.
    log: whether the axis may be logarithmic if values span decades.
    zero: whether the axis starts at zero.
    most: that a value can be; the axis ends there at the latest.

  Returns:
    HTML, a <figure>.
  """
  plot = plot_of(lines, log=log, zero=zero, most=most)
  parts = [
    *axes(plot),
    *(draw(plot, one, f's{k}') for k, one in enumerate(lines)),
    f'<g class="cursor" hidden>{cursor(plot)}{_dots(len(lines))}</g>',
  ]
  readings = html.escape(_readings(plot, lines), quote=True)
  note = ' · log scale' if plot.log else ''
  return (
    f'<figure class="chart"><figcaption><h3>{glossary.marked(name, title)}'
    f'<small>{note}</small><span class="at"></span></h3>'
    f'{_legend(lines)}</figcaption>'
    f'<svg viewBox="0 0 {FRAME.width} {FRAME.height}" role="img" tabindex="0" '
    f'aria-label="{html.escape(_summary(title, lines), quote=True)}" '
    f'data-readings="{readings}">{"".join(parts)}</svg></figure>'
  )


class Plot(NamedTuple):
  """Where steps and values lie in a drawing."""

  frame: Frame
  steps: list[int]
  low: float
  high: float
  log: bool

  def x(self, step) -> float:
    """Place of a step."""
    start, end = self.frame.left, self.frame.width - self.frame.right
    if self.steps[0] == self.steps[-1]:
      return round((start + end) / 2, 1)
    return _place(step, self.steps[0], self.steps[-1], start, end)

  def y(self, value) -> float:
    """Place of a value; values beyond the axis are placed at its end."""
    start, end = self.frame.height - self.frame.bottom, self.frame.top
    at = _place(value, self.low, self.high, start, end, log=self.log)
    return min(max(at, end), start)


def plot_of(
  lines: list[Line], *, log=False, zero=False, most=math.inf, frame=FRAME
) -> Plot:
  """The plot that lines with at least one point need; see chart."""
  values = [v for one in lines for p in one.points for v in p[1:] if _real(v)]
  steps = sorted({p.step for one in lines for p in one.points})
  low, high, log = _range(values, log=log)
  if max(values, default=0.0) <= most:
    high = min(high, most)
  return Plot(frame, steps, 0.0 if zero else low, high, log)


def axes(plot: Plot) -> list[str]:
  """Grid lines and ticks as parts of an SVG."""
  return [*_y_axis(plot), *_x_axis(plot)]


def cursor(plot: Plot) -> str:
  """The vertical line that the script moves."""
  frame = plot.frame
  return f'<line y1="{frame.top}" y2="{frame.height - frame.bottom}"/>'


def _real(value):
  return value is not None and math.isfinite(value)


def _point(step, row, name):
  # The band covers the seeds that are still finite; the mean needs all of them.
  ends = [row[name], row.get(f'{name}_low'), row.get(f'{name}_high')]
  all_ends = [v for end in ends for v in text.numbers(end)]
  finite = [v for v in all_ends if math.isfinite(v)]
  if not finite:
    return Point(step, None, None, None)
  return Point(step, text.mean(row[name]), min(finite), max(finite))


def thin(points: list[Point], count: int = POINTS) -> list[Point]:
  """At most `count` points: averages neighbours; the band keeps extremes."""
  size = math.ceil(len(points) / count)
  if size <= 1:
    return points
  chunks = [points[i : i + size] for i in range(0, len(points), size)]
  return [_merge(chunk) for chunk in chunks]


def _merge(points):
  lows = [p.low for p in points if _real(p.low)]
  highs = [p.high for p in points if _real(p.high)]
  mean = text.mean([p.mean for p in points])
  low, high = (min(lows), max(highs)) if lows else (None, None)
  return Point(points[-1].step, mean, low, high)


def _range(values, *, log):
  """Limits of the axis; without far outliers, which would hide the rest."""
  if not values:
    return 0.0, 1.0, False
  low, high = min(values), max(values)
  if log and low > 0 and high / low > DECADES:
    return low / 1.15, high * 1.15, True
  ordered = sorted(values)
  near = ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]
  reach = 2 * (near[1] - near[0])
  if reach > 0:
    low, high = max(low, near[0] - reach), min(high, near[1] + reach)
  margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.5
  floor = 0.0 if low >= 0 else -math.inf
  return max(low - margin, floor), high + margin, False


def _place(value, low, high, start, end, *, log=False):
  if log:
    # Values that a logarithmic axis cannot show are placed at its end.
    low, high = math.log(low), math.log(high)
    value = math.log(value) if value > 0 else low
  return round(start + (end - start) * (value - low) / ((high - low) or 1), 1)


def _y_axis(plot):
  frame, (low, high) = plot.frame, (plot.low, plot.high)
  for tick in ticks.log(low, high) if plot.log else ticks.even(low, high):
    y = plot.y(tick)
    yield f'<path class="rule" d="M{frame.left} {y}'
    yield f'H{frame.width - frame.right}"/>'
    yield f'<text x="{frame.left - 8}" y="{y + 3.5}" text-anchor="end">'
    yield f'{text.short(tick)}</text>'


def _x_axis(plot):
  frame, (first, last) = plot.frame, (plot.steps[0], plot.steps[-1])
  for tick in ticks.even(first, last) if last > first else [first]:
    x = plot.x(tick)
    anchor = 'end' if x > frame.width - frame.right - 8 else 'middle'
    yield f'<text x="{x}" y="{frame.height - 8}" text-anchor="{anchor}">'
    yield f'{text.short(tick)}</text>'


def draw(plot: Plot, one: Line, key: str) -> str:
  """A line and its band as parts of an SVG; `key` is a class for its colour."""
  place = lambda step, value: f'{plot.x(step)} {plot.y(value)}'
  return _band(place, one, key) + _path(place, one, key)


def _band(place, one, key):
  band = [p for p in one.points if _real(p.low) and p.low != p.high]
  if not band:
    return ''
  edge = [place(p.step, p.high) for p in band]
  edge += [place(p.step, p.low) for p in reversed(band)]
  return f'<path class="band {key}" d="M{"L".join(edge)}Z"/>'


def _path(place, one, key):
  """The line, with gaps where it is not a number; points alone are dots."""
  known = itertools.groupby(one.points, key=lambda p: _real(p.mean))
  pieces = [list(points) for is_known, points in known if is_known]
  if not pieces:
    return ''
  ways = ['L'.join(place(p.step, p.mean) for p in piece) for piece in pieces]
  path = f'<path class="line {key}" d="M{"M".join(ways)}"/>'
  alone = [piece[0] for piece in pieces if len(piece) == 1]
  path += ''.join(_dot(place(p.step, p.mean), key) for p in alone)
  if len(pieces) > 1 or not alone:
    return path
  x, y = map(float, ways[0].split())
  value = text.number(alone[0].mean)
  return f'{path}<text x="{x + 8}" y="{y + 3.5}">{value}</text>'


def _dot(at, key):
  x, y = at.split()
  return f'<circle class="dot {key}" cx="{x}" cy="{y}" r="3"/>'


def _dots(count):
  return ''.join(f'<circle class="dot s{k}" r="3.5"/>' for k in range(count))


def _legend(lines):
  items = [
    f'<span class="key s{k}"><i></i>{html.escape(one.title)} '
    f'<output>{text.number(one.points[-1].mean)}</output></span>'
    for k, one in enumerate(lines)
  ]
  return f'<p class="legend">{"".join(items)}</p>'


def _summary(title, lines):
  ends = [f'{one.title} {text.number(one.points[-1].mean)}' for one in lines]
  return f'{title}; at step {lines[0].points[-1].step:,}: {", ".join(ends)}'


def _readings(plot, lines):
  """Input of page.js: positions and texts at every step."""
  series = []
  for one in lines:
    points = {p.step: p for p in one.points if _real(p.mean)}
    known = [points.get(step) for step in plot.steps]
    series.append(
      {
        'y': [p and plot.y(p.mean) for p in known],
        'words': [p and _reading(p, spread=len(lines) == 1) for p in known],
      }
    )
  labels = [f'step {step:,}' for step in plot.steps]
  x = [plot.x(step) for step in plot.steps]
  return json.dumps({'x': x, 'step': labels, 'lines': series})


def _reading(point, *, spread):
  mean = text.number(point.mean)
  # Two spreads would wrap the legend's line and move the chart.
  if point.low == point.high or not spread:
    return mean
  return f'{mean} ({text.number(point.low)}–{text.number(point.high)})'
