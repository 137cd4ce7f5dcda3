"""For which labels the samples of a conditional generator are made.

As the data have them, unless told otherwise: against data of 95 and 5 % a
generator that is perfect for both classes scores badly if it is asked for as
many samples of one as of the other. Conditions that are vectors are those of
examples, drawn at random.
"""

import jax
import numpy as np

from gan_jax.data import classes, conditions
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
  check_vectors(how, '--labels', vectors=bool(setup.attributes))
  if how and not setup.conditional:
    raise UserError(
      f'--labels={how}: this generator knows no classes (conditional=False).'
    )


def check_vectors(how: str, flag: str, *, vectors: bool):
  """Refuses all classes in turn where conditions are vectors.

  Raises:
    UserError: names the flag.
  """
  if vectors and how == BALANCED:
    raise UserError(
      f'{flag}={how}: this generator is told of vectors, not classes; expected'
      f' {DATA}, the conditions of random examples.'
    )


def of_draw(setup, how: str, key: jax.Array, num: int) -> np.ndarray | None:
  """Labels of the samples of one draw: [num] int32, or vectors [num, C].

  Args:
    setup: setup.Setup.
    how: DATA or BALANCED.
    key: root key [] of the draw.
    num: of samples; the first labels do not depend on it.

  Returns:
    None for a generator that is told of none.
  """
  if setup.attributes:
    return of_examples(setup.dataset, key, num)
  if not setup.num_classes:
    return None
  if how == BALANCED:
    return balanced_labels(num, setup.num_classes)
  return drawn(key, num, shares(setup.dataset))


def shares(dataset: Dataset) -> np.ndarray:
  """Of each class among the examples that have one, [C] float64."""
  count = classes.counts(dataset)
  return count / count.sum()


def of_examples(dataset: Dataset, key: jax.Array, num: int) -> np.ndarray:
  """The vectors [num, C] float32 of independently drawn examples.

  Each follows from the key and its index.
  """
  rows = (_uniform_on_cpu(key, num).astype(float) * dataset.size).astype(int)
  parts = [
    conditions.of(dataset, rows[start : start + classes.CHUNK])
    for start in range(0, num, classes.CHUNK)
  ]
  return np.concatenate(parts)


def drawn(key: jax.Array, num: int, shares: np.ndarray) -> np.ndarray:
  """Independent labels [num] int32; each follows from the key and its index.

  Args:
    key: root key [] of the draw.
    num: of labels.
    shares: [C] of the classes, which add up to 1.
  """
  edges = np.cumsum(shares)[:-1]
  at = _uniform_on_cpu(key, num)
  return np.searchsorted(edges, at, side='right').astype(np.int32)


def _uniform_on_cpu(key, num):
  cpu = jax.local_devices(backend='cpu')[0]
  with jax.default_device(cpu):
    key = keys_lib.stream(jax.device_put(key, cpu), keys_lib.LABELS)
    return _uniform(key, num)


@jax.jit
def _uniform_of(key, index):
  return jax.vmap(jax.random.uniform)(keys_lib.fold_examples(key, index))


def _uniform(key, num, size=1024):
  """Numbers [num] in [0, 1), by a program of one size."""
  index = np.arange(-(-num // size) * size, dtype=np.int32)
  parts = [_uniform_of(key, part) for part in index.reshape(-1, size)]
  return np.concatenate([np.asarray(part) for part in parts])[:num]
