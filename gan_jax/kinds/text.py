"""Text [N, T]: characters by their numbers, uint8 or uint16.

In the networks a sample is [T, V], at each place a distribution over the V
characters: of real ones all of it is on one. A data set's `about` says what the
numbers mean: `alphabet`, V characters; `lines`, whether a sample is a line, so
that it ends with its first newline and not with its last character.
"""

import html
from typing import Any

import numpy as np

from gan_jax.kinds.drawing import lettering, terminal
from gan_jax.types import Dataset

SHOWN = 16
MAX_REAL = 10_000
RANGE = None
BACKDROP = False
SUFFIXES = ('.txt', '.png', '.webp')
FEATURES = ()
MEASURED = ('characters',)
mirror = neighbours = as_images = None

SEARCHED = 10_000  # training samples that a copied run is looked for in
SIZE, LEADING, MARGIN = 15, 22, 12  # of letters and lines in a picture, pixels
WIDEST = 100  # letters of a line in a picture
SIGNS = {'\n': '↵', '\t': '⇥'}


# ------------------------------------------------------------- model range


def to_model_range(x: Any, *, dataset: Dataset | None = None) -> Any:
  """Numbers [..., T] -> float32 [..., T, V], 1 at each character."""
  count = dataset.shape[-1] if dataset else np.iinfo(x.dtype).max + 1
  each = np.arange(count, dtype=np.int32).reshape((1,) * x.ndim + (count,))
  return (x[..., None] == each).astype(np.float32)


def from_model_range(samples: Any, *, dataset: Dataset | None = None) -> Any:
  """The most probable characters [..., T], uint8 or, of many, uint16."""
  del dataset
  few = samples.shape[-1] <= 256
  return samples.argmax(axis=-1).astype(np.uint8 if few else np.uint16)


to_metrics = to_model_range


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """Runs of four characters, words, copies; and the grammar if one is known."""
  if 'characters' not in there:
    return 'precision', 'coverage'
  known = ('grammatical',) if 'grammar' in there else ()
  return 'js_4', *known, 'word_share', 'longest_copy', 'self_bleu'


# ---------------------------------------------------------------- as letters


def written(samples: Any, dataset: Dataset | None = None) -> list[str]:
  """Samples as strings.

  Args:
    samples: [N, T] numbers or [N, T, V] in model range.
    dataset: whose alphabet it is; without one, code points from '!'.
  """
  x = np.asarray(samples)
  x = x if x.ndim == 2 else from_model_range(x)
  x = np.nan_to_num(x).astype(int)
  about = (dataset.about if dataset else None) or {}
  letters = about.get('alphabet') or ''.join(map(chr, range(33, 33 + 2**16)))
  rows = [''.join(letters[k] for k in row) for row in x.tolist()]
  if about.get('lines'):
    rows = [row.partition('\n')[0] for row in rows]
  return rows


def visible(text: str) -> str:
  """A string on one line; what has no shape of its own gets a sign."""
  signs = (SIGNS.get(c, c if c.isprintable() else '·') for c in text)
  return ''.join(signs)


