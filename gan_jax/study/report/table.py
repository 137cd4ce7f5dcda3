"""The table of a study's page: a row for each cell, sortable by its heads."""

import html
from collections.abc import Callable
from typing import NamedTuple

from gan_jax.report import document, glossary, text
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

RANKS = {'better': 3, 'no difference': 2, 'cannot tell': 1, 'worse': 0}


class Column(NamedTuple):
  """What a column shows of a row, and what it is sorted by."""

  title: str
  shown: Callable[[figures.Row], str]  # HTML
  value: Callable[[figures.Row], float | None]  # None: last in any order
  first: str = 'descending'  # order of the first click
  hint: str = ''
  words: str = ''  # what it is, in a sentence


def section(view: ReportContents, rows: list[figures.Row]) -> str:
  """The <section> with the table and notes on its columns."""
  if not rows:
    return ''
  groups = [
    (glossary.marked(view.metric), _main_columns(view, rows)),
    *_comparison_group(view, rows),
    ('Also measured', [_mean_column(view, m, rows) for m in view.also]),
  ]
  groups = [(title, columns) for title, columns in groups if columns]
  body = ''.join(_row(row, groups) for row in rows)
  notes = ''.join(
    f'<li>{html.escape(one)}</li>' for one in figures.protocol(view)
  )
  content = (
    f'<div class="card wide results"><table>{_head(groups)}'
    f'<tbody>{body}</tbody></table></div><ul class="notes">{notes}</ul>'
  )
  return document.section('Results', content, name='results')


def _main_columns(view, rows):
  mean = _mean_column(view, view.metric, rows)._replace(title='Mean')
  digits = figures.places_of(rows, view.metric)
  better = mean.first
  return [
    mean,
    _statistic('Median', 'median', view.metric, digits, better),
    _statistic('IQM', 'iqm', view.metric, digits, better),
    Column('Failures', _failures, _failure_rate, 'ascending'),
  ]


def _mean_column(view, metric, rows):
  digits = figures.places_of(rows, metric)
  best = figures.best(view, metric)
  lower = figures.is_lower_better(view, metric)

  def shown(row):
    spread = row.spreads.get(metric)
    if spread is None or figures.real(spread.mean) is None:
      return figures.DASH
    kind = ' class="best"' if row.cell.name in best else ''
    return (
      f'<b{kind}>{marks.number(spread.mean, digits)}</b>'
      f'{marks.span(spread.interval, digits)}'
    )

  value = lambda row: figures.score(row, metric, 'mean')
  first = 'ascending' if lower else 'descending'
  hint = f'{"lower" if lower else "higher"} is better'
  words = glossary.sentence(metric)
  return Column(text.title(metric), shown, value, first, hint, words)


def _statistic(title, name, metric, digits, first):
  value = lambda row: figures.score(row, metric, name)
  shown = lambda row: marks.number(value(row), digits)
  return Column(title, shown, value, first)


def _failure_rate(row):
  failures = row.failures
  return failures.count / failures.of if failures and failures.of else None


def _failures(row):
  if row.failures is None or not row.failures.of:
    return figures.DASH
  low, high = row.failures.interval
  kinds = ', '.join(f'{n} {kind}' for kind, n in row.failures.kinds.items())
  span = f'{100 * low:.0f} to {figures.percent(high)}'
  return (
    f'<span title="{html.escape(kinds, quote=True)}">'
    f'{figures.failed(row.failures)}</span><small>{span}</small>'
  )


def _comparison_group(view, rows):
  """The columns of differences; none if no cell is compared."""
  if not any(row.comparison for row in rows):
    return []
  better = 'ascending'
  if not figures.is_lower_better(view, view.metric):
    better = 'descending'
  digits = figures.places_of_differences(row.comparison for row in rows)
  shown = lambda row: _difference(row, digits)
  columns = [
    Column(
      'Mean', shown, lambda row: figures.answer(row, 'difference'), better
    ),
    Column('p', _p, lambda row: figures.answer(row, 'p_adjusted'), 'ascending'),
    Column(
      'Effect', _effect, lambda row: figures.answer(row, 'effect'), better
    ),
    Column('Verdict', _verdict, _rank),
  ]
  name = figures.baseline(view)
  plain = view.design != 'comparison' or len(view.cells) == 2
  title = f'Difference from {html.escape(name)}' if plain else 'Difference'
  return [(title, columns)]


def _difference(row, digits):
  if row.comparison is None:
    return ''
  shown = marks.number(row.comparison.difference, digits, sign='+')
  return (
    f'<b>{shown}</b>{marks.span(row.comparison.interval, digits, sign="+")}'
  )


def _p(row):
  if row.comparison is None:
    return ''
  p = figures.real(row.comparison.p)
  hint = '' if p is None else f' title="uncorrected: {p:.4g}"'
  shown = figures.p_value(figures.answer(row, 'p_adjusted'))
  return f'<span{hint}>{html.escape(shown)}</span>'


def _effect(row):
  if row.comparison is None:
    return ''
  return marks.number(row.comparison.effect, 2, sign='+')


def _verdict(row):
  return marks.verdict(row.comparison.verdict) if row.comparison else ''


def _rank(row):
  return RANKS.get(row.comparison.verdict) if row.comparison else None


def _head(groups):
  top = ''.join(
    f'<th scope="colgroup" colspan="{len(columns)}">{title}</th>'
    for title, columns in groups
  )
  heads = [Column('Cell', lambda _: '', lambda row: None, 'ascending')]
  heads += [column for _, columns in groups for column in columns]
  edges = _edges(groups)
  below = ''.join(
    f'<th scope="col" data-first="{column.first}"'
    f'{" class=edge" if k in edges else ""}><button type="button"'
    f' title="{html.escape(_on_click(column))}">'
    f'{html.escape(column.title)}</button>'
    f'{_hint(column)}</th>'
    for k, column in enumerate(heads)
  )
  return f'<thead><tr><td></td>{top}</tr><tr>{below}</tr></thead>'


def _on_click(column):
  return f'{column.words} Click to sort.'.lstrip()


def _hint(column):
  return column.hint and f'<small>{column.hint}</small>'


def _edges(groups):
  """Numbers of the columns that begin a group; the first is the cell's."""
  edges, k = set(), 1
  for _, columns in groups:
    edges.add(k)
    k += len(columns)
  return edges


def _row(row, groups):
  edges = _edges(groups)
  columns = [column for _, columns in groups for column in columns]
  data = ''.join(
    f'<td{" class=edge" if k in edges else ""}{_value(column, row)}>'
    f'{column.shown(row)}</td>'
    for k, column in enumerate(columns, 1)
  )
  kind = ' class="baseline"' if row.is_baseline else ''
  return (
    f'<tr{kind}{marks.owner(row)}><th scope="row" data-value="{row.index}">'
    f'{marks.tag(row)}{_about(row)}</th>{data}</tr>'
  )


def _value(column, row):
  value = column.value(row)
  return '' if value is None else f' data-value="{value!r}"'


def _about(row):
  """Small print below a name: baseline, unfinished runs, what differs."""
  notes = ['baseline'] if row.is_baseline else []
  bad = sum(run.get('status') != 'finished' for run in row.cell.runs)
  if bad:
    notes.append(f'{bad} of {len(row.cell.runs)} runs did not finish')
  elif not row.cell.runs:
    notes.append('no run yet')
  differs = ', '.join(
    f'{key}: {figures.setting(value)}'
    for key, value in row.cell.differs.items()
  )
  if differs:
    notes.append(differs)
  return f'<small>{html.escape(" · ".join(notes))}</small>' if notes else ''
