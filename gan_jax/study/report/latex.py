"""The table of a study as LaTeX; it needs the package booktabs."""

import re

from gan_jax.report import text
from gan_jax.study.report import figures
from gan_jax.study.report.contents import ReportContents
from gan_jax.types import one_line

SPECIAL = {
  '\\': r'\textbackslash{}', '{': r'\{', '}': r'\}', '$': r'\$', '&': r'\&',
  '#': r'\#', '%': r'\%', '_': r'\_', '~': r'\textasciitilde{}',
  '^': r'\textasciicircum{}', '<': r'\textless{}', '>': r'\textgreater{}',
  '|': r'\textbar{}', '"': "{''}", '–': '--', '−': '$-$',
  '→': r'$\to$', '∞': r'$\infty$', '±': r'$\pm$', '·': r'$\cdot$',
}  # fmt: skip


def table(view: ReportContents) -> str:
  """A table environment; the best mean of a column is bold."""
  rows = figures.rows(view)
  columns = _columns(view, rows)
  body = [_line([shown(row) for _, shown in columns]) for row in rows]
  caption = ' '.join([view.question or view.name, *figures.protocol(view)])
  label = re.sub(r'[^A-Za-z0-9-]+', '-', view.name)
  return '\n'.join(
    [
      '% \\usepackage{booktabs}',
      r'\begin{table}',
      r'  \centering',
      r'  \small',
      f'  \\caption{{{escape(caption)}}}',
      f'  \\label{{tab:{label}}}',
      f'  \\begin{{tabular}}{{l{"r" * (len(columns) - 1)}}}',
      r'    \toprule',
      _line([title for title, _ in columns]),
      r'    \midrule',
      *body,
      r'    \bottomrule',
      r'  \end{tabular}',
      r'\end{table}',
      '',
    ]
  )


def escape(words: str) -> str:
  """Text that LaTeX sets as it stands, on one line."""
  return ''.join(SPECIAL.get(letter, letter) for letter in one_line(words))


def _line(cells):
  return f'    {" & ".join(cells)} \\\\'


def _columns(view, rows):
  """Pairs of a head and row -> LaTeX."""
  columns = [
    ('Cell', _name),
    _mean_column(view, view.metric, rows),
    ('Failures', lambda row: _dash(figures.failed(row.failures))),
  ]
  if any(row.comparison for row in rows):
    places = figures.places_of_differences(r.comparison for r in rows)
    columns += [
      ('Difference', lambda row: _difference(row, places)),
      ('$p$', _p),
      ('Verdict', lambda row: row.comparison.verdict if row.comparison else ''),
    ]
  return columns + [_mean_column(view, m, rows) for m in view.also]


def _name(row):
  return escape(row.cell.name) + (' (baseline)' if row.is_baseline else '')


def _mean_column(view, metric, rows):
  digits, best = figures.places_of(rows, metric), figures.best(view, metric)

  def shown(row):
    mean = _number(figures.score(row, metric, 'mean'), digits)
    if row.cell.name in best:
      mean = f'\\textbf{{{mean}}}'
    return mean + _span(figures.interval(row, metric), digits)

  arrow = 'downarrow' if figures.is_lower_better(view, metric) else 'uparrow'
  return f'{escape(text.title(metric))} $\\{arrow}$', shown


def _number(value, digits, *, sign=''):
  return _dash(figures.fixed(value, digits, sign=sign)).replace('-', '$-$')


def _dash(shown):
  return '' if shown == figures.DASH else shown


def _span(interval, digits, *, sign=''):
  ends = figures.pair(interval)
  if not ends:
    return ''
  low, high = (_number(end, digits, sign=sign) for end in ends)
  return f' {{\\scriptsize [{low}, {high}]}}'


def _difference(row, digits):
  if not row.comparison:
    return ''
  shown = _number(row.comparison.difference, digits, sign='+')
  return shown + _span(row.comparison.interval, digits, sign='+')


def _p(row):
  p = figures.answer(row, 'p_adjusted')
  return '' if p is None else figures.p_value(p).replace('< ', '$<$ ')
