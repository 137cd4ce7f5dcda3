"""The table of a study as comma-separated values, for other programs."""

import csv
import io
import json

from gan_jax.storage import files
from gan_jax.study.report import figures
from gan_jax.study.report.contents import ReportContents
from gan_jax.types import one_line

# A spreadsheet evaluates a cell that begins like this as a formula.
FORMULA = ('=', '+', '-', '@', '＝', '＋', '－', '＠')
SPREAD = ('mean', 'low', 'high', 'median', 'iqm', 'n')
COMPARISON = (
  'difference', 'difference_low', 'difference_high', 'p', 'p_adjusted',
  'effect', 'detectable', 'verdict',
)  # fmt: skip


def table(view: ReportContents) -> str:
  """A row for each cell; numbers with all digits, empty if there is none.

  Columns: `cell`; `is_baseline`, 1 or 0; `runs` that have ended; `failures`
  among them, with the interval of their rate `failures_low`, `failures_high`;
  for each metric M, the tested one first, `M_mean` with its interval `M_low`
  and `M_high`, `M_median`, `M_iqm` and `M_n`, the runs that have the score;
  for the tested metric `difference` from the baseline with its interval, `p`,
  `p_adjusted` by Holm, `effect`, `detectable` and `verdict`; `differs`, the
  cell's config keys and values as JSON. An apostrophe precedes names that a
  spreadsheet would take for a formula.
  """
  lines = io.StringIO()
  writer = csv.writer(lines, lineterminator='\n')
  heads = ['cell', 'is_baseline', 'runs', 'failures']
  heads += ['failures_low', 'failures_high']
  heads += [f'{m}_{name}' for m in figures.metrics(view) for name in SPREAD]
  writer.writerow([*map(plain, heads), *COMPARISON, 'differs'])
  for row in figures.rows(view):
    writer.writerow(_row(row, view))
  return lines.getvalue()


def plain(words: str) -> str:
  """Text on one line that no spreadsheet takes for a formula."""
  words = one_line(words)
  return f"'{words}" if words.startswith(FORMULA) else words


def _row(row, view):
  values = [plain(row.cell.name), int(row.is_baseline), *_failures(row)]
  for metric in figures.metrics(view):
    values += _spread(row, metric)
  values += _comparison(row.comparison)
  return [
    *values,
    json.dumps(files.plain(row.cell.differs), ensure_ascii=False),
  ]


def _failures(row):
  if row.failures is None:
    return [len(row.cell.runs), '', '', '']
  return [row.failures.of, row.failures.count, *_ends(row.failures.interval)]


def _spread(row, metric):
  spread = row.spreads.get(metric)
  if spread is None:
    return [''] * len(SPREAD)
  n = sum(figures.real(value) is not None for value in spread.values)
  middles = [_exact(spread.median), _exact(spread.iqm)]
  return [_exact(spread.mean), *_ends(spread.interval), *middles, n]


def _comparison(one):
  if one is None:
    return [''] * len(COMPARISON)
  numbers = map(_exact, (one.p, one.p_adjusted, one.effect, one.detectable))
  verdict = plain(one.verdict)
  return [_exact(one.difference), *_ends(one.interval), *numbers, verdict]


def _ends(interval):
  return list(map(_exact, figures.pair(interval) or (None, None)))


def _exact(value):
  return '' if figures.real(value) is None else repr(files.plain(value))
