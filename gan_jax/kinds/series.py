"""Series [N, T, C]: values of C quantities at T moments.

What a data set's `about` may say of its quantities: `columns`, their names;
`low` and `high`, of each the values that are -1 and 1 in the networks (fitted
on the training part alone), without which values are as they are; `least` and
`most`, its ends, if they are others.
"""

import csv
from typing import Any

import numpy as np

from gan_jax.kinds.drawing import plots, terminal
from gan_jax.types import Dataset

SHOWN = 12  # four rows of three
MAX_REAL = 10_000  # pairs of them are compared
RANGE = None
BACKDROP = False
SUFFIXES = ('.csv', '.png', '.webp')
FEATURES = ('classifier',)
MEASURED = ('time',)
mirror = neighbours = fragment = None

ACROSS = 3  # panels in a row
WIDTH, HEIGHT = 200, 150  # pixels of a panel
ABOVE, BELOW = 34, 22  # all panels: names, numbers
NAMED = 6  # columns with a legend, at most
UNLIKE = 20  # times that the range of one column is wider than another's


# ------------------------------------------------------------- model range


def to_model_range(x: Any, *, dataset: Dataset | None = None) -> Any:
  """Values [..., T, C] -> float32, of each column its low and high at -1, 1."""
  low, high = (_like(end, x) for end in _scale(dataset))
  if low is None:
    return x.astype(np.float32)
  return ((x - low) * (2 / (high - low)) - 1).astype(np.float32)


def from_model_range(samples: Any, *, dataset: Dataset | None = None) -> Any:
  """The way back, float32."""
  low, high = (_like(end, samples) for end in _scale(dataset))
  if low is None:
    return samples
  return ((samples + 1) * ((high - low) / 2) + low).astype(np.float32)


to_metrics = to_model_range


def _scale(dataset, names=('low', 'high')):
  """(low, high) of the columns, each [1, C]; (None, None) if there is none."""
  about = (dataset.about if dataset else None) or {}
  if names[0] not in about:
    return None, None
  low, high = (np.asarray(about[k], np.float32).reshape(1, -1) for k in names)
  return low, high


def _like(end, x):
  """An end [1, C] with as many axes as x, since JAX is asked to add none."""
  return None if end is None else end.reshape((1,) * (x.ndim - 1) + (-1,))


def as_images(samples: np.ndarray, *, about: Any = None) -> np.ndarray:
  """Time down, quantities across: [N, T, C, 1]."""
  del about
  return samples[..., None]


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """What tells the whole series apart where some are held out."""
  rest = ('acf_distance', 'tail_distance')
  if 'held_out' in there:
    return 'discriminative', 'mmd', *rest
  return *rest, 'precision', 'coverage'


