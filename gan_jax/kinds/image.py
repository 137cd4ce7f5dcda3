"""Images [N, H, W, C]: uint8 levels on disk, [-1, 1] in the networks."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.types import Dataset

SHOWN = 100  # ten rows of ten
MAX_REAL = 50_000  # as many as CIFAR-10, and most published FIDs, have
BACKDROP = False
SUFFIXES = ('.png', '.webp')
FEATURES = ('classifier', 'random_conv', 'inception')

WIDTH = 600  # pixels, about, of a picture
GAP = 2  # pixels between the images of a grid
GROUND = (40, 42, 46)  # colour of the gaps
CAPTION = 14  # pixels of height of a label beneath an image
COLUMNS = 2  # blocks of neighbours side by side
SPACE = 24  # pixels between a sample and its neighbours, and between blocks


# ------------------------------------------------------------- model range


def to_model_range(x: jax.Array, *, dataset: Dataset | None = None):
  """uint8 [...] -> float32 in [-1, 1] by x / 127.5 - 1; floats pass through."""
  del dataset  # levels mean the same everywhere
  if x.dtype != jnp.uint8:
    return x
  # Exact up to the one product, so that no fusion can change the result. (XLA
  # makes a product of a division by a constant, but not everywhere.)
  return (2 * x.astype(jnp.float32) - 255) * jnp.float32(1 / 255)


def from_model_range(samples: Any, *, dataset: Dataset | None = None) -> Any:
  """Floats in [-1, 1] [...] -> uint8, rounded; clipped beyond, NaN is black.

  NumPy gives NumPy, JAX gives JAX.
  """
  del dataset
  xp = np if isinstance(samples, np.ndarray) else jnp
  levels = (samples.astype(xp.float32) + 1) * 127.5
  levels = xp.where(xp.isnan(levels), 0, levels)
  return xp.rint(xp.clip(levels, 0, 255)).astype(xp.uint8)


def to_metrics(x: np.ndarray, *, dataset: Dataset | None = None):
  """Levels stay levels: the feature nets were trained on image files."""
  del dataset
  return x


def mirror(x):
  """Left to right: [..., H, W, C]."""
  return x[..., ::-1, :]


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """FID; with a classifier of the data's own, how many classes appear too."""
  return ('fid', 'class_coverage') if 'classes' in there else ('fid',)


# ---------------------------------------------------------------- pictures


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Images side by side, row after row, enlarged by a whole factor.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    dataset: not needed.
    real: not needed.
    labels: N names to write beneath them.

  Returns:
    An RGB `PIL.Image.Image`, about 600 pixels wide; cell k is image k.
  """
  from PIL import Image

  del dataset, real
  images = pixels(samples)  # [N, H, W, 3]
  n, height, width, _ = images.shape
  columns = math.ceil(math.sqrt(n))
  rows = math.ceil(n / columns)
  scale = max(1, WIDTH // (columns * width))
  caption = CAPTION if labels is not None else 0
  images = _enlarged(images, scale)
  cell_h, cell_w = height * scale + caption + GAP, width * scale + GAP
  sheet = _ground(rows * cell_h + GAP, columns * cell_w + GAP)
  corners = [
    (GAP + k // columns * cell_h, GAP + k % columns * cell_w) for k in range(n)
  ]
  for image, (y, x) in zip(images, corners, strict=True):
    sheet[y : y + height * scale, x : x + width * scale] = image
  sheet = Image.fromarray(sheet)
  if labels is not None:
    _write_labels(sheet, labels, corners, cell=(cell_h - GAP, cell_w - GAP))
  return sheet


def export(path, samples, *, dataset: Dataset | None = None, real=None):
  """Writes the picture as .png or lossless .webp, as its suffix says."""
  picture(samples, dataset=dataset, real=real).save(path, lossless=True)


def neighbours(samples, nearest):
  """A picture in rows: a sample, then its neighbours, nearest first.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    nearest: [N, k, H, W, C], likewise.

  Returns:
    A `PIL.Image.Image`, RGB.
  """
  from PIL import Image

  samples = pixels(samples)  # [N, H, W, 3]
  n, k = np.shape(nearest)[:2]
  flat = np.reshape(nearest, (n * k, *np.shape(nearest)[2:]))
  nearest = pixels(flat).reshape(n, k, *samples.shape[1:])
  scale = max(1, WIDTH // (COLUMNS * (k + 1) * samples.shape[2]))
  blocks = [
    _block(x, of, scale) for x, of in zip(samples, nearest, strict=True)
  ]
  height, width, _ = blocks[0].shape
  rows = -(-n // COLUMNS)
  sheet = _ground(
    rows * (height + GAP) - GAP, COLUMNS * (width + SPACE) - SPACE
  )
  for i, block in enumerate(blocks):
    y, x = (i % rows) * (height + GAP), (i // rows) * (width + SPACE)
    sheet[y : y + height, x : x + width] = block
  return Image.fromarray(sheet)


def pixels(samples) -> np.ndarray:
  """Samples as RGB: [N, H, W, C] in [-1, 1] or uint8 -> [N, H, W, 3] uint8.

  One or two channels are shown in grey (the first), four and more by their
  first three.
  """
  samples = np.asarray(samples)
  if samples.dtype != np.uint8:
    # Black where a sample is not a number.
    samples = np.nan_to_num(samples.astype(np.float32), nan=-1.0)
    samples = np.rint((samples.clip(-1, 1) + 1) * 127.5).astype(np.uint8)
  if samples.shape[-1] < 3:
    samples = samples[..., :1]
  return np.broadcast_to(samples[..., :3], (*samples.shape[:-1], 3))


def _enlarged(images, scale):
  """[..., H, W, C] -> [..., scale H, scale W, C]."""
  return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def _ground(height, width):
  """An empty sheet [height, width, 3] uint8."""
  sheet = np.empty((height, width, 3), np.uint8)
  sheet[:] = GROUND
  return sheet


def _block(sample, nearest, scale):
  """[scale H, W', 3]: a sample, a space, its neighbours."""
  height = sample.shape[0] * scale
  space, gap = (_ground(height, width) for width in (SPACE // 2, GAP))
  parts = [_enlarged(sample, scale), space]
  for image in nearest:
    parts += [_enlarged(image, scale), gap]
  return np.concatenate(parts[:-1], axis=1)


def _write_labels(sheet, labels, corners, *, cell):
  from PIL import ImageDraw, ImageFont

  height, width = cell
  font = ImageFont.load_default(11)
  draw = ImageDraw.Draw(sheet)
  for label, (y, x) in zip(labels, corners, strict=True):
    label = str(label)
    while label and draw.textlength(label, font=font) > width:
      label = label[:-1]
    middle = (x + width / 2, y + height - CAPTION / 2)
    draw.text(middle, label, font=font, fill=(214, 217, 222), anchor='mm')
