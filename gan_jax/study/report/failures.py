"""Runs that failed or are unhealthy, each with its reason and its curves."""

import html
import math

from gan_jax.report import document, text
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

MOST = 80  # runs that are shown
WIDTH, HEIGHT, EDGE = 132, 34, 3  # of a small curve
POINTS = 60
LOSSES = ('d_loss', 'g_loss')


def section(view: ReportContents, rows: list[figures.Row]) -> str:
  """The <section>; '' until a run has ended."""
  ended = sum(len(row.cell.runs) for row in rows)
  if not ended:
    return ''
  ill = [
    (row, place)
    for row in rows
    for place, run in enumerate(row.cell.runs)
    if is_ill(run)
  ]
  if not ill:
    content = f'<p class="lead">{_all_well(rows, ended)}</p>'
    return document.section('Failures', content, name='failures')
  body = ''.join(_run(view, row, place) for row, place in ill[:MOST])
  lead = f'{len(ill):,} of {ended:,} runs failed or are not healthy.'
  if len(ill) > MOST:
    lead += f' The first {MOST}:'
  heads = ('Cell', 'Seed', 'Verdict', text.title(view.metric), 'Losses')
  head = ''.join(f'<th scope="col">{html.escape(one)}</th>' for one in heads)
  return document.section(
    'Failures',
    f'<p class="lead">{lead} Grey: the mean of the cell. Losses:'
    f' {_losses_key()}</p><div class="card wide runs"><table><thead><tr>{head}'
    f'</tr></thead><tbody>{body}</tbody></table></div>',
    name='failures',
  )


def _all_well(rows, ended):
  """That no run has failed, and of how many nobody looked."""
  runs = [run for row in rows for run in row.cell.runs]
  blind = sum(not (run.get('health') or {}).get('verdict') for run in runs)
  if not blind:
    return f'None: all {ended:,} runs are healthy.'
  return (
    f'None of the {ended:,} runs failed; the health of {blind:,} was not'
    ' measured.'
  )


def is_ill(run: dict) -> bool:
  """Whether a run did not finish or is known not to be healthy."""
  return run.get('status') != 'finished' or _verdict(run) != 'healthy'


def _verdict(run):
  """The verdict of its health, or its status if that says more."""
  verdict = (run.get('health') or {}).get('verdict')
  status = run.get('status')
  if status == 'finished':
    return verdict or 'healthy'
  return verdict if verdict not in (None, 'healthy') else str(status)


def _losses_key():
  return f'{marks.swatch("d")} discriminator, {marks.swatch("g")} generator.'


def _run(view, row, place):
  run = row.cell.runs[place]
  reason = run.get('reason') or (run.get('health') or {}).get('reason') or ''
  steps = run.get('steps')
  at = f' at step {steps:,}' if isinstance(steps, int) else ''
  headline = sparkline(
    [(curve(row.cell.rows, view.metric), 'mean'),
     (curve(row.cell.rows, view.metric, place), 'own')]
  )  # fmt: skip
  pair = [(curve(row.cell.rows, name, place), name[0]) for name in LOSSES]
  return (
    f'<tr{marks.owner(row)}><th scope="row">{marks.tag(row)}</th>'
    f'<td>{html.escape(str(run.get("seed", "")))}</td>'
    f'<td class="why"><b>{html.escape(_verdict(run))}</b>{at}'
    f'<small>{html.escape(str(reason))}</small></td>'
    f'<td>{headline or figures.DASH}</td>'
    f'<td>{sparkline(pair) or figures.DASH}</td></tr>'
  )


def curve(rows: list[dict], name: str, place: int | None = None) -> list:
  """Points (step, value or None) of one of a cell's runs.

  Args:
    rows: {'step', name: value or [S]} of the cell.
    name: of the metric.
    place: of the run; the mean of all that have a value by default.
  """
  points = []
  for reported in sorted(rows, key=lambda reported: reported['step']):
    if name in reported:
      values = text.numbers(reported[name])
      if place is not None:
        values = values[place : place + 1]
      values = [v for v in values if math.isfinite(v)]
      points.append(
        (reported['step'], math.fsum(values) / len(values) if values else None)
      )
  return points


def sparkline(curves: list[tuple[list, str]]) -> str:
  """Small curves without an axis; '' without a number.

  Args:
    curves: pairs of points (step, value or None), and a class.
  """
  known = [(x, y) for points, _ in curves for x, y in points if y is not None]
  if not known:
    return ''
  steps = [x for points, _ in curves for x, _ in points]
  low, high = _limits([y for _, y in known])
  left, right = min(steps), max(steps)

  def place(x, y):
    across = (x - left) / ((right - left) or 1)
    up = min(max((y - low) / ((high - low) or 1), 0), 1)
    return (
      f'{EDGE + (WIDTH - 2 * EDGE) * across:.1f}'
      f' {HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * up:.1f}'
    )

  drawn = ''.join(_path(points, key, place) for points, key in curves)
  return (
    f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
    f'{drawn}</svg>'
  )


def _limits(values):
  """Limits without the far outliers at the end of a diverging run."""
  ordered = sorted(values)
  near = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
  reach = 2 * (near[1] - near[0]) or math.inf
  return max(ordered[0], near[0] - reach), min(ordered[-1], near[1] + reach)


def _path(points, key, place):
  points = points[:: max(1, len(points) // POINTS)]
  parts, pen = [], 'M'
  for x, y in points:
    parts += [] if y is None else [pen + place(x, y)]
    pen = 'M' if y is None else 'L'
  if not parts:
    return ''
  x, y = parts[-1][1:].split()
  return (
    f'<path class="line {key}" d="{"".join(parts)}"/>'
    f'<circle class="dot {key}" cx="{x}" cy="{y}" r="2"/>'
  )
