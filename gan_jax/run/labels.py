"""For which classes the samples of a conditional generator are made.

As the data have them, unless told otherwise: against data of 95 and 5 % a
generator that is perfect for both classes scores badly if it is asked for as
many samples of one as of the other.
"""

import jax
import numpy as np

from gan_jax.data import classes
from gan_jax.game import keys as keys_lib
from gan_jax.run.sampling import balanced_labels
from gan_jax.types import Dataset, UserError

# How they are chosen: drawn by the shares of the data, or all classes in turn.
DATA, BALANCED = 'data', 'balanced'


def check(how: str):
  """Refuses another way; '' is none.

  Raises:
    UserError: names both.
  """
  if how not in ('', DATA, BALANCED):
    raise UserError(f'--labels={how}: there are {DATA}, {BALANCED}.')


def check_classes(how: str, setup):
  """Refuses --labels where there are no classes; '' is none.

  Raises:
    UserError: the generator of the setup knows none.
  """
  if how and not setup.num_classes:
    raise UserError(
      f'--labels={how}: this generator knows no classes (conditional=False).'
    )


def of_draw(setup, how: str, key: jax.Array, num: int) -> np.ndarray | None:
  """Labels [num] int32 of the samples of one draw; None without classes.

  Args:
    setup: setup.Setup.
    how: DATA or BALANCED.
    key: root key [] of the draw.
    num: of samples; the first labels do not depend on it.
  """
  if not setup.num_classes:
    return None
  if how == BALANCED:
    return balanced_labels(num, setup.num_classes)
  return drawn(key, num, shares(setup.dataset))


def shares(dataset: Dataset) -> np.ndarray:
  """Of each class among the examples that have one, [C] float64."""
  count = classes.counts(dataset)
  return count / count.sum()


def drawn(key: jax.Array, num: int, shares: np.ndarray) -> np.ndarray:
  """Independent labels [num] int32; each follows from the key and its index.

  Args:
    key: root key [] of the draw.
    num: of labels.
    shares: [C] of the classes, which add up to 1.
  """
  cpu = jax.local_devices(backend='cpu')[0]
  with jax.default_device(cpu):
    key = keys_lib.stream(jax.device_put(key, cpu), keys_lib.LABELS)
    at = _uniform(key, num)
  edges = np.cumsum(shares)[:-1]
  return np.searchsorted(edges, at, side='right').astype(np.int32)


@jax.jit
def _uniform_of(key, index):
  return jax.vmap(jax.random.uniform)(keys_lib.fold_examples(key, index))


def _uniform(key, num, size=1024):
  """Numbers [num] in [0, 1), by a program of one size."""
  index = np.arange(-(-num // size) * size, dtype=np.int32)
  parts = [_uniform_of(key, part) for part in index.reshape(-1, size)]
  return np.concatenate([np.asarray(part) for part in parts])[:num]
