"""Points [N, D], as they are; pictures show the first two coordinates."""

from typing import Any

import numpy as np

from gan_jax.kinds.drawing import lettering, plots, terminal
from gan_jax.types import Dataset

SHOWN = 2500
MAX_REAL = 10_000  # nearest neighbours take the square of it
RANGE = None
BACKDROP = True
SUFFIXES = ('.png', '.webp')
FEATURES = ()
MEASURED = ()
mirror = neighbours = as_images = fragment = None

NAMED = 10  # classes with a legend, at most; more are hard to tell apart
WIDTH = 600  # pixels of a picture's sides


def to_model_range(x: Any, *, dataset: Dataset | None = None) -> Any:
  """Points pass through: the networks see their coordinates."""
  del dataset
  return x


from_model_range = to_metrics = to_model_range


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """Neighbourhoods: the coordinates themselves are the best of features."""
  del there
  return 'precision', 'coverage'


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Points over the true modes of their data set; see scatter."""
  modes, names = (dataset.modes, dataset.class_names) if dataset else (None, ())
  return scatter(samples, modes=modes, real=real, labels=labels, classes=names)


def export(
  path, samples, *, dataset: Dataset | None = None, real=None, labels=None
):
  """Writes the picture as .png or lossless .webp, as its suffix says."""
  made = picture(samples, dataset=dataset, real=real, labels=labels)
  made.save(path, lossless=True)


def lines(samples, *, dataset: Dataset | None = None, labels=None) -> list[str]:
  """The points of a terminal: a square of braille dots, on the picture's axes.

  Args:
    samples: [N, D].
    dataset: its modes fix the axes.
    labels: not shown.
  """
  del labels
  modes = dataset.modes if dataset else None
  points = in_plane(samples)
  low, high = _limits(points, modes=modes, real=None)
  return terminal.dots((points - low) / (high - low))


def in_plane(points) -> np.ndarray:
  """Points [N, D] as drawn, [N, 2] float32: the first two coordinates, or 0."""
  points = np.asarray(points, np.float32)[:, :2]
  return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def scatter(points, *, modes=None, real=None, labels=None, classes=()):
  """Points in the plane over the true modes, on fixed axes.

  Args:
    points: [N, D].
    modes: {'centers': [M, 2], 'std': float}; rings of 3 std, if visible.
    real: [N, D] real points, drawn beneath; they fix the axes without modes.
    labels: N names to colour points by.
    classes: all names there are, which fix the colours; the labels by default.

  Returns:
    An RGB `PIL.Image.Image`, 600 by 600.
  """
  points = in_plane(points)
  real = real if real is None else in_plane(real)
  figure = plots.figure(WIDTH, WIDTH)
  axes = figure.add_axes((0.07, 0.06, 0.90, 0.90))
  low, high = _limits(points, modes=modes, real=real)
  axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect='equal')
  plots.quiet(axes)
  if real is not None:
    axes.plot(*real.T, ',', color=plots.PALE, zorder=1)
  if modes is not None:
    _draw_modes(axes, modes, unit=WIDTH * 0.9 / (high[0] - low[0]))
  dots = {'s': 7, 'alpha': 0.45, 'linewidths': 0, 'zorder': 3}
  axes.scatter(*points.T, **dots, **_colours(figure, labels, classes))
  _count_outside(axes, points, low, high)
  return plots.drawn(figure)


def _colours(figure, labels, classes):
  """The colours of points, named at the top where they are few."""
  if labels is None:
    return {'color': plots.ACCENT}
  of = _colours_of(classes or dict.fromkeys(labels))
  if len(of) <= NAMED:
    _name_colours(figure, of)
  return {'c': [of[label] for label in labels]}


def _colours_of(classes):
  """{name: colour}; a class has the same in every picture."""
  from matplotlib import colormaps

  names = list(classes)
  few = colormaps['tab10'].colors
  if len(names) <= NAMED:
    return dict(zip(names, few, strict=False))
  hues = colormaps['hsv'](np.linspace(0, 1, len(names), endpoint=False))
  return dict(zip(names, hues, strict=True))


def _name_colours(figure, colours):
  """A line at the top: which colour is which class."""
  from matplotlib.lines import Line2D

  dots = [
    Line2D([], [], color=colour, marker='o', linestyle='', markersize=5)
    for colour in colours.values()
  ]
  names = lettering.titles(colours, list(colours))
  names = [name if len(name) < 12 else f'{name[:10]}…' for name in names]
  legend = figure.legend(
    dots, ['·'] * len(dots), loc='upper center', ncols=len(dots),
    frameon=False, fontsize=8, handletextpad=0.1, columnspacing=1.0,
    labelcolor=plots.INK, borderpad=0.1,
  )  # fmt: skip
  for line, name in zip(legend.get_texts(), names, strict=True):
    line.set_parse_math(False)  # a '$' is a letter, a first '_' hides nothing
    line.set_text(name)


def _limits(points, *, modes, real):
  """Corners of a square around the modes, the real points or the points."""
  if modes is not None:
    known, margin = np.asarray(modes['centers']), 5 * float(modes['std'])
  else:
    known, margin = np.asarray(points if real is None else real), 0.0
  known = known[np.isfinite(known).all(axis=1)]
  if not len(known):
    known = np.zeros((1, 2))
  low, high = known.min(axis=0) - margin, known.max(axis=0) + margin
  half = 0.62 * max(*(high - low), 1e-3)
  return (low + high) / 2 - half, (low + high) / 2 + half


def _draw_modes(axes, modes, *, unit):
  """Rings of 3 std, or of 5 pixels where these are smaller.

  Args:
    axes: of matplotlib.
    modes: {'centers': [M, 2], 'std': float}.
    unit: pixels per unit of the axes.
  """
  radius = max(3 * float(modes['std']) * unit, 5.0)  # pixels
  axes.scatter(
    *np.asarray(modes['centers']).T,
    s=(2 * radius * 0.72) ** 2,  # a diameter in points, at 100 dpi
    facecolors='none',
    edgecolors=plots.INK,
    linewidths=1.2,
    zorder=4,  # above the points, or a good generator hides them
  )


def _count_outside(axes, points, low, high):
  inside = ((points >= low) & (points <= high)).all(axis=1)
  outside = len(points) - int(inside.sum())
  if outside:
    axes.annotate(
      f'{outside:,} of {len(points):,} outside',
      (0.99, 0.01),
      xycoords='axes fraction',
      ha='right',
      fontsize=9,
      color=plots.INK,
    )
