"""Eigenvalues in the complex plane: of a flow, and of steps."""

import numpy as np

from gan_jax.kinds.drawing import plots

SIDE = 480  # pixels of each panel


def picture(flow: np.ndarray, steps: np.ndarray, *, titles: tuple[str, str]):
  """Both beside each other, each with the line that must not be crossed.

  Args:
    flow: [K] complex; it attracts to the left of the imaginary axis.
    steps: [K] complex; they attract within the unit circle.
    titles: of the two panels.

  Returns:
    an RGB `PIL.Image.Image`.
  """
  figure = plots.figure(2 * SIDE, SIDE)
  axes = figure.subplots(1, 2)
  axes[0].axvline(0, color=plots.INK, linewidth=1)
  angle = np.linspace(0, 2 * np.pi, 361)
  axes[1].plot(np.cos(angle), np.sin(angle), color=plots.INK, linewidth=1)
  for one, values, title in zip(axes, (flow, steps), titles, strict=True):
    plots.quiet(one)
    one.scatter(values.real, values.imag, s=26, color=plots.ACCENT, zorder=3)
    one.axhline(0, color=plots.PALE, linewidth=1)
    one.set_title(title, fontsize=10, color=plots.INK)
    one.set_aspect('equal', adjustable='datalim')
    one.set_xlabel('real', fontsize=8, color=plots.INK)
    one.set_ylabel('imaginary', fontsize=8, color=plots.INK)
  figure.tight_layout()
  return plots.drawn(figure)
