"""The pictures of a run: samples, and real examples arranged like them."""

from collections.abc import Sequence

import numpy as np

from gan_jax.data import conditions, kinds
from gan_jax.kinds.drawing import sheets
from gan_jax.run import draws
from gan_jax.run.sampling import collect, take_seed
from gan_jax.run.setup import Setup

MOST_READ = 4096  # examples that are looked through for those of each class
CHUNK = 512


class Shown:
  """What the pictures of a run show: always the same latents and classes."""

  def __init__(self, setup):
    """Chooses the classes; of vectors, those of the real examples shown.

    Args:
      setup: setup.Setup.
    """
    self._setup, self._kind = setup, kinds.of(setup.dataset)
    self.num = self._kind.SHOWN
    self._labels = grid_labels(self.num, setup.num_classes)
    if self._labels is not None:
      self.num = len(self._labels)
    elif setup.attributes:
      self._labels = spread_vectors(setup, self.num)

  def samples(self, variables) -> np.ndarray:
    """Of the first seed of G's variables [S, ...]: [num, ...]."""
    return show_samples(
      self._setup, variables, num=self.num, labels=self._labels
    )

  def picture(self, samples):
    """Of samples [num, ...], a PIL image."""
    return self._draw(samples, self._labels)

  def more(self, samples) -> str:
    """HTML that shows more of samples [num, ...] than a picture; or ''."""
    fragment = self._kind.fragment
    if fragment is None:
      return ''
    setup = self._setup
    named = named_by(setup, self._labels)
    real = real_samples(setup, self.num)
    return fragment(samples, dataset=setup.dataset, real=real, **named)

  def real_picture(self):
    """Of real examples, arranged likewise."""
    if not self._setup.num_classes:
      return self._draw(real_samples(self._setup, self.num), None)
    return self._draw(*real_of(self._setup, self._labels))

  def _draw(self, samples, labels):
    setup = self._setup
    back = self._kind.BACKDROP
    real = real_samples(setup, self._kind.SHOWN) if back else None
    return self._kind.picture(
      samples, dataset=setup.dataset, real=real, **named_by(setup, labels)
    )


def grid_labels(num: int, num_classes: int) -> np.ndarray | None:
  """Labels of at most num samples, in whole rows of a column for each class.

  Of many classes evenly chosen ones. None without classes.
  """
  if not num_classes:
    return None
  classes = sheets.evenly(num_classes, sheets.COLUMNS)
  return draws.labels_of(classes, max(1, num // len(classes)) * len(classes))


def named_by(setup, labels: Sequence | None) -> dict[str, list[str]]:
  """{'labels': the names of the classes of labels [N]}.

  Vectors have no name that a picture could show, nor does None: {} then.
  """
  if labels is None or not setup.num_classes:
    return {}
  return {'labels': [setup.dataset.class_names[k] for k in labels]}


def spread_vectors(setup, num: int) -> np.ndarray:
  """The conditions [num, C] of the examples that `real_samples` gives."""
  return conditions.of(setup.dataset, _spread(setup, num))


def real_of(setup, labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
  """Real examples of these classes.

  Some thousands of examples are looked through; there are fewer of a class that
  is rare among them.

  Args:
    setup: setup.Setup.
    labels: [N] int; as many of each class are wanted as it is among them.

  Returns:
    (examples [n, ...] in model range, their labels [n]), the classes in turn as
    in `labels`.
  """
  dataset = setup.dataset
  wanted = {int(k): int(np.sum(labels == k)) for k in dict.fromkeys(labels)}
  rows_of = {k: [] for k in wanted}
  order = np.random.default_rng(0).permutation(dataset.size)[:MOST_READ]
  for start in range(0, len(order), CHUNK):
    batch = dataset.read(np.sort(order[start : start + CHUNK]))
    for x, label in zip(batch['x'], batch['label'], strict=True):
      own = rows_of.get(int(label))
      if own is not None and len(own) < wanted[int(label)]:
        own.append(x)
    if all(len(rows_of[k]) == wanted[k] for k in wanted):
      break
  taken, kept = dict.fromkeys(wanted, 0), []
  for k in map(int, labels):
    if taken[k] < len(rows_of[k]):
      kept.append((rows_of[k][taken[k]], k))
      taken[k] += 1
  x, label = zip(*kept, strict=True)
  x = np.asarray(kinds.in_model_range(dataset, np.stack(x)))
  return x, np.asarray(label)


def show_samples(
  setup: Setup, variables, *, seed: int = 0, num: int = 100, labels=None
):
  """Fixed samples of one seed, float32 [num, ...], of any labels [num].

  Without labels, of all classes in turn, or of real examples' conditions.
  """
  if labels is None and setup.attributes:
    labels = spread_vectors(setup, num)
  return collect(
    setup.sample,
    take_seed(variables, seed),
    setup.keys[seed],
    num,
    num_classes=setup.num_classes,
    labels=labels,
  )


def real_samples(setup: Setup, num: int) -> np.ndarray:
  """Evenly spread real samples [num, ...] in model range."""
  return in_model_range(setup.dataset, _spread(setup, num))


def _spread(setup, num):
  """Rows [num] over all of the data."""
  return np.linspace(0, setup.dataset.size - 1, num).astype(int)


def in_model_range(dataset, rows):
  """Real samples [n, ...] of some rows [n] in model range."""
  x = dataset.read(rows)['x']
  return np.asarray(kinds.in_model_range(dataset, x))
