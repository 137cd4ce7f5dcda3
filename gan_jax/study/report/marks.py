"""HTML fragments that the sections of a study's page share."""

import html

from gan_jax.storage import files
from gan_jax.study.report import figures

GLYPHS = {'better': '▲', 'worse': '▼', 'no difference': '=', 'cannot tell': '?'}


def swatch(key: str) -> str:
  """A short piece of a cell's line.

  Args:
    key: classes of its colour and dashes.
  """
  return (
    '<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true">'
    f'<path class="line {key}" d="M1 4H25"/></svg>'
  )


def tag(row: figures.Row) -> str:
  """A cell's line, number and name."""
  return (
    f'<span class="tag">{swatch(row.key)}<b>{row.index + 1}</b> '
    f'<span>{html.escape(row.cell.name)}</span></span>'
  )


def owner(row: figures.Row | None) -> str:
  """The attribute by which the script knows what belongs to a cell."""
  return f' data-cell="{row.index}"' if row else ''


def number(value, digits: int, *, sign: str = '') -> str:
  """A number with a real minus, and the exact one for machines."""
  value = figures.real(value)
  if value is None:
    return figures.DASH
  exact = html.escape(str(files.plain(value)), quote=True)
  shown = minus(figures.fixed(value, digits, sign=sign))
  return f'<data value="{exact}" title="{exact}">{shown}</data>'


def span(interval, digits: int, *, sign: str = '') -> str:
  """An interval in small print; '' without one."""
  shown = figures.span(interval, digits, sign=sign)
  return shown and f'<small>{minus(shown)}</small>'


def minus(shown: str) -> str:
  """A number with a minus sign for its hyphen."""
  return shown.replace('-', '\u2212')


def sign(word: str) -> str:
  """The sign of a verdict, readable without colour."""
  return (
    f'<i class="sign {_kind(word)}" aria-hidden="true">'
    f'{GLYPHS.get(word, "·")}</i>'
  )


def verdict(word: str) -> str:
  """A verdict with its sign."""
  shown = f'{sign(word)} {html.escape(word)}'
  return f'<span class="verdict {_kind(word)}">{shown}</span>'


def _kind(word):
  return html.escape(word.replace(' ', '-'), quote=True)
