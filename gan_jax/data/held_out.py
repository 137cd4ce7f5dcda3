"""Real samples that the training never sees, to tell what D has memorised.

A data set with a test split has them; a toy draws others; for all other data
sets `data.held_out` sets a share of the examples aside.
"""

import numpy as np

from gan_jax.data import fingerprint, kinds, loading
from gan_jax.types import Dataset, UserError

MOST = 512  # samples that are kept in memory
_SEED = 20140610  # of the choice of examples; any number would do


def part(dataset: Dataset, share: float) -> tuple[Dataset, Dataset | None]:
  """Splits a data set into what is trained on and what is held out.

  Which examples are held out depends on the size and the share alone.

  Args:
    dataset: the whole data set.
    share: of its examples to hold out, 0 for none.

  Returns:
    two data sets with fingerprints of their own; for a share of 0 the whole
    data set and None.

  Raises:
    UserError: a share that leaves one of the two empty.
  """
  count = _count(dataset, share)
  if not count:
    return dataset, None
  rng = np.random.Generator(np.random.PCG64(_SEED))
  shuffled = rng.permutation(dataset.size)
  return (
    _only(dataset, np.sort(shuffled[count:]), f'trained on of {share}'),
    _only(dataset, np.sort(shuffled[:count]), f'held out of {share}'),
  )


def _count(dataset, share):
  """How many examples to hold out."""
  number = isinstance(share, int | float) and not isinstance(share, bool)
  if not number or not 0 <= share < 1:
    raise UserError(f'data.held_out={share!r}: expected 0 or a share below 1.')
  count = round(share * dataset.size)
  if share and not 0 < count < dataset.size:
    raise UserError(
      f'data.held_out={share}: {count} of the {dataset.size} examples of'
      f' {dataset.name}; expected at least 1, and 1 to train on.'
    )
  return count


def _only(dataset, rows, role):
  """The data set of these rows only."""
  count, labels = dataset.count_classes, dataset.read_labels
  return dataset._replace(
    size=len(rows),
    read=lambda i: dataset.read(rows[i]),
    nbytes=dataset.nbytes * len(rows) // dataset.size,
    fingerprint=fingerprint.digest(dataset.fingerprint, role),
    count_classes=count
    and (lambda i=None: count(rows if i is None else rows[i])),
    read_labels=labels and (lambda i: labels(rows[i])),
  )


def beside(name: str, options: dict) -> Dataset | None:
  """A data set to compare with that is not trained on.

  The test split, unless the options name it; for a toy without splits, points
  drawn with the next data_seed. None where there is neither, or where the split
  has not been prepared: a run does not fail because it is missing.

  Args:
    name: as for loading.load.
    options: of that data set.
  """
  changes = _changes(loading.options_of(name), options)
  if not changes:
    return None
  try:
    # memory_mb=0: only the few rows that are wanted are read.
    return loading.load(name, **options | changes | {'memory_mb': 0})
  except UserError:
    return None


def _changes(known, options):
  """The options with which a data set gives other samples; {} if none do."""
  if 'split' in known:
    trained_on_test = 'test' in (options.get('split') or 'train')
    return {} if trained_on_test else {'split': 'test'}
  if 'data_seed' in known:
    size = {'size': MOST} if 'size' in known else {}
    return {'data_seed': (options.get('data_seed') or 0) + 1, **size}
  return {}


def samples(dataset: Dataset | None) -> dict[str, np.ndarray]:
  """At most MOST examples of a data set, in model range.

  Returns:
    {'x': [H, *shape] float32, 'label': [H] if there are any}; {} for None, and
    where they cannot be read.
  """
  if dataset is None:
    return {}
  # Spread over all of it, because splits may be sorted.
  count = min(MOST, dataset.size)
  rows = np.arange(count) * dataset.size // count
  try:
    batch = dataset.read(rows)
  except UserError:
    return {}
  return {**batch, 'x': np.asarray(kinds.in_model_range(dataset, batch['x']))}
