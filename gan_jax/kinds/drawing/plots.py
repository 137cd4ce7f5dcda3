"""What plots by Matplotlib share: figures without a window, quiet axes."""

from typing import Any

import numpy as np

INK, ACCENT, PALE = '#3a3f47', '#3457d5', '#c9ced6'
DPI = 100


def figure(width: int, height: int) -> Any:
  """An empty figure of so many pixels."""
  # Not pyplot, which keeps figures alive and picks a window system.
  from matplotlib.figure import Figure

  return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def drawn(figure: Any) -> Any:
  """A figure as an RGB `PIL.Image.Image`."""
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from PIL import Image

  canvas = FigureCanvasAgg(figure)
  canvas.draw()
  return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert('RGB')


def quiet(axes: Any, *, ticks: int = 5):
  """Axes that do not speak louder than what they measure."""
  axes.tick_params(colors='#8a919c', labelsize=8, length=0)
  axes.locator_params(nbins=ticks)
  axes.grid(color='#eef0f3', linewidth=1, zorder=0)
  axes.set_axisbelow(True)
  for side in axes.spines.values():
    side.set_visible(False)
