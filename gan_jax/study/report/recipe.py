"""What differs between the cells, and how to reproduce the study."""

import html

from gan_jax.report import document, tables
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents


def differences(view: ReportContents, rows: list[figures.Row]) -> str:
  """A <section>: a row for each cell, a column for each key that differs."""
  keys = list(dict.fromkeys(k for row in rows for k in row.cell.differs))
  if not keys:
    return ''
  head = ''.join(
    f'<th scope="col"><code>{html.escape(key)}</code></th>' for key in keys
  )
  body = ''.join(
    f'<tr{marks.owner(row)}><th scope="row">{marks.tag(row)}</th>'
    f'{"".join(_setting(row.cell.differs, key) for key in keys)}</tr>'
    for row in rows
  )
  base = f' <code>{html.escape(view.base)}</code>' if view.base else ' the base'
  return document.section(
    'What differs',
    f'<p class="lead">Everything else is as in{base}.</p>'
    '<div class="card wide settings"><table><thead><tr><th scope="col">Cell'
    f'</th>{head}</tr></thead><tbody>{body}</tbody></table></div>',
    name='what-differs',
  )


def _setting(differs, key):
  if key not in differs:
    return '<td class="same" title="as the base">·</td>'
  shown = html.escape(figures.setting(differs[key]))
  return f'<td><code>{shown}</code></td>'


def again(view: ReportContents) -> str:
  """The <section>s with the power, the commands and the manifest."""
  notes = ''.join(f'<li>{html.escape(note)}</li>' for note in view.notes)
  commands = html.escape('\n'.join(view.commands))
  parts = [
    document.section(
      'What the study can see', notes and f'<ul class="words">{notes}</ul>'
    ),
    document.section(
      'How to reproduce', commands and f'<pre class="card">{commands}</pre>'
    ),
    _settings('Overridden in every cell', view.overrides),
    _settings('Manifest', view.manifest),
  ]
  return ''.join(parts)


def _settings(title, settings):
  return document.folded(title, tables.tree(settings) if settings else '')
