"""The 1,797 handwritten digits, 8x8, that come with scikit-learn.

E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (1998),
https://doi.org/10.24432/C50P49; the test part, as in sklearn's load_digits.
"""

import os
from importlib import util

import numpy as np

from gan_jax.data import images, memory
from gan_jax.storage import memory as memory_lib
from gan_jax.types import Dataset

FILE = 'datasets/data/digits.csv.gz'  # of scikit-learn
# What can be said of a digit, and of which ones.
ATTRIBUTES = {'even': '02468', 'loop': '0689', 'large': '56789'}


def load(
  *, image_size: int = 0, channels: int = 0, attributes: bool = False
) -> Dataset:
  """Loads the digits, without a download.

  Args:
    image_size: side to resize to, 0 = 8.
    channels: 1 or 3, 0 = 1.
    attributes: label each with a vector of ATTRIBUTES, 0 or 1, in place of its
      class, to try such labels; they are those of the digit, however drawn.

  Returns:
    1,797 images [8, 8, 1], float32, exactly v / 8 - 1 for v = 0 ... 16.

  Raises:
    UserError: an option out of range.
  """
  images.check_options(image_size=image_size, channels=channels)
  levels, target = _read()
  side = image_size or 8
  memory_lib.check_memory(
    2 * 4 * len(levels) * side**2 * (channels or 1),
    f'data.image_size={image_size}: the digits',
  )
  x = (levels / 8 - 1).astype(np.float32)[..., None]  # [N, 8, 8, 1]
  fitted = [images.fit(i, image_size=image_size, channels=channels) for i in x]
  label, meaning = target, {'class_names': tuple('0123456789')}
  if attributes:
    label = np.stack([_are(v, target) for v in ATTRIBUTES.values()], -1)
    meaning = {'attributes': tuple(ATTRIBUTES)}
  return memory.from_arrays(
    'digits', 'image', np.stack(fitted), label, **meaning
  )


def _read():
  """(levels [N, 8, 8] of 0 to 16, classes [N]), as sklearn's load_digits."""
  where = util.find_spec('sklearn').submodule_search_locations[0]
  try:
    # The file alone: the package takes a second to import, SciPy with it.
    rows = np.loadtxt(os.path.join(where, FILE), delimiter=',')
  except OSError:  # it is elsewhere in that version
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images, digits.target
  return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(int)


def _are(which, target):
  """Whether digits [N] are some of these: [N] float32, 0 or 1."""
  return np.isin(target, [int(c) for c in which]).astype(np.float32)
