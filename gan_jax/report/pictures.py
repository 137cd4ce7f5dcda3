"""Picture files of a run: written, found, opened, animated."""

import pathlib

import numpy as np

from gan_jax.storage import files
from gan_jax.types import UserError

MAX_PIXELS = 2**25  # of a picture from a workdir
FRAMES = 60  # of an animation, at most


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
  """A picture of a workdir, flat; None if it is damaged."""
  from PIL import Image

  try:
    with Image.open(path, formats=('PNG', 'WEBP')) as image:
      if image.width * image.height > MAX_PIXELS:
        return None
      return flat(image)
  except (OSError, SyntaxError, ValueError, EOFError, RuntimeWarning):
    return None
  except Image.DecompressionBombError:
    return None


def flat(image):
  """A PIL image as RGB; what is transparent shows white, as when it is read."""
  from PIL import Image

  if not image.has_transparency_data:
    return image.convert('RGB')
  image = image.convert('RGBA')
  white = Image.new('RGBA', image.size, 'white')
  return Image.alpha_composite(white, image).convert('RGB')


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
