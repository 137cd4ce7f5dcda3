"""Precision and recall as a picture: the path of a run in their plane."""

import html

from gan_jax.report import charts, text

SIDE = 240  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 10, 34
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def plane(rows: list[dict]) -> str:
  """Every score as a point, joined in the order of steps.

  Further right the samples look more real, further up they cover more of the
  real ones; the cross at the last step spans the intervals, or the seeds.

  Args:
    rows: {'step': int, 'precision': value or one per seed, 'recall': ...,
      'precision_low': ..., 'precision_high': ...}.

  Returns:
    HTML, a <figure>; '' without such rows.
  """
  both = [row for row in rows if 'precision' in row and 'recall' in row]
  x, y = (charts.line(name, both).points for name in ('precision', 'recall'))
  points = [
    (a, b)
    for a, b in zip(x, y, strict=True)
    if a.mean is not None and b.mean is not None
  ]
  if not points:
    return ''
  last = points[-1]
  summary = (
    f'precision {text.number(last[0].mean)}, recall'
    f' {text.number(last[1].mean)} at step {last[0].step:,}'
  )
  drawing = ''.join([*_axes(), _way(points), _cross(*last)])
  return (
    '<figure class="chart plane"><figcaption><h3>Precision and recall</h3>'
    f'<p class="legend">{html.escape(summary)}</p></figcaption>'
    f'<svg viewBox="0 0 {SIDE + 120} {SIDE}" role="img" '
    f'aria-label="{html.escape(summary, quote=True)}">{drawing}</svg></figure>'
  )


def _to_x(value):
  return round(LEFT + (SIDE + 120 - LEFT - RIGHT) * value, 1)


def _to_y(value):
  return round(SIDE - BOTTOM - (SIDE - TOP - BOTTOM) * value, 1)


def _axes():
  for tick in TICKS:
    x, y = _to_x(tick), _to_y(tick)
    yield f'<path class="rule" d="M{_to_x(0)} {y}H{_to_x(1)}"/>'
    yield f'<path class="rule" d="M{x} {_to_y(0)}V{_to_y(1)}"/>'
    yield f'<text x="{LEFT - 6}" y="{y + 3.5}" text-anchor="end">'
    yield f'{tick:g}</text>'
    anchor = 'end' if tick == 1 else 'middle'
    yield f'<text x="{x}" y="{SIDE - BOTTOM + 15}" text-anchor="{anchor}">'
    yield f'{tick:g}</text>'
  middle = _to_x(0.5)
  yield f'<text x="{middle}" y="{SIDE - 4}" text-anchor="middle">precision →'
  yield '</text>'
  yield f'<text x="10" y="{_to_y(0.5)}" text-anchor="middle" '
  yield f'transform="rotate(-90 10 {_to_y(0.5)})">recall →</text>'


def _way(points):
  places = [f'{_to_x(a.mean)} {_to_y(b.mean)}' for a, b in points]
  dots = ''.join(
    f'<circle class="dot s0" cx="{place.split()[0]}" cy="{place.split()[1]}" '
    f'r="{4 if place is places[-1] else 2.5}"><title>step {a.step:,}</title>'
    '</circle>'
    for place, (a, _) in zip(places, points, strict=True)
  )
  return f'<path class="line s0" d="M{"L".join(places)}"/>{dots}'


def _cross(a, b):
  """The spans of the last point, where there are any."""
  x, y = _to_x(a.mean), _to_y(b.mean)
  return (
    f'<path class="line s0" d="M{_to_x(a.low)} {y}H{_to_x(a.high)}'
    f'M{x} {_to_y(b.low)}V{_to_y(b.high)}"/>'
  )
