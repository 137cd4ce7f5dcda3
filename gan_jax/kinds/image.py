"""Images [N, H, W, C]: uint8 levels on disk, [-1, 1] in the networks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.kinds.drawing import sheets, terminal
from gan_jax.types import Dataset

SHOWN = 100  # ten rows of ten
MAX_REAL = 50_000  # as many as CIFAR-10, and most published FIDs, have
RANGE = -1.0, 1.0
BACKDROP = False
SUFFIXES = ('.png', '.webp')
FEATURES = ('classifier', 'random_conv', 'inception')
MEASURED = ()
fragment = None

WIDTH, GAP, GROUND = sheets.WIDTH, sheets.GAP, sheets.GROUND
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


def as_images(samples: np.ndarray, *, about: Any = None) -> np.ndarray:
  """Images they are."""
  del about
  return samples


def mirror(x):
  """Left to right: [..., H, W, C]."""
  return x[..., ::-1, :]


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """FID; with a classifier of the data's own, how many classes appear too."""
  return ('fid', 'class_coverage') if 'classes' in there else ('fid',)


# ---------------------------------------------------------------- pictures


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Images side by side, enlarged by a whole factor; see drawing.sheets.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    dataset: whose classes are the order of the columns.
    real: not needed.
    labels: N names of classes; each is a column then, and has its name above.

  Returns:
    A `PIL.Image.Image`, RGB, or RGBA where the samples have an alpha channel;
    about 600 pixels wide. Without labels cell k is image k.
  """
  from PIL import Image

  del real
  images = pixels(samples)  # [N, H, W, 3 or 4]
  if labels is None:
    return Image.fromarray(sheets.grid(images))
  classes = dataset.class_names if dataset else ()
  return sheets.by_class(images, list(labels), classes=classes)


def rows(samples):
  """A picture of strips, each a row.

  Args:
    samples: [R, K, H, W, C] in [-1, 1] or uint8: K images in each row.

  Returns:
    A `PIL.Image.Image`, RGB or RGBA.
  """
  from PIL import Image

  count, across = samples.shape[:2]
  flat = np.reshape(samples, (count * across, *samples.shape[2:]))
  return Image.fromarray(sheets.grid(pixels(flat), columns=across))


def export(
  path, samples, *, dataset: Dataset | None = None, real=None, labels=None
):
  """Writes .png or lossless .webp: the picture, or the sample if it is one."""
  if len(samples) == 1:
    made = alone(samples[0])
  else:
    made = picture(samples, dataset=dataset, real=real, labels=labels)
  # `exact` keeps the colours of what is transparent.
  made.save(path, lossless=True, exact=True)


def lines(samples, *, dataset: Dataset | None = None, labels=None) -> list[str]:
  """Images of a terminal: two rows of pixels in each line, in five greys.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    dataset: not needed.
    labels: N names, above the images, or None.
  """
  del dataset
  grey = pixels(samples)[..., :3].mean(axis=-1) / 255  # [N, H, W]
  return terminal.images(grey, names=labels)


def alone(sample):
  """One sample [H, W, C] as a `PIL.Image.Image` of its own size and channels.

  One channel is grey, two are grey and alpha, three colour, four colour and
  alpha.
  """
  from PIL import Image

  levels = _levels(np.asarray(sample))
  channels = levels.shape[-1]
  mode = ('L', 'LA', 'RGB', 'RGBA')[min(channels, 4) - 1]
  levels = levels[..., :4]
  levels = levels[..., 0] if channels == 1 else levels
  if mode != 'LA':
    return Image.fromarray(levels)
  parts = [Image.fromarray(levels[..., c]) for c in range(2)]
  return Image.merge('LA', parts)


def neighbours(samples, nearest):
  """A picture in rows: a sample, then its neighbours, nearest first.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
    nearest: [N, k, H, W, C], likewise.

  Returns:
    A `PIL.Image.Image`, RGB or RGBA.
  """
  from PIL import Image

  samples = pixels(samples)  # [N, H, W, 3 or 4]
  n, k = np.shape(nearest)[:2]
  flat = np.reshape(nearest, (n * k, *np.shape(nearest)[2:]))
  nearest = pixels(flat).reshape(n, k, *samples.shape[1:])
  scale = max(1, WIDTH // (COLUMNS * (k + 1) * samples.shape[2]))
  blocks = [
    _block(x, of, scale) for x, of in zip(samples, nearest, strict=True)
  ]
  height, width, channels = blocks[0].shape
  rows = -(-n // COLUMNS)
  sheet = sheets.ground(
    rows * (height + GAP) - GAP, COLUMNS * (width + SPACE) - SPACE, channels
  )
  for i, block in enumerate(blocks):
    y, x = (i % rows) * (height + GAP), (i // rows) * (width + SPACE)
    sheets.put(sheet, block, y, x)
  return Image.fromarray(sheet)


def pixels(samples) -> np.ndarray:
  """Samples as colours, [N, H, W, 3] uint8, or [N, H, W, 4] with alpha.

  One channel is shown in grey, two in grey with alpha, four in colour with
  alpha, more by their first three.

  Args:
    samples: [N, H, W, C] in [-1, 1] or uint8.
  """
  levels = _levels(np.asarray(samples))
  channels = levels.shape[-1]
  colours = levels[..., :3] if channels >= 3 else levels[..., :1]
  colours = np.broadcast_to(colours, (*levels.shape[:-1], 3))
  if channels not in (2, 4):
    return colours
  return np.concatenate([colours, levels[..., -1:]], axis=-1)


def _levels(samples):
  """[-1, 1] or uint8 -> uint8; black where a sample is not a number."""
  return samples if samples.dtype == np.uint8 else from_model_range(samples)


def _block(sample, nearest, scale):
  """[scale H, W', C]: a sample, a space, its neighbours."""
  height, channels = sample.shape[0] * scale, sample.shape[-1]
  space, gap = (
    sheets.ground(height, width, channels) for width in (SPACE // 2, GAP)
  )
  parts = [sheets.enlarged(sample, scale), space]
  for image in nearest:
    parts += [sheets.enlarged(image, scale), gap]
  return np.concatenate(parts[:-1], axis=1)
