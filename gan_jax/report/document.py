"""A page as one self-contained file that runs no script but its own."""

import base64
import hashlib
import html
import pathlib


def document(title: str, body: str, *, styles, scripts) -> str:
  """A whole HTML page.

  Args:
    title: as plain text.
    body: HTML, the content of <main>.
    styles: paths of CSS files; later ones override.
    scripts: paths of JavaScript files; together they are the page's only one.
  """
  style, script = map(_joined, (styles, scripts))
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  # Enforced by the browser: whatever the names shown contain, nothing is loaded
  # and no other script runs.
  policy = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{digest}'"
  )
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    f'<title>{html.escape(title)} · gan_jax</title>'
    f'<style>{style}</style></head><body><main>{body}</main>'
    f'<script>{script}</script></body></html>\n'
  )


def _joined(paths):
  return '\n'.join(pathlib.Path(path).read_text('utf-8') for path in paths)


def section(title: str, content: str, *, name: str = '') -> str:
  """A section under a heading; '' without content.

  Args:
    title: HTML.
    content: HTML.
    name: anchor of the section.
  """
  if not content:
    return ''
  anchor = name and f' id="{name}"'
  return f'<section{anchor}><h2>{title}</h2>{content}</section>'


def folded(title: str, content: str, *, attribute: str = '') -> str:
  """A section that opens at a click; '' without content.

  Args:
    title: HTML.
    content: HTML.
    attribute: of the <details>, ' open'.
  """
  if not content:
    return ''
  return (
    f'<section><details{attribute}><summary><h2>{title}</h2></summary>'
    f'{content}</details></section>'
  )
