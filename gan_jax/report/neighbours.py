"""Samples beside the nearest real examples."""

import numpy as np

from gan_jax.report import pictures

COLUMNS = 2  # blocks side by side
SPACE = 24  # pixels between a sample and its neighbours, and between blocks


def neighbours(samples, nearest):
  """A picture in rows: a sample, then its neighbours, nearest first.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    nearest: [N, k, H, W, C], likewise.

  Returns:
    A `PIL.Image.Image`, RGB.
  """
  from PIL import Image

  samples = pictures.pixels(samples)  # [N, H, W, 3]
  n, k = np.shape(nearest)[:2]
  flat = np.reshape(nearest, (n * k, *np.shape(nearest)[2:]))
  nearest = pictures.pixels(flat).reshape(n, k, *samples.shape[1:])
  scale = max(1, pictures.WIDTH // (COLUMNS * (k + 1) * samples.shape[2]))
  blocks = [_row(x, of, scale) for x, of in zip(samples, nearest, strict=True)]
  height, width, _ = blocks[0].shape
  rows = -(-n // COLUMNS)
  sheet = np.empty(
    (
      rows * (height + pictures.GAP) - pictures.GAP,
      COLUMNS * (width + SPACE) - SPACE,
      3,
    ),
    np.uint8,
  )
  sheet[:] = pictures.GROUND
  for i, block in enumerate(blocks):
    y = (i % rows) * (height + pictures.GAP)
    x = (i // rows) * (width + SPACE)
    sheet[y : y + height, x : x + width] = block
  return Image.fromarray(sheet)


def _row(sample, nearest, scale):
  """[H, W', 3]: a sample, a space, its neighbours."""
  height = sample.shape[0] * scale
  space, gap = (
    np.broadcast_to(np.uint8(pictures.GROUND), (height, w, 3))
    for w in (SPACE // 2, pictures.GAP)
  )
  grow = lambda x: x.repeat(scale, axis=0).repeat(scale, axis=1)
  parts = [grow(sample), space]
  for image in nearest:
    parts += [grow(image), gap]
  return np.concatenate(parts[:-1], axis=1)
