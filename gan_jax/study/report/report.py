"""The report of a study: report.html, and its table in three formats."""

import pathlib

from gan_jax.report import document, glossary, page
from gan_jax.storage import files
from gan_jax.study.report import (
  csv_table,
  curves,
  failures,
  figures,
  forest,
  headline,
  latex,
  markdown,
  recipe,
  samples,
  table,
)
from gan_jax.study.report.contents import ReportContents

HERE = pathlib.Path(__file__).parent
STYLES = (page.HERE / 'page.css', HERE / 'study.css')
SCRIPTS = (page.HERE / 'cursor.js', HERE / 'study.js')


def write(workdir, view: ReportContents) -> pathlib.Path:
  """Writes report.html, table.md, table.csv and table.tex of a study.

  Equal contents make equal files, byte for byte; each is written atomically.

  Args:
    workdir: folder of the study.
    view: what is shown; results may still be missing.

  Returns:
    The path of the page.
  """
  workdir = pathlib.Path(workdir)
  files.write_text(workdir / 'table.md', markdown.table(view))
  files.write_text(workdir / 'table.csv', csv_table.table(view))
  files.write_text(workdir / 'table.tex', latex.table(view))
  files.write_text(workdir / 'report.html', page(view))
  return workdir / 'report.html'


def page(view: ReportContents) -> str:
  """The whole HTML page of a study."""
  rows = figures.rows(view)
  parts = [
    headline.headline(view),
    headline.legend(rows),
    table.section(view, rows),
    forest.section(view, rows),
    curves.section(view, rows),
    samples.section(view, rows),
    failures.section(view, rows),
    recipe.differences(view, rows),
    recipe.again(view),
    document.folded('Words', _words(view, rows)),
  ]
  return document.document(
    view.question or view.name,
    ''.join(parts),
    styles=STYLES,
    scripts=SCRIPTS,
  )


def _words(view, rows):
  """What all that is shown means, for those who cannot point at it."""
  names = [view.metric, *view.also, *curves.names(rows)]
  return glossary.listing(dict.fromkeys(names))
