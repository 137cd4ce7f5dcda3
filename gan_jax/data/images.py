"""What data sets of images share: decode, crop, resize, convert channels."""

import concurrent.futures
import contextlib
import functools
import importlib.util
import itertools
import math
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from gan_jax.data import ranges, wide
from gan_jax.types import UserError

# What Pillow raises on a damaged or foreign file.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
# Pillow reads some fifty formats, one of which runs Ghostscript.
FORMATS = ('PNG', 'JPEG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM', 'AVIF')
MAX_PIXELS = 2**26  # of a picture: 8192 x 8192
BACKGROUND = 255  # white, behind transparent parts
WITH_OPACITY = (2, 4)  # channels: of grey, of colour
_UPPER = 257  # from the upper 8 of 16 bits to 16
_TURN = 0x0112  # EXIF's orientation
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def decode(
  file: str | os.PathLike | BinaryIO,
  *,
  image_size: int = 0,
  channels: int = 0,
  limits: tuple[float, float] | None = None,
) -> np.ndarray:
  """Decodes an image file, turns it upright and fits it.

  Uses the first frame of an animation and the upper 8 of 16 bits; transparent
  parts are shown on white, or keep their opacity as a last channel.

  Args:
    file: a path or an open file.
    image_size: side of the result, 0 = as it is.
    channels: 1 or 3, with opacity 2 or 4, 0 = as it is (grey or colour).
    limits: values of black and white, where they are not those of the type.

  Returns:
    [H, W, C] uint8.

  Raises:
    UserError: values outside of the limits.
    one of UNREADABLE: the file is damaged, not an image, or too large.
  """
  opaque = channels not in WITH_OPACITY
  with _opened(file) as image:
    if limits and _is_wide(image):
      array = _all_bits(image, file, limits, opaque=opaque)
    else:
      array = _pixels(image, limits, opaque=opaque)
  return fit(array, image_size=image_size, channels=channels)


def extent(file: str | os.PathLike | BinaryIO) -> tuple[int, float, float]:
  """(bits, lowest value, highest value) of an image file.

  Raises:
    one of UNREADABLE: see decode.
  """
  with _opened(file) as image:
    depth = bits(image)
    if _is_wide(image):
      x = wide.read(lambda: _opened(file))[..., :3]
    else:
      x = np.asarray(image) if _is_deep(image) else _pixels(image)
    scale = _UPPER if depth == 16 and x.dtype == np.uint8 else 1
    return depth, x.min().item() * scale, x.max().item() * scale


def depth_of(file: str | os.PathLike | BinaryIO) -> int:
  """The `bits` of an image file, from its header.

  Raises:
    one of UNREADABLE: see decode.
  """
  with _opened(file) as image:
    return bits(image)


def bits(image: Any) -> int:
  """Bits of each colour of a Pillow image as its file has it: 1, 8, 16, 32."""
  sixteen = image.format in ('PNG', 'PPM')  # which some Pillows call I
  if image.mode == 'F' or (image.mode == 'I' and not sixteen):
    return 32
  if image.mode.startswith('I') or ';16' in str(image.tile):
    return 16
  return 1 if image.mode == '1' else 8


def _is_deep(image):
  """Whether Pillow gives more than 8 bits of it."""
  return image.mode.startswith(('I', 'F'))


def _is_wide(image):
  """Whether all of its 16 bits can be read, if it is read for them."""
  return bits(image) == 16 and wide.can(image)


@contextlib.contextmanager
def _opened(file) -> Iterator[Any]:
  """A Pillow image, of which only the header has been read."""
  image_lib, _ = _pillow()
  try:
    with image_lib.open(file, formats=_formats()) as opened:
      width, height = opened.size
      if width * height > MAX_PIXELS:
        raise ValueError(f'{width} x {height} pixels are too many')
      yield opened
  except (
    image_lib.DecompressionBombError,
    image_lib.DecompressionBombWarning,
  ) as e:
    raise ValueError(str(e)) from e


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


