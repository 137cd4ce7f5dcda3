"""Every data set behind one interface, by its name."""

import importlib
import inspect

import numpy as np

from gan_jax import select, types
from gan_jax.components import modules
from gan_jax.components import options as options_lib
from gan_jax.data import conditions, kinds, ranges
from gan_jax.types import Dataset, UserError

LOOKED = 64  # images of a data set of one's own, whose range is looked at


def load(name: str, /, *, memory_mb: float = 1024, **options) -> Dataset:
  """Loads a data set by name.

  Args:
    name: a file of gan_jax/datasets, or the dotted name of a module with
      `load(**options) -> Dataset`, or what TFDS calls one of its own.
    memory_mb: a larger data set is read from disk as it is needed.
    **options: of that data set; None and '' stand for its defaults.

  Raises:
    UserError: an unknown name or option (the message lists what exists), or
      data that are missing or invalid.
  """
  module = _module(name)
  given = {k: v for k, v in options.items() if v is not None and v != ''}
  parameters = dict(inspect.signature(module.load).parameters)
  fixed = {'memory_mb': memory_mb} if 'memory_mb' in parameters else {}
  if module.__name__.endswith('.tfds_images') and name != 'tfds_images':
    fixed['name'] = name
  known = {k: p for k, p in parameters.items() if k not in fixed}
  _check_options(name, given, known)
  dataset = _checked(module.load(**given, **fixed), name)
  if kinds.of(dataset).RANGE and modules.is_outside(name):
    _judge(dataset, name)
  return dataset


def describe(name: str, /, **options) -> Dataset:
  """What `load` would give, of which no example can be read.

  Nothing is read either: a data set that lies in files says by the function
  `describe` what they will be; one that has none is made, and loaded.

  Args:
    name: see load.
    **options: see load; memory_mb is left out.

  Raises:
    UserError: an unknown name or option, or it takes the files to know.
  """
  module = _module(name)
  given = {k: v for k, v in options.items() if v is not None and v != ''}
  given.pop('memory_mb', None)
  if not hasattr(module, 'describe'):
    return load(name, **given)
  known = dict(inspect.signature(module.load).parameters)
  if module.__name__.endswith('.tfds_images') and name != 'tfds_images':
    given['name'] = name
  _check_options(name, given, known)
  taken = inspect.signature(module.describe).parameters
  return module.describe(**{k: v for k, v in given.items() if k in taken})


def _check_options(name, given, known):
  """Refuses options that a data set does not take, or of the wrong type."""
  if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
    for k in given:
      if k not in known:
        there = ', '.join(known) or 'no options'
        raise UserError(f'data.{k}: unknown; {name} takes {there}.')
  for k in set(given) & set(known):
    options_lib.check_kind(f'data.{k}', given[k], known[k].annotation)


def options_of(name: str) -> list[str]:
  """Names of the options that `load` takes for a data set."""
  return list(inspect.signature(_module(name).load).parameters)


def _module(name):
  options_lib.check_kind('data.name', name, str)
  if name in select.available('datasets'):
    return importlib.import_module(f'gan_jax.datasets.{name}')
  if '.' in name and ':' not in name and '/' not in name:
    ours = ', '.join(select.available('datasets'))
    return modules.named(
      name, flag='data.name', needs=['load'], choices=f'data sets: {ours}'
    )
  return importlib.import_module('gan_jax.datasets.tfds_images')


def _checked(dataset, name):
  if not isinstance(dataset, types.Dataset):
    raise UserError(
      f'data.name={name!r}: load gives {type(dataset).__name__}; expected a'
      ' Dataset, such as gan_jax.data.memory.from_arrays makes.'
    )
  if not 0 < dataset.size < types.MAX_SIZE:
    raise UserError(
      f'data.name={dataset.name!r}: {dataset.size} examples; expected at least'
      f' 1 and fewer than {types.MAX_SIZE}.'
    )
  kinds.of(dataset)  # now: a kind that does not exist must stop us here
  if dataset.attributes:
    conditions.check(dataset)
  return dataset


def _judge(dataset, name):
  """Looks at the range of a few images of a data set of one's own."""
  rows = np.linspace(0, dataset.size - 1, LOOKED).astype(int)
  try:
    x = np.asarray(dataset.read(np.unique(rows))['x'])
  except Exception:  # of any type; who reads it next will tell
    return
  ranges.judge_own(x, f'data.name={name!r}')


def arrays(dataset: Dataset) -> dict[str, np.ndarray]:
  """All examples: {'x': [N, *shape], 'label': [N] int32 if there are any}.

  Labels that are vectors are [N, C] float32.
  """
  own = lambda x: x if x.flags.writeable else x.copy()
  return {k: own(np.asarray(x)) for k, x in whole(dataset).items()}


def whole(dataset: Dataset) -> dict[str, np.ndarray]:
  """The same to be read only: what lies in memory is not copied."""
  return dataset.read(np.arange(dataset.size))
