"""What data sets of images share: decode, crop, resize, convert channels."""

import concurrent.futures
import functools
import importlib.util
import itertools
import math
import os
import struct
import warnings
from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np

from gan_jax.types import UserError

# What Pillow raises on a damaged or foreign file.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
# Pillow reads some fifty formats, one of which runs Ghostscript.
FORMATS = ('PNG', 'JPEG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM', 'AVIF')
MAX_PIXELS = 2**26  # of a picture: 8192 x 8192
BACKGROUND = 255  # white, behind transparent parts
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def decode(
  file: str | os.PathLike | BinaryIO, *, image_size: int = 0, channels: int = 0
) -> np.ndarray:
  """Decodes an image file, turns it upright and fits it.

  Uses the first frame of an animation and the upper 8 of 16 bits; transparent
  parts are shown on white.

  Args:
    file: a path or an open file.
    image_size: side of the result, 0 = as it is.
    channels: 1 or 3, 0 = as it is (grey or colour).

  Returns:
    [H, W, C] uint8.

  Raises:
    one of UNREADABLE: the file is damaged, not an image, or too large.
  """
  image_lib, transpose = _pillow()
  try:
    # Only the header is read until the pixels are asked for.
    with image_lib.open(file, formats=_formats()) as opened:
      width, height = opened.size
      if width * height > MAX_PIXELS:
        raise ValueError(f'{width} x {height} pixels are too many')
      array = _pixels(transpose(opened))
  except (
    image_lib.DecompressionBombError,
    image_lib.DecompressionBombWarning,
  ) as e:
    raise ValueError(str(e)) from e
  return fit(array, image_size=image_size, channels=channels)


@functools.cache
def _pillow():
  """(PIL.Image, what turns a picture upright), silenced."""
  from PIL import Image, ImageOps

  # Pillow only warns of large pictures, on stderr; here they are refused.
  warnings.filterwarnings('error', category=Image.DecompressionBombWarning)
  # It also warns of damaged palettes and EXIF blocks, which do not matter here.
  warnings.filterwarnings('ignore', module='PIL')
  return Image, ImageOps.exif_transpose


@functools.cache
def _formats():
  """FORMATS without those that this Pillow does not know."""
  avif = importlib.util.find_spec('PIL.AvifImagePlugin') is not None
  return tuple(f for f in FORMATS if avif or f != 'AVIF')


def _pixels(image):
  """[H, W, 1 or 3] uint8 of a Pillow image of any mode."""
  if image.mode.startswith('I'):  # 16 bits: Pillow would clip them, not scale
    return (np.asarray(image) >> 8).astype(np.uint8)[..., None]
  grey = image.mode in ('1', 'L', 'LA')
  if image.has_transparency_data:
    return _on_background(np.asarray(image.convert('LA' if grey else 'RGBA')))
  return np.atleast_3d(np.asarray(image.convert('L' if grey else 'RGB')))


def _on_background(x):
  """[H, W, C + 1], opacity last -> [H, W, C]."""
  opacity = x[..., -1:].astype(np.float32) / 255
  mixed = x[..., :-1] * opacity + BACKGROUND * (1 - opacity)
  return np.rint(mixed).astype(np.uint8)


def fit(x: np.ndarray, *, image_size: int = 0, channels: int = 0) -> np.ndarray:
  """Cuts out the central square, resizes it (Lanczos), sets the channels.

  Args:
    x: [H, W, C] uint8 or float32.
    image_size: side of the result, 0 = neither cut nor resize.
    channels: 1 (luma of three) or 3 (one repeated), 0 = as it is.

  Returns:
    [H, W, C] of x's type, values within the range of x's.
  """
  if image_size:
    x = _resize(_centre_square(x), image_size)
  if channels in (0, x.shape[-1]):
    return x
  if channels == 1 and x.shape[-1] == 3:
    return _grey(x)
  if channels == 3 and x.shape[-1] == 1:
    return np.repeat(x, 3, axis=-1)
  raise UserError(
    f'data.channels={channels}: cannot be made from {x.shape[-1]} channels.'
  )


def _centre_square(x):
  height, width, _ = x.shape
  side = min(height, width)
  top, left = (height - side) // 2, (width - side) // 2
  return x[top : top + side, left : left + side]


def _resize(x, side):
  from PIL import Image

  if x.shape[:2] == (side, side):
    return x
  planes = [Image.fromarray(x[..., c].copy()) for c in range(x.shape[-1])]
  lanczos = Image.Resampling.LANCZOS
  resized = np.stack([p.resize((side, side), lanczos) for p in planes], -1)
  # The filter overshoots at edges; uint8 is clipped by Pillow anyway.
  return np.clip(resized, x.min(), x.max())


def _grey(x):
  luma = (x * _LUMA[None, None, :]).sum(-1, keepdims=True)
  return np.rint(luma).astype(np.uint8) if x.dtype == np.uint8 else luma


def check_options(*, image_size: int = 0, channels: int = 0) -> None:
  """Raises UserError for invalid options of an image data set."""
  whole = isinstance(image_size, int) and not isinstance(image_size, bool)
  if not whole or not 0 <= image_size**2 <= MAX_PIXELS or image_size < 0:
    raise UserError(
      f'data.image_size={image_size}: expected 0 (as is) or more, up to'
      f' {math.isqrt(MAX_PIXELS)}.'
    )
  if channels not in (0, 1, 3):
    raise UserError(f'data.channels={channels}: expected 1, 3 or 0 (as is).')


def in_parallel(function: Callable, items: Sequence) -> list:
  """[function(i) for i in items] in threads; Pillow releases the GIL."""
  workers = min(os.cpu_count() or 1, 8, len(items) // 16 + 1)
  if workers == 1:
    return [function(i) for i in items]
  share = -(-len(items) // workers)
  parts = [items[i : i + share] for i in range(0, len(items), share)]
  with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    done = pool.map(lambda part: [function(i) for i in part], parts)
    return list(itertools.chain.from_iterable(done))
