"""Images on a sheet: side by side, or a column for each class."""

import math
from collections.abc import Sequence

import numpy as np

from gan_jax.kinds.drawing import lettering

WIDTH, TALL = 600, 900  # pixels, about, of a sheet at most
GAP = 2  # pixels between the images of a sheet
GROUND = (40, 42, 46)  # colour of the gaps
INK = (214, 217, 222)  # of what is written on it
TEXT = 11  # pixels, of a letter
HEAD = 16  # pixels of height of a name above its column, or of a note
LONG = 96  # pixels of a name that is written upwards, at most
COLUMNS = 20  # classes on a sheet, at most
ROWS = 12  # of one column for each class; of more, a class has several columns
BLOCKS = 10  # pixels between the columns of two classes then


def grid(images: np.ndarray, *, columns: int = 0) -> np.ndarray:
  """Images in rows, enlarged by a whole factor; cell k is image k.

  Args:
    images: [N, H, W, 3 or 4] uint8.
    columns: images in a row; 0: about as many as there are rows.

  Returns:
    [H', W', 3 or 4] uint8, about WIDTH wide.
  """
  n, height, width, channels = images.shape
  columns = columns or math.ceil(math.sqrt(n))
  rows = math.ceil(n / columns)
  scale = max(1, WIDTH // (columns * width))
  cell_h, cell_w = height * scale + GAP, width * scale + GAP
  sheet = ground(rows * cell_h + GAP, columns * cell_w + GAP, channels)
  for k, image in enumerate(enlarged(images, scale)):
    put(sheet, image, GAP + k // columns * cell_h, GAP + k % columns * cell_w)
  return sheet


def by_class(images: np.ndarray, labels: list, *, classes: Sequence = ()):
  """A column for each class with its name above it, and a row for each draw.

  Of more than COLUMNS classes evenly chosen ones are shown; where there would
  be many rows of few classes, a class has several columns under its name.

  Args:
    images: [N, H, W, 3 or 4] uint8.
    labels: N names.
    classes: all names there are, in the order of the columns, for a note if not
      all are shown; by default in the order in which they appear.

  Returns:
    A `PIL.Image.Image`, RGB or RGBA.
  """
  from PIL import Image

  _, height, width, channels = images.shape
  members = chosen(labels, classes)
  counts = [len(own) for own in members.values()]
  across = _across(counts)
  down = math.ceil(max(counts) / across)
  columns = len(members) * across
  scale = min(WIDTH // (columns * width), TALL // (down * height))
  scale = max(1, scale)
  cell_h, cell_w = height * scale + GAP, width * scale + GAP
  between = BLOCKS if across > 1 else 0
  block = across * cell_w + between
  heads = _heads(lettering.titles(members, classes), block - between - GAP)
  top = max(head.shape[0] for head in heads) + GAP
  note = _note(len(members), max(len(classes), len(set(labels))))
  sheet = ground(
    top + down * cell_h + GAP + (HEAD if note else 0),
    len(members) * block - between + GAP,
    channels,
  )
  for c, (head, own) in enumerate(zip(heads, members.values(), strict=True)):
    left = GAP + c * block
    middle = left + (block - between - GAP - head.shape[1]) // 2
    put(sheet, with_alpha(head, channels), top - head.shape[0], max(middle, 0))
    for k, image in enumerate(enlarged(images[own], scale)):
      row, column = divmod(k, across)
      put(sheet, image, top + row * cell_h, left + column * cell_w)
  if note:
    line = with_alpha(written(note), channels)
    put(sheet, line[:, : sheet.shape[1] - 2 * GAP], len(sheet) - HEAD, GAP)
  return Image.fromarray(sheet)


def chosen(labels: list, classes: Sequence = ()) -> dict[str, list[int]]:
  """Where each class stands among the labels; evenly chosen ones of many.

  Args:
    labels: N names.
    classes: names in the order that is wanted, others come last.
  """
  members = {str(name): [] for name in classes}
  for k, label in enumerate(labels):
    members.setdefault(str(label), []).append(k)
  names = [name for name, own in members.items() if own]
  return {names[k]: members[names[k]] for k in evenly(len(names), COLUMNS)}


def evenly(count: int, most: int) -> list[int]:
  """All of 0 ... count - 1, or `most` of them, the first and the last too."""
  if count <= most:
    return list(range(count))
  return [round(k) for k in np.linspace(0, count - 1, most)]


def _across(counts):
  """Columns of a class: one, or as many as make the sheet about square."""
  most = math.sqrt(max(counts) / len(counts))  # of a square sheet
  return max(1, round(most) if max(counts) <= ROWS else math.ceil(most))


def _note(shown, classes):
  return f'{shown} of {classes:,} classes' if shown < classes else ''


def _heads(names, width):
  """The names as [h, w, 3]: level if all fit into the width, else upwards."""
  level = [written(name) for name in names]
  if all(one.shape[1] <= width for one in level):
    return level
  most = max(one.shape[1] for one in level)
  fitting = [written(name, most=min(most, LONG)) for name in names]
  return [np.rot90(one)[:, :width] for one in fitting]


def written(text: str, *, most: int = 0) -> np.ndarray:
  """A text on the ground, uint8 [HEAD, w, 3]; cut to `most` pixels, if any."""
  from PIL import Image, ImageDraw

  text = str(text)
  font = lettering.font(text, TEXT)
  if most and font.getlength(text) > most:
    while text and font.getlength(text + '…') > most:
      text = text[:-1]
    text += '…'
  width = max(1, math.ceil(font.getlength(text)))
  line = Image.new('RGB', (width, HEAD), GROUND)
  draw = ImageDraw.Draw(line)
  draw.text((width / 2, HEAD / 2), text, font=font, fill=INK, anchor='mm')
  return np.asarray(line)


def enlarged(images: np.ndarray, scale: int) -> np.ndarray:
  """[..., H, W, C] -> [..., scale H, scale W, C]."""
  return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def ground(height: int, width: int, channels: int = 3) -> np.ndarray:
  """An empty sheet [height, width, channels] uint8, opaque."""
  sheet = np.full((height, width, channels), 255, np.uint8)
  sheet[..., :3] = GROUND
  return sheet


def with_alpha(x: np.ndarray, channels: int) -> np.ndarray:
  """[..., 3] uint8 with as many channels as a sheet, opaque."""
  if channels == x.shape[-1]:
    return x
  return np.concatenate([x, np.full_like(x[..., :1], 255)], axis=-1)


def put(sheet: np.ndarray, image: np.ndarray, y: int, x: int):
  """Puts an image [h, w, C] on a sheet, its corner at (y, x)."""
  height, width, _ = image.shape
  sheet[y : y + height, x : x + width] = image
