"""Random examples in the place of data that are not there, to time a run."""

import numpy as np

from gan_jax.data import held_out, kinds, loading
from gan_jax.run import examples as examples_lib
from gan_jax.types import Dataset, UserError

DRAWN = 512  # different examples; more would take longer to draw than to train
SIZE = 10_000  # of data whose size only the files know


def examples(
  dataset: Dataset, options: dict, *, flip: bool, resident: bool
) -> examples_lib.Examples:
  """What examples.load gives, of a data set that may be a description.

  Data that need no files are themselves. There is a test split, and something
  held out, wherever these would be looked for.

  Args:
    dataset: from described.
    options: group `data` of a config.
    flip, resident: see examples.Examples.
  """
  made = _readable(dataset)
  aside = kept_aside(options)
  return examples_lib.Examples(
    made,
    (lambda: held_out.samples(made)) if aside else dict,
    (lambda split: made) if 'split' in _known(options) else None,
    flip,
    resident,
  )


def kept_aside(options: dict) -> int:
  """How many examples that are not trained on a run's probe keeps, at most.

  Args:
    options: group `data` of a config.
  """
  there = options.get('held_out') or {'split', 'data_seed'} & _known(options)
  return held_out.MOST if there else 0


def _known(options):
  return {*loading.options_of(options['name'])}


def is_described(dataset: Dataset) -> bool:
  """Whether no example of a data set can be read."""
  try:
    dataset.read(np.zeros(1, int))
  except UserError:
    return True
  return False


def _readable(dataset):
  if not is_described(dataset):
    return dataset
  x = _drawn(dataset)
  label = _labels(dataset)

  def read(rows):
    at = np.asarray(rows) % DRAWN
    return {'x': x[at]} | ({} if label is None else {'label': label[at]})

  return dataset._replace(
    size=dataset.size or SIZE,
    nbytes=dataset.nbytes or SIZE * x[0].nbytes,
    read=read,
    read_labels=None if label is None else lambda rows: read(rows)['label'],
    count_classes=None,
  )


def _drawn(dataset):
  """[DRAWN, ...] as they are on disk; see on_slice.data_of."""
  rng = np.random.default_rng(0)
  x = rng.uniform(-1, 1, (DRAWN, *dataset.shape)).astype(np.float32)
  if 0 < dataset.size * x[0].nbytes <= dataset.nbytes:
    return x  # floats of the networks' own
  keep = kinds.of(dataset).from_model_range
  return np.asarray(keep(x, dataset=dataset))


def _labels(dataset):
  """[DRAWN] of the classes in turn, or vectors [DRAWN, C] of 0 and 1."""
  if dataset.attributes:
    rng = np.random.default_rng(0)
    size = DRAWN, len(dataset.attributes)
    return rng.integers(0, 2, size).astype(np.float32)
  if dataset.class_names:
    return np.arange(DRAWN, dtype=np.int32) % len(dataset.class_names)
  return None
