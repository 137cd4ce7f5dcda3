"""Samples of every cell side by side, embedded."""

import html
import pathlib

from gan_jax.report import document, gallery
from gan_jax.study.report import figures, marks
from gan_jax.study.report.contents import ReportContents

# Sides of the pictures, largest first, and how many of them a page can hold.
SIDES = {480: 6, 360: 12, 240: 30, 160: 80}
BUDGET = 2_000_000  # characters of all pictures


def section(view: ReportContents, rows: list[figures.Row]) -> str:
  """The <section> with the last pictures; '' if there are none."""
  paths = {row.index: path for row in rows if (path := _path(row))}
  if not paths:
    return ''
  urls = _embed(paths)
  shown = ''.join(_figure(row, urls.get(row.index)) for row in rows)
  lead = (
    f'The first seed of every cell ({view.seed}), from the same latents,'
    ' when it was last drawn.'
  )
  return document.section(
    'Samples',
    f'<p class="lead">{lead}</p><div class="samples">{shown}</div>',
    name='samples',
  )


def _path(row):
  path = row.cell.picture
  return path if path and pathlib.Path(path).exists() else None


def _embed(paths):
  """The pictures as URLs, as large as the budget allows."""
  sides = [s for s, most in SIDES.items() if len(paths) <= most]
  for side in sides or [min(SIDES)]:
    urls = {k: gallery.embed(path, side=side) for k, path in paths.items()}
    urls = {k: url for k, url in urls.items() if url}
    if sum(map(len, urls.values())) <= BUDGET:
      break
  else:
    urls = _first(urls)
  return urls


def _first(urls):
  """Those that fit the budget, in order."""
  kept, left = {}, BUDGET
  for k, url in urls.items():
    if len(url) <= left:
      kept[k], left = url, left - len(url)
  return kept


def _figure(row, url):
  name = html.escape(row.cell.name, quote=True)
  plate = '<div class="plate none">no picture</div>'
  if url:
    plate = (
      f'<div class="plate"><img src="{url}" alt="Samples of {name}"></div>'
    )
  return (
    f'<figure{marks.owner(row)}><figcaption>{marks.tag(row)}</figcaption>'
    f'{plate}</figure>'
  )
