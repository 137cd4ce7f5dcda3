"""The table of a study as GitHub Markdown."""

import re

from gan_jax.report import text
from gan_jax.study.report import figures
from gan_jax.study.report.contents import ReportContents
from gan_jax.types import one_line

# An underscore within a word means nothing there; the others do.
SPECIAL = re.compile(r'[\\`*\[\]<>|&~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])')


def table(view: ReportContents) -> str:
  """Caption, table and verdicts; the best mean of a column is bold."""
  rows = figures.rows(view)
  columns = _columns(view, rows)
  lines = [
    f'**{escape(view.question or view.name)}**',
    '',
    ' '.join(map(escape, figures.protocol(view))),
    '',
    _line([title for title, _ in columns]),
    _line([':--'] + ['--:'] * (len(columns) - 1)),
    *(_line([shown(row) for _, shown in columns]) for row in rows),
  ]
  verdicts = [
    f'- {escape(one.name)}: {escape(one.words)}'
    for one in figures.comparisons(view)
  ]
  lines += ['', *verdicts] if verdicts else []
  return '\n'.join(lines) + '\n'


def escape(words: str) -> str:
  """Text that Markdown shows as it stands, on one line."""
  return SPECIAL.sub(r'\\\g<0>', one_line(words))


def _line(cells):
  return f'| {" | ".join(cells)} |'


def _columns(view, rows):
  """Pairs of a head and row -> text."""
  digits = figures.places_of(rows, view.metric)
  of = lambda row, name: figures.score(row, view.metric, name)
  columns = [
    ('cell', _name),
    _mean_column(view, view.metric, rows),
    ('median', lambda row: figures.fixed(of(row, 'median'), digits)),
    ('IQM', lambda row: figures.fixed(of(row, 'iqm'), digits)),
    ('failures', lambda row: figures.failed(row.failures)),
  ]
  if any(row.comparison for row in rows):
    places = figures.places_of_differences(r.comparison for r in rows)
    columns += [
      ('difference', lambda row: _difference(row, places)),
      ('p (Holm)', _p),
      ('effect', _effect),
      ('verdict', lambda row: row.comparison.verdict if row.comparison else ''),
    ]
  return columns + [_mean_column(view, m, rows) for m in view.also]


def _name(row):
  return escape(row.cell.name) + (' (baseline)' if row.is_baseline else '')


def _mean_column(view, metric, rows):
  digits, best = figures.places_of(rows, metric), figures.best(view, metric)

  def shown(row):
    mean = figures.fixed(figures.score(row, metric, 'mean'), digits)
    if row.cell.name in best:
      mean = f'**{mean}**'
    return mean + _span(figures.interval(row, metric), digits)

  arrow = '↓' if figures.is_lower_better(view, metric) else '↑'
  return f'{escape(text.title(metric))} {arrow}', shown


def _span(interval, digits, *, sign=''):
  span = figures.span(interval, digits, sign=sign)
  return span and f' ({span})'


def _difference(row, digits):
  if not row.comparison:
    return ''
  shown = figures.fixed(row.comparison.difference, digits, sign='+')
  return shown + _span(row.comparison.interval, digits, sign='+')


def _p(row):
  shown = figures.p_value(figures.answer(row, 'p_adjusted'))
  return escape(shown) if row.comparison else ''


def _effect(row):
  shown = figures.fixed(figures.answer(row, 'effect'), 2, sign='+')
  return shown if row.comparison else ''