def _pixels(image, limits=None, *, opaque=True):
  """[H, W, 1 or 3] uint8 of a Pillow image of any mode, upright.

  Unless opaque, what has transparent parts has one channel more.
  """
  depth, scaled = bits(image), functools.partial(_levels, limits=limits)
  _pillow()[1](image, in_place=True)  # turns it
  if _is_deep(image):
    x = np.asarray(image)[..., None]
    if limits is None and depth == 32:
      raise ValueError(f'{depth} bits; data.range=LOW,HIGH says of which range')
    # By default the upper 8 of 16 bits; Pillow would clip them, not scale.
    return scaled(x) if limits else (x >> 8).astype(np.uint8)
  if depth == 1:  # black and white
    scaled = lambda x: x
  if depth == 16 and limits:  # grey with opacity: only the upper bits are known
    scaled = lambda x: _levels(_UPPER * x.astype(np.int32), limits)
  grey = image.mode in ('1', 'L', 'LA')
  if image.has_transparency_data:
    x = np.asarray(_in_mode(image, 'LA' if grey else 'RGBA'))
    return _laid(scaled(x[..., :-1]), x[..., -1:], opaque=opaque)
  x = np.asarray(_in_mode(image, 'L' if grey else 'RGB'))
  return scaled(np.atleast_3d(x))


def _in_mode(image, mode):
  """The image in a mode, without a copy if it has it."""
  return image if image.mode == mode else image.convert(mode)


def _all_bits(image, file, limits, *, opaque):
  """[H, W, 3 or 4] uint8 of 16-bit colours within limits."""
  image_lib, transpose = _pillow()
  x = wide.read(lambda: _opened(file))
  colours = _levels(x[..., :3], limits)
  opacity = (x[..., 3:] >> 8).astype(np.uint8)
  if opacity.size:
    colours = _laid(colours, opacity, opaque=opaque)
  made = image_lib.fromarray(colours)
  made.getexif()[_TURN] = image.getexif().get(_TURN, 1)
  return np.asarray(transpose(made))


def _levels(x, limits):
  if limits is None:
    return x
  ranges.check_inside(x, limits)
  return ranges.to_levels(x, limits)


def _laid(x, opacity, *, opaque):
  """x [H, W, C] on the background, or beside its opacity [H, W, 1]."""
  if opaque:
    return _on_background(x, opacity)
  return np.concatenate([x, opacity], axis=-1)


def _on_background(x, opacity):
  """x [H, W, C] where its opacity [H, W, 1] lets the background through."""
  opacity = opacity.astype(np.float32) / 255
  mixed = x * opacity + BACKGROUND * (1 - opacity)
  return np.rint(mixed).astype(np.uint8)


def fit(x: np.ndarray, *, image_size: int = 0, channels: int = 0) -> np.ndarray:
  """Cuts out the central square, resizes it (Lanczos), sets the channels.

  Args:
    x: [H, W, C] uint8 or float32.
    image_size: side of the result, 0 = neither cut nor resize.
    channels: 1 (luma of three) or 3 (one repeated), 0 = as it is; 2 or 4: the
      same beside the last one, or beside full opacity.

  Returns:
    [H, W, C] of x's type, values within the range of x's.
  """
  if image_size:
    x = _resize(_centre_square(x), image_size)
  if channels in (0, x.shape[-1]):
    return x
  if channels in WITH_OPACITY:
    colours = x[..., : (x.shape[-1] - 1) // 2 * 2 + 1]
    most = 255 if x.dtype == np.uint8 else 1
    full = np.full_like(x[..., :1], most)
    opacity = x[..., -1:] if x.shape[-1] in WITH_OPACITY else full
    return np.concatenate([fit(colours, channels=channels - 1), opacity], -1)
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


def check_options(
  *, image_size: int = 0, channels: int = 0, opacity: bool = False
) -> None:
  """Raises UserError for invalid options of an image data set.

  Args:
    image_size: of its images.
    channels: of its images.
    opacity: whether 2 and 4 channels are possible.
  """
  whole = isinstance(image_size, int) and not isinstance(image_size, bool)
  if not whole or not 0 <= image_size**2 <= MAX_PIXELS or image_size < 0:
    raise UserError(
      f'data.image_size={image_size}: expected 0 (as is) or more, up to'
      f' {math.isqrt(MAX_PIXELS)}.'
    )
  more = WITH_OPACITY if opacity else ()
  if channels not in (0, 1, 3, *more):
    words = ', with opacity 2, 4' if more else ''
    raise UserError(
      f'data.channels={channels}: expected 1, 3{words} or 0 (as is).'
    )


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
