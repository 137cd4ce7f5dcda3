"""Samples as pictures: grids of images, scatter plots, their animation."""

import math
import pathlib

import numpy as np

from gan_jax.storage import files
from gan_jax.types import UserError

WIDTH = 600  # pixels, the approximate width of a picture
GAP = 2  # pixels between the images of a grid
GROUND = (40, 42, 46)  # colour of the gaps
CAPTION = 14  # pixels of height of a label beneath an image
MAX_PIXELS = 2**25  # of a picture from a workdir
FRAMES = 60  # of an animation, at most
INK, ACCENT, PALE = '#3a3f47', '#3457d5', '#c9ced6'


def picture(kind: str, samples, *, modes=None, real=None, labels=None):
  """Draws samples as their kind asks for.

  Args:
    kind: 'image' or 'point'.
    samples: [N, H, W, C] in [-1, 1] or uint8, or [N, 2].
    modes: {'centers': [M, 2], 'std': float}, ringed among points.
    real: [N, 2] real points, drawn beneath; fixes the axes without modes.
    labels: N names, written beneath images; colours of points.

  Returns:
    A `PIL.Image.Image`, RGB.

  Raises:
    UserError: an unknown kind.
  """
  if kind == 'image':
    return grid(samples, labels=labels)
  if kind == 'point':
    return scatter(samples, modes=modes, real=real, labels=labels)
  raise UserError(f"no picture of kind {kind!r}; there are 'image' and 'point'")


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


def grid(images, *, labels=None):
  """Images side by side, row after row, enlarged by a whole factor.

  Args:
    images: [N, H, W, C] in [-1, 1] or uint8.
    labels: N names to write beneath them.

  Returns:
    An RGB `PIL.Image.Image`, about 600 pixels wide; cell k is image k.
  """
  from PIL import Image

  images = pixels(images)  # [N, H, W, 3]
  n, height, width, _ = images.shape
  columns = math.ceil(math.sqrt(n))
  rows = math.ceil(n / columns)
  scale = max(1, WIDTH // (columns * width))
  caption = CAPTION if labels is not None else 0
  images = images.repeat(scale, axis=1).repeat(scale, axis=2)
  cell_h, cell_w = height * scale + caption + GAP, width * scale + GAP
  sheet = np.empty((rows * cell_h + GAP, columns * cell_w + GAP, 3), np.uint8)
  sheet[:] = GROUND
  corners = [
    (GAP + k // columns * cell_h, GAP + k % columns * cell_w) for k in range(n)
  ]
  for image, (y, x) in zip(images, corners, strict=True):
    sheet[y : y + height * scale, x : x + width * scale] = image
  sheet = Image.fromarray(sheet)
  if labels is not None:
    _write_labels(sheet, labels, corners, cell=(cell_h - GAP, cell_w - GAP))
  return sheet


def scatter(points, *, modes=None, real=None, labels=None):
  """Points in the plane over the true modes, on fixed axes.

  Args:
    points: [N, 2].
    modes: {'centers': [M, 2], 'std': float}; rings of 3 std, if visible.
    real: [N, 2] real points.
    labels: N values to colour points by.

  Returns:
    An RGB `PIL.Image.Image`, 600 by 600.
  """
  # Not pyplot, which keeps figures alive and picks a window system.
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  from PIL import Image

  points = np.asarray(points, np.float32)
  figure = Figure(figsize=(WIDTH / 100, WIDTH / 100), dpi=100)
  axes = figure.add_axes((0.07, 0.06, 0.90, 0.90))
  low, high = _limits(points, modes=modes, real=real)
  axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect='equal')
  _style(axes)
  if real is not None:
    axes.plot(*np.asarray(real).T, ',', color=PALE, zorder=1)
  if modes is not None:
    _draw_modes(axes, modes, unit=WIDTH * 0.9 / (high[0] - low[0]))
  dots = {'s': 7, 'alpha': 0.45, 'linewidths': 0, 'zorder': 3}
  axes.scatter(*points.T, **dots, **_colours(labels))
  _count_outside(axes, points, low, high)
  canvas = FigureCanvasAgg(figure)
  canvas.draw()
  return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert('RGB')


def _colours(labels):
  if labels is None:
    return {'color': ACCENT}
  return {'c': np.unique(labels, return_inverse=True)[1], 'cmap': 'tab10'}


def save(path, image):
  """Writes a picture atomically, in the format of its suffix.

  Args:
    path: a .png or .webp file.
    image: `PIL.Image.Image`.

  Raises:
    UserError: for another suffix.
  """
  path = pathlib.Path(path)
  if path.suffix.lower() not in ('.png', '.webp'):
    raise UserError(f'a picture is a .png or .webp file, not {path.name!r}')
  with files.replacing(path) as temporary:
    image.save(temporary, **({'lossless': True} if _is_webp(path) else {}))


def save_step(directory, step: int, image) -> pathlib.Path:
  """Writes samples/step_XXXXXXXX.png atomically; returns its path."""
  path = pathlib.Path(directory) / f'step_{step:08d}.png'
  save(path, image)
  return path


def drop_later(directory, resume_step: int):
  """Removes step pictures later than a restored step."""
  for path in step_pictures(directory):
    if step_of(path) > resume_step:
      path.unlink(missing_ok=True)


def step_pictures(directory) -> list[pathlib.Path]:
  """The step pictures of a folder, first to last."""
  return sorted(pathlib.Path(directory).glob('step_*.png'), key=step_of)


def step_of(path) -> int:
  """Step of a step picture: 1200 of samples/step_00001200.png."""
  return int(path.stem.removeprefix('step_'))


def evenly(items: list, count: int) -> list:
  """At most `count` items, evenly chosen, the first and the last among them."""
  if len(items) <= count:
    return list(items)
  return [items[round(i)] for i in np.linspace(0, len(items) - 1, count)]


def opened(path):
  """A picture of a workdir as RGB, None if it is damaged."""
  from PIL import Image

  try:
    with Image.open(path, formats=('PNG', 'WEBP')) as image:
      if image.width * image.height > MAX_PIXELS:
        return None
      return image.convert('RGB')
  except (OSError, SyntaxError, ValueError, EOFError, RuntimeWarning):
    return None
  except Image.DecompressionBombError:
    return None


def animate(directory, *, frames: int = FRAMES, seconds: float = 6.0):
  """Makes progress.webp from the step pictures in a folder.

  Args:
    directory: `samples` of a workdir.
    frames: how many pictures at most, evenly chosen.
    seconds: of one loop; the last picture stays for 2 s more.

  Returns:
    The path of the animation, None if there is no picture yet.
  """
  chosen = evenly(step_pictures(directory), frames)
  images = [image for image in map(opened, chosen) if image]
  if not images:
    return None
  images = [image.resize(images[-1].size) for image in images]
  each = int(np.clip(1000 * seconds / len(images), 60, 500))
  target = pathlib.Path(directory) / 'progress.webp'
  with files.replacing(target) as temporary:
    images[0].save(
      temporary,
      save_all=True,
      append_images=images[1:],
      duration=[each] * (len(images) - 1) + [each + 2000],
      loop=0,
      quality=70,
      method=0,
    )
  return target


def _is_webp(path):
  return path.suffix.lower() == '.webp'


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


def _style(axes):
  axes.tick_params(colors='#8a919c', labelsize=8, length=0)
  axes.locator_params(nbins=5)
  axes.grid(color='#eef0f3', linewidth=1, zorder=0)
  axes.set_axisbelow(True)
  for side in axes.spines.values():
    side.set_visible(False)


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
    edgecolors=INK,
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
      color=INK,
    )
