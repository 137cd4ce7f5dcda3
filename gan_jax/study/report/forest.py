"""The forest plot: every difference with its interval, on one scale."""

import html
from typing import NamedTuple

from gan_jax.report import document, text, ticks
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

KINDS = {
  'cell': 'Cells', 'main': 'Main effects', 'interaction': 'Interactions',
}  # fmt: skip
MARGIN = 0.06  # of the axis, on both sides
HEIGHT = 30  # pixels of a row


class Scale(NamedTuple):
  """An axis of differences, low to high; it includes 0."""

  low: float
  high: float

  def x(self, value: float) -> float:
    """Place of a difference in per cent of the width, within 0 to 100."""
    at = 100 * (value - self.low) / (self.high - self.low)
    return round(min(max(at, 0.0), 100.0), 3)


def section(view: ReportContents, rows: list[figures.Row]) -> str:
  """The <section> with the plot; '' where nothing is compared."""
  compared = figures.comparisons(view)
  if not compared:
    return ''
  scale = scale_of(compared)
  digits = figures.places_of_differences(compared)
  by_name = {row.cell.name: row for row in rows}
  parts = []
  for kind, title in KINDS.items():
    own = [one for one in compared if one.kind == kind]
    if own:
      parts.append(f'<h3>{title}</h3>')
      parts += [
        _row(one, by_name if kind == 'cell' else {}, scale, digits)
        for one in own
      ]
  content = (
    f'<p class="lead">{html.escape(_lead(view))}</p>'
    f'<div class="card forest">{_sides(view, scale)}{"".join(parts)}'
    f'{_axis(view, scale)}</div>'
  )
  return document.section('Differences', content, name='differences')


def scale_of(compared) -> Scale:
  """The axis that holds zero, all differences and their intervals."""
  values = [0.0]
  for one in compared:
    values += figures.pair(one.interval) or ()
    difference = figures.real(one.difference)
    values += [] if difference is None else [difference]
  low, high = min(values), max(values)
  margin = MARGIN * (high - low) or 1.0
  return Scale(low - margin, high + margin)


def _lead(view):
  lead = (
    f'Paired difference in {text.title(view.metric)} with its'
    f' {figures.CONFIDENCE} interval: {figures.contrast(view)}.'
    ' Full dots are verdicts, hollow ones are not.'
  )
  compared = figures.comparisons(view)
  if any(figures.real(one.detectable) for one in compared):
    lead += (
      ' Shaded: smaller than the study would have detected four times in five.'
    )
  return lead


def _sides(view, scale):
  """Says above the plot which side of zero is better."""
  lower = figures.is_lower_better(view, view.metric)
  left, right = ('better', 'worse') if lower else ('worse', 'better')
  zero = scale.x(0)
  return (
    '<div class="row sides"><span></span><div class="strip">'
    f'<span style="right:{round(100 - zero, 3)}%">← {left}</span>'
    f'<span style="left:{zero}%">{right} →</span></div><span></span>'
    '<span></span></div>'
  )


def _row(one, by_name, scale, digits):
  row = by_name.get(one.name)
  name = marks.tag(row) if row else html.escape(one.name)
  shown = marks.number(one.difference, digits, sign='+')
  span = marks.span(one.interval, digits, sign='+')
  return (
    f'<div class="row"{marks.owner(row)}><span class="name">{name}</span>'
    f'{_strip(one, scale, row.key if row else "s0")}'
    f'<span class="told"><b>{shown}</b> {span}</span>'
    f'{marks.verdict(one.verdict)}</div>'
  )


def _strip(one, scale, key):
  """A row of the plot; in per cent, so that any width fits undistorted."""
  middle = HEIGHT // 2
  interval = figures.span(one.interval, 4)
  label = f'{one.name}: {figures.fixed(one.difference, 4)} ({interval})'
  parts = [_shade(one, scale), *_grid(scale)]
  ends = figures.pair(one.interval)
  if ends:
    a, b = map(scale.x, ends)
    parts.append(
      f'<line class="line whisker {key}" x1="{a}%" x2="{b}%" y1="{middle}"'
      f' y2="{middle}"/>'
    )
  if figures.real(one.difference) is not None:
    sure = 'sure' if one.verdict in ('better', 'worse') else 'unsure'
    parts.append(
      f'<circle class="dot {key} {sure}" cx="{scale.x(one.difference)}%"'
      f' cy="{middle}" r="5"/>'
    )
  return (
    f'<svg class="strip" height="{HEIGHT}" role="img"'
    f' aria-label="{html.escape(label, quote=True)}">{"".join(parts)}</svg>'
  )


def _shade(one, scale):
  """The differences that the study could not have detected."""
  reach = figures.real(one.detectable)
  if not reach:
    return ''
  a, b = scale.x(-reach), scale.x(reach)
  return (
    f'<rect class="shade" x="{a}%" width="{round(b - a, 3)}%" y="4"'
    f' height="{HEIGHT - 8}"/>'
  )


def _grid(scale):
  for tick in ticks.even(scale.low, scale.high):
    x = scale.x(tick)
    yield f'<line class="rule" x1="{x}%" x2="{x}%" y1="0" y2="{HEIGHT}"/>'
  x = scale.x(0)
  yield f'<line class="zero" x1="{x}%" x2="{x}%" y1="0" y2="{HEIGHT}"/>'


def _axis(view, scale):
  words = ''.join(
    f'<text x="{scale.x(tick)}%" y="14" text-anchor="middle">'
    f'{marks.minus(text.short(tick))}</text>'
    for tick in ticks.even(scale.low, scale.high)
  )
  return (
    '<div class="row axis"><span></span>'
    f'<svg class="strip" height="20" aria-hidden="true">{words}</svg>'
    '<span></span><span></span></div>'
  )
