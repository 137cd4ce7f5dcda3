"""A file of strips: rows of a picture, a film, or arrays."""

import pathlib

import numpy as np

from gan_jax.data import kinds
from gan_jax.storage import files
from gan_jax.types import UserError

FRAME = 80  # milliseconds that a frame of a film stays


def check(setup, out: pathlib.Path, *, film: bool):
  """Refuses an --out that cannot show strips.

  Args:
    setup: setup.Setup.
    out: path.
    film: whether a .webp is one; where not, it is a picture.

  Raises:
    UserError: names what can.
  """
  drawn = ('.png',) if _rows(setup) else ()
  moving = ('.webp',) if film or drawn else ()
  suffixes = (*drawn, *moving, '.npz')
  if out.suffix not in suffixes:
    raise UserError(
      f'--out={out}: expected a name ending in {" ".join(suffixes)} for strips'
      ' of samples.'
    )


def write(out: pathlib.Path, setup, made: np.ndarray, *, film: bool, **also):
  """Writes strips.

  Args:
    out: an .npz with `samples` [R, K, ...]; a .png, each strip a row; a .webp,
      whose frame k is a picture of the k-th samples of all strips, there and
      back.
    setup: setup.Setup.
    made: [R, K, *shape].
    film: whether a .webp is one; where not, it is a picture.
    **also: arrays for an .npz.
  """
  with files.replacing(out) as temporary:
    if out.suffix == '.npz':
      np.savez_compressed(temporary, samples=made, **also)
    elif out.suffix == '.webp' and film:
      _save_film(temporary, setup, made)
    else:
      picture = _rows(setup)(made)
      picture.save(temporary, lossless=True, exact=True)


def _rows(setup):
  return getattr(kinds.of(setup.dataset), 'rows', None)


def _save_film(path, setup, made):
  kind, count = kinds.of(setup.dataset), made.shape[1]
  order = [*range(count), *range(count - 2, 0, -1)]
  draw = lambda k: kind.picture(made[:, k], dataset=setup.dataset)
  frames = {k: draw(k).convert('RGB') for k in range(count)}
  frames = [frames[k] for k in order]
  frames[0].save(
    path,
    save_all=True,
    append_images=frames[1:],
    duration=FRAME,
    loop=0,
    quality=90,
    method=0,
  )
