"""Real samples that the training never sees, to tell what D has memorised.

A data set with a test split has them; a toy draws others; for the rest
`data.held_out` keeps a share of the examples back.
"""

import numpy as np

from gan_jax.data import fingerprint, loading
from gan_jax.types import Dataset, UserError

MOST = 512  # samples that are kept at hand
_SEED = 20140610  # of the choice of examples; any number would do


def part(dataset: Dataset, share: float) -> tuple[Dataset, Dataset | None]:
  """Parts a data set into what is trained on and what is held out.

  Which examples are held out depends on the size and the share alone.

  Args:
    dataset: the whole.
    share: of its examples to hold out, 0 for none.

  Returns:
    two data sets with fingerprints of their own; without a share the whole
    and None.

  Raises:
    UserError: a share that leaves one of the two empty.
  """
  number = isinstance(share, int | float) and not isinstance(share, bool)
  if not number or not 0 <= share < 1:
    raise UserError(f'data.held_out={share!r}: expected 0 or a share below 1.')
  if not share:
    return dataset, None
  count = round(share * dataset.size)
  if not 0 < count < dataset.size:
    raise UserError(
      f'data.held_out={share}: {count} of the {dataset.size} examples of'
      f' {dataset.name}; expected at least 1, and 1 to train on.'
    )
  shuffled = np.random.Generator(np.random.PCG64(_SEED)).permutation(
    dataset.size
  )
  return tuple(
    _only(dataset, np.sort(rows), f'{role} of {share}')
    for role, rows in (
      ('trained on', shuffled[count:]),
      ('held out', shuffled[:count]),
    )
  )


def _only(dataset, rows, role):
  """The data set of these rows only."""
  return dataset._replace(
    size=len(rows),
    read=lambda i: dataset.read(rows[i]),
    nbytes=dataset.nbytes * len(rows) // dataset.size,
    fingerprint=fingerprint.digest(dataset.fingerprint, role),
  )


def beside(name: str, options: dict) -> Dataset | None:
  """What a data set can be compared with that is not trained on.

  The test split, unless it is what the options name; of a toy without splits,
  points drawn by the next data_seed. None where there is neither, or the
  split has not been prepared: a run does not fail for want of it.

  Args:
    name: as of data.load.
    options: of that data set.
  """
  known = loading.options_of(name)
  # Only the few rows that are wanted are read.
  options = {**options, 'memory_mb': 0}
  if 'split' in known:
    if 'test' in (options.get('split') or 'train'):
      return None
    options['split'] = 'test'
  elif 'data_seed' in known:
    options['data_seed'] = (options.get('data_seed') or 0) + 1
    options |= {'size': MOST} if 'size' in known else {}
  else:
    return None
  try:
    return loading.load(name, **options)
  except UserError:
    return None


def samples(dataset: Dataset | None) -> dict[str, np.ndarray]:
  """At most MOST of its examples, in model range.

  Returns:
    {'x': [H, *shape] float32, 'label': [H] if there are any}; {} for None, and
    where they cannot be read.
  """
  if dataset is None:
    return {}
  # Spread over the whole, as splits may be sorted.
  count = min(MOST, dataset.size)
  rows = np.arange(count) * dataset.size // count
  try:
    batch = dataset.read(rows)
  except UserError:
    return {}
  return {**batch, 'x': np.asarray(loading.to_model_range(batch['x']))}