def lines(samples, *, dataset: Dataset | None = None, labels=None) -> list[str]:
  """A line for each sample; one before it with its class.

  Args:
    samples: [N, T, V] in model range.
    dataset: whose alphabet it is.
    labels: N names, or None.
  """
  made = []
  for k, row in enumerate(written(samples, dataset)):
    made += [] if labels is None else [str(labels[k])[: terminal.WIDTH]]
    made.append(visible(row)[: terminal.WIDTH])
  return made


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Lines of letters of one width.

  Args:
    samples: [N, T, V] in model range, or numbers [N, T].
    dataset: whose alphabet it is.
    real: not needed.
    labels: N names, before the lines, or None.

  Returns:
    An RGB `PIL.Image.Image`.
  """
  from PIL import Image, ImageDraw

  del real
  rows = [visible(row) for row in written(samples, dataset)]
  if labels is not None:
    pairs = zip(labels, rows, strict=True)
    rows = [f'{visible(str(label))}: {row}' for label, row in pairs]
  rows = [r if len(r) <= WIDEST else r[: WIDEST - 1] + '…' for r in rows]
  font = lettering.mono(SIZE)
  # As wide as any of these samples could be, so that a film does not jump.
  longest = max(min(samples.shape[1], WIDEST), *map(len, rows))
  width = round(font.getlength('m') * longest) + 2 * MARGIN
  height = LEADING * len(rows) + 2 * MARGIN
  image = Image.new('RGB', (width, height), 'white')
  draw = ImageDraw.Draw(image)
  for k, row in enumerate(rows):
    draw.text((MARGIN, MARGIN + k * LEADING), row, fill='#16191d', font=font)
  return image


def export(
  path, samples, *, dataset: Dataset | None = None, real=None, labels=None
):
  """Writes the picture, or a .txt with a line for each sample.

  A newline within a sample is ↵ in the file. Where labels are given, a line
  begins with the class and a tab.
  """
  if not str(path).endswith('.txt'):
    made = picture(samples, dataset=dataset, real=real, labels=labels)
    made.save(path, lossless=True)
    return
  rows = [row.replace('\n', '↵') for row in written(samples, dataset)]
  if labels is not None:
    rows = [f'{k}\t{row}' for k, row in zip(labels, rows, strict=True)]
  with open(path, 'w', encoding='utf-8', newline='\n') as file:
    file.writelines(f'{row}\n' for row in rows)


# ----------------------------------------------------------------- the page


def fragment(
  samples, *, dataset: Dataset | None = None, real=None, labels=None
) -> str:
  """Letters that can be copied, the longest run from the training data marked.

  Args:
    samples: [N, T, V] in model range.
    dataset: whose alphabet it is, and in which copies are looked for.
    real: samples to stand beside them.
    labels: N names, or None.
  """
  corpus = _corpus(dataset)
  rows = [_marked(row, corpus) for row in written(samples, dataset)]
  if labels is not None:
    pairs = zip(labels, rows, strict=True)
    rows = [f'<i>{_escaped(str(k))}</i> {row}' for k, row in pairs]
  columns = _column('Generated', rows)
  if real is not None:
    columns += _column('Real', map(_escaped, written(real, dataset)))
  return (
    f'<div class="pair">{columns}</div><p class="legend">Marked: the longest'
    f' run of each that stands in {SEARCHED:,} of the training samples, or in'
    ' all of them if they are fewer.</p>'
  )


def _column(title, rows):
  made = '\n'.join(rows)
  style = (
    'overflow-x: auto; padding: 12px 16px; font: 13px/1.6 var(--mono);'
    ' color: var(--ink)'
  )
  return (
    f'<figure><figcaption><h3>{title}, as letters</h3></figcaption>'
    f'<pre class="card" tabindex="0" style="{style}">{made}</pre></figure>'
  )


def _corpus(dataset):
  """Training samples in one string, apart from each other."""
  rows = np.unique(np.linspace(0, dataset.size - 1, SEARCHED).astype(int))
  return '\uffff'.join(written(dataset.read(rows)['x'], dataset))


def longest_run(row: str, corpus: str) -> tuple[int, int]:
  """Where the longest piece of a row that stands in a corpus begins and ends.

  The first of them, of several.
  """
  best, start = (0, 0), 0
  for end in range(1, len(row) + 1):
    while row[start:end] not in corpus:
      start += 1
    if end - start > best[1] - best[0]:
      best = start, end
  return best


def _marked(row, corpus):
  start, end = longest_run(row, corpus)
  run = _escaped(row[start:end])
  style = 'background: var(--wash); color: var(--accent)'
  mark = f'<mark style="{style}">{run}</mark>' if run else ''
  return _escaped(row[:start]) + mark + _escaped(row[end:])


def _escaped(text):
  return html.escape(visible(text), quote=True)