# ---------------------------------------------------------------- pictures


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Curves in small panels, all on the same axes.

  Of many columns there is no curve each, but a row for each moment from above.

  Args:
    samples: [N, T, C] in model range.
    dataset: says what the columns are called, and their units.
    real: not needed.
    labels: N names, above the panels, or None.

  Returns:
    An RGB `PIL.Image.Image`, 600 pixels wide.
  """
  del real
  values = from_model_range(np.asarray(samples), dataset=dataset)
  rows = -(-len(values) // ACROSS)
  figure = plots.figure(ACROSS * WIDTH, rows * HEIGHT)
  top, bottom = 1 - ABOVE / (rows * HEIGHT), BELOW / (rows * HEIGHT)
  panels = figure.subplots(
    rows, ACROSS, squeeze=False, sharex=True, sharey=True,
    gridspec_kw={'left': 0.08, 'right': 0.99, 'top': top, 'bottom': bottom},
  )  # fmt: skip
  values, limits, note = _on_one_axis(values, dataset)
  for k, axes in enumerate(panels.ravel()):
    if k < len(values):
      title = None if labels is None else str(labels[k])
      _panel(axes, values[k], limits=limits, title=title)
    else:
      axes.set_visible(False)
    if k >= len(values) - ACROSS:  # the last one of its column
      axes.tick_params(labelbottom=True)
  _legend(figure, panels[0, 0], dataset, note)
  return plots.drawn(figure)


def _panel(axes, curves, *, limits, title):
  """One series [T, C]."""
  from matplotlib import colormaps

  plots.quiet(axes, ticks=4)
  if curves.shape[1] > NAMED:
    axes.grid(visible=False)
    low, high = limits
    axes.imshow(curves, aspect='auto', cmap='gray', vmin=low, vmax=high)
    _entitle(axes, title)
    return
  colours = colormaps['tab10'].colors
  for c, curve in enumerate(curves.T):
    colour = plots.ACCENT if curves.shape[1] == 1 else colours[c % len(colours)]
    axes.plot(curve, color=colour, linewidth=1.1, label=str(c))
  axes.set_ylim(*limits)
  _entitle(axes, title)


def _entitle(axes, title):
  """A name above a panel, in so many letters."""
  if title:
    text = axes.set_title(title, fontsize=8, color=plots.INK, pad=2)
    text.set_parse_math(False)


def _legend(figure, axes, dataset, note):
  """The names of the columns, where they are few and have some."""
  names = ((dataset.about if dataset else None) or {}).get('columns', ())
  lines = axes.get_lines()
  if not 1 < len(names) <= NAMED or len(lines) != len(names):
    return
  legend = figure.legend(
    lines, ['·'] * len(lines), loc='upper center', ncols=len(lines),
    frameon=False, fontsize=8, labelcolor=plots.INK, borderpad=0.0,
  )  # fmt: skip
  for text, name in zip(legend.get_texts(), names, strict=True):
    text.set_parse_math(False)
    text.set_text(str(name))
  if note:
    figure.text(
      0.99, 0.995, note, ha='right', va='top', fontsize=8, color=plots.INK
    )


def _ends(values, dataset):
  """The lowest and highest value of each column, each [1, C].

  Of the data if they are known, or of the samples.
  """
  low, high = _scale(dataset, ('least', 'most'))
  if low is None:
    low, high = _scale(dataset)
  if low is None:
    finite = np.where(np.isfinite(values), values, 0).reshape(
      -1, values.shape[-1]
    )
    low, high = finite.min(axis=0)[None], finite.max(axis=0)[None]
  return low, high


def _limits(values, dataset):
  """The ends of an axis for all columns."""
  low, high = _ends(values, dataset)
  low, high = float(np.min(low)), float(np.max(high))
  margin = 0.08 * max(high - low, 1e-6)
  return low - margin, high + margin


def _on_one_axis(values, dataset):
  """(values, limits, a word): on an axis from 0 to 1 what has unlike units."""
  low, high = _ends(values, dataset)
  span = np.maximum(high - low, 1e-6)
  if span.max() <= UNLIKE * span.min() or span.size > NAMED:
    return values, _limits(values, dataset), ''
  return (values - low) / span, (-0.08, 1.08), 'each from 0 to 1 of its range'


def lines(samples, *, dataset: Dataset | None = None, labels=None) -> list[str]:
  """A line for each curve of a terminal; one more with its class.

  Args:
    samples: [N, T, C] in model range.
    dataset: its scale fixes the heights.
    labels: N names, or None.
  """
  values = from_model_range(np.asarray(samples), dataset=dataset)
  ends = [end.ravel().tolist() for end in _ends(values, dataset)]
  made = []
  for k, curves in enumerate(values):
    made += [] if labels is None else [str(labels[k])[: terminal.WIDTH]]
    made += [
      terminal.curve(curve, low=low, high=high)
      for curve, low, high in zip(curves.T, *ends, strict=True)
    ]
  return made


# ------------------------------------------------------------------ export


def export(
  path, samples, *, dataset: Dataset | None = None, real=None, labels=None
):
  """Writes the picture, or a .csv with a row for each moment.

  Its columns: `series` and `time`, counted from 0; `class` where labels are
  given; then the quantities in the units of the data.
  """
  if not str(path).endswith('.csv'):
    made = picture(samples, dataset=dataset, real=real, labels=labels)
    made.save(path, lossless=True)
    return
  values = from_model_range(np.asarray(samples), dataset=dataset)
  with open(path, 'w', newline='', encoding='utf-8') as file:
    writer = csv.writer(file)
    kinds = [] if labels is None else ['class']
    writer.writerow(['series', 'time', *kinds, *_columns(values, dataset)])
    for k, curves in enumerate(values):
      own = [] if labels is None else [labels[k]]
      writer.writerows([k, t, *own, *row] for t, row in enumerate(curves))


def _columns(values, dataset):
  """The names of the columns; 'value' of a single one without."""
  about = (dataset.about if dataset else None) or {}
  count = values.shape[-1]
  usual = ['value'] if count == 1 else [f'value_{c}' for c in range(count)]
  return list(about.get('columns') or usual)
