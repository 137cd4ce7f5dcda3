"""Samples as letters of a terminal, at most 80 in a line."""

from collections.abc import Sequence

import numpy as np

WIDTH = 80
GREYS = ' ░▒▓█'  # dark to light
STEPS = '▁▂▃▄▅▆▇█'
ACROSS, DOWN = 40, 18  # letters of a field of dots
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def images(grey: np.ndarray, *, names: Sequence[str] | None = None):
  """Grey images side by side; a letter is two pixels high.

  Args:
    grey: [N, H, W] in [0, 1].
    names: N, above the images, or None.

  Returns:
    lines.
  """
  step = -(-grey.shape[2] // WIDTH)  # of a wide image every so many pixels
  grey = grey[:, ::step, ::step]
  grey = np.pad(grey, ((0, 0), (0, grey.shape[1] % 2), (0, 0)), 'edge')
  n, height, width = grey.shape
  tall = grey.reshape(n, height // 2, 2, width).mean(axis=2)  # [N, H / 2, W]
  levels = np.clip(np.nan_to_num(tall) * len(GREYS), 0, len(GREYS) - 1)
  cells = np.array(list(GREYS))[levels.astype(int)]
  each = max(1, (WIDTH + 1) // (width + 1))
  made = []
  for start in range(0, n, each):
    row = cells[start : start + each]
    if names is not None:
      own = names[start : start + each]
      made.append(' '.join(f'{name[:width]:<{width}}' for name in own))
    made += [' '.join(''.join(x[y]) for x in row) for y in range(len(row[0]))]
    made.append('')
  return [line.rstrip() for line in made[:-1]]


def dots(points: np.ndarray) -> list[str]:
  """Points in a field of braille dots.

  Args:
    points: [N, 2] in [0, 1]; what lies outside is left out.

  Returns:
    lines.
  """
  field = np.zeros((DOWN, ACROSS), int)
  inside = (np.nan_to_num(points, nan=-1.0) >= 0).all(1) & (points < 1).all(1)
  x, y = (points[inside] * (2 * ACROSS, 4 * DOWN)).astype(int).T
  y = 4 * DOWN - 1 - y  # upwards
  np.bitwise_or.at(field, (y // 4, x // 2), _DOTS[y % 4, x % 2])
  return [''.join(chr(0x2800 + int(c)) for c in row) for row in field]


def curve(values: np.ndarray, *, low: float, high: float) -> str:
  """One line of a curve: its means over equal stretches, in eight steps.

  Args:
    values: [T].
    low: that is the lowest step.
    high: that is the highest one.
  """
  parts = np.array_split(np.nan_to_num(values), min(len(values), WIDTH))
  means = np.array([part.mean() for part in parts])
  scaled = (means - low) / max(high - low, 1e-12) * len(STEPS)
  return ''.join(STEPS[int(k)] for k in np.clip(scaled, 0, len(STEPS) - 1))
