"""The head of a study's page: the question and the answer in words."""

import html

from gan_jax.report import text
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

ALL = 5  # comparisons that are listed one by one
TELLING = 3  # of more, those that say most are listed


def headline(view: ReportContents) -> str:
  """A <header> with the question, what was run and the verdicts."""
  kind = 'done' if figures.is_done(view) else 'running'
  facts = ''.join(f'<li>{html.escape(fact)}</li>' for fact in _facts(view))
  return (
    f'<header><p class="state {kind}">{html.escape(_state(view))}</p>'
    f'<h1>{html.escape(view.question)}</h1><ul class="facts">{facts}</ul>'
    f'{_verdicts(view)}</header>'
  )


def legend(rows: list[figures.Row]) -> str:
  """A bar of buttons that hide and show cells; '' for a single one."""
  if len(rows) < 2:
    return ''
  buttons = ''.join(
    f'<button type="button" aria-pressed="true"{marks.owner(row)}>'
    f'{marks.tag(row)}</button>'
    for row in rows
  )
  return (
    '<nav class="cells" aria-label="Cells; a click hides or shows one">'
    f'<span class="hint">Show</span>{buttons}'
    '<button type="button" class="all" hidden>All</button></nav>'
  )


def _state(view):
  runs = len(view.cells) * view.num_seeds
  if figures.is_done(view):
    return f'Done, {runs:,} run{"s" if runs > 1 else ""}'
  return f'Running, {view.state}'


def _facts(view):
  facts = [view.name, view.base, view.design.replace('_', ' ')]
  cells = len(view.cells)
  facts += [f'{cells} cell{"s" if cells != 1 else ""}', figures.seeds(view)]
  name = figures.baseline(view)
  return [*filter(None, facts), *([f'baseline {name}'] if name else [])]


def _verdicts(view):
  compared = figures.comparisons(view)
  if not compared:
    return f'<p class="answer">{_silence(view)}</p>'
  shown, others = compared, ()
  if len(compared) > ALL:
    shown = sorted(compared, key=_weight)[:TELLING]
    others = [one for one in compared if one not in shown]
  items = ''.join(map(_verdict, shown))
  if others:
    items += f'<li class="others">{_count(others)}</li>'
  against = f'{text.title(view.metric)}: {figures.contrast(view)}'
  against += '' if figures.is_done(view) else '; so far'
  return (
    f'<section class="answer"><h2>{html.escape(against)}</h2>'
    f'<ul class="verdicts">{items}</ul></section>'
  )


def _silence(view):
  if not figures.is_done(view):
    return 'No verdict yet.'
  if view.num_seeds == 1:
    return 'No verdict: with one seed nothing can be tested.'
  return 'No verdict: nothing is compared with a baseline.'


def _weight(one):
  """The surest difference first."""
  seen = one.verdict in ('better', 'worse')
  p = figures.real(one.p_adjusted)
  effect = figures.real(one.effect)
  return not seen, 1.0 if p is None else p, -abs(effect or 0.0)


def _verdict(one):
  return (
    f'<li>{marks.sign(one.verdict)}'
    f'<p><b>{html.escape(one.name)}</b> {html.escape(one.words)}</p></li>'
  )


def _count(others):
  counts = {
    verdict: sum(one.verdict == verdict for one in others)
    for verdict in figures.VERDICTS
  }
  counts = {verdict: n for verdict, n in counts.items() if n}
  words = [f'{n} {verdict}' for verdict, n in counts.items()]
  words = list(counts) if len(counts) == 1 else words
  many = 's' if len(others) > 1 else ''
  return f'<p>{len(others)} other{many}: {html.escape(", ".join(words))}</p>'
