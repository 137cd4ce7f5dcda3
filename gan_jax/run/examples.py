"""The data of a config: what is trained on, held out, and other splits.

A run that has been trained can be opened without its data: its description
takes their place, and they are loaded when somebody asks for an example.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from gan_jax.components import options as options_lib
from gan_jax.data import batching, conditions, loading
from gan_jax.data import held_out as held_out_lib
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError

MEMORY_MB = 1024  # a larger data set streams, unless data.memory_mb says so
# Options that say where data lie, not what they are.
PLACES = ('dir', 'path', 'table')
# Those that say how files are read: if that makes them other data, these have
# another fingerprint.
READING = ('skip_corrupt', 'range')


class Examples(NamedTuple):
  """A data set as a config asks for it."""

  dataset: Dataset  # that is trained on
  held_out: Callable  # () -> {'x': [H, ...], ...}, see held_out.samples
  open_split: Callable | None  # 'test' -> Dataset; None without splits
  flip: bool  # mirror every other example
  resident: bool  # whether the data set lies on the device


def load(options: dict) -> Examples:
  """Loads what a config's group `data` names.

  Raises:
    UserError: it cannot be loaded.
  """
  options = {'memory_mb': MEMORY_MB, 'name': '', **options}
  asked = dict(options)
  flip, share = options.pop('flip', False), options.pop('held_out', 0)
  most = _bytes(options['memory_mb'])
  get = functools.partial(loading.load, options.pop('name'))
  whole = options_lib.call('data', get, options)
  dataset, unseen = held_out_lib.part(whole, share)
  batching.check_flip(dataset, flip=flip)
  aside = lambda: held_out_lib.samples(unseen or _beside(asked))
  resident = dataset.nbytes <= most
  return Examples(dataset, aside, _opener(asked), flip, resident)


def places_of(options: dict) -> list[str]:
  """Which of PLACES a data set takes, or has been given."""
  given = [name for name in PLACES if options.get(name)]
  try:
    known = loading.options_of(options.get('name', ''))
  except Exception:  # a data set of one's own that is not there any more
    return given
  return [name for name in PLACES if name in known or name in given]


def with_places(config: dict) -> dict:
  """A config whose data are in the same place from any folder."""
  options = config.get('data')
  if not isinstance(options, dict):  # a mistake, told later
    return config
  known = [k for k in PLACES if isinstance(options.get(k), str)]
  places = {k: paths.absolute(options[k]) for k in known}
  return config | {'data': options | places}


def _bytes(memory_mb):
  if not isinstance(memory_mb, int | float) or isinstance(memory_mb, bool):
    raise UserError(f'data.memory_mb={memory_mb!r}: expected a number.')
  return memory_mb * 2**20


def _opener(options):
  """What opens another split of the data set, if it has splits."""
  if 'split' not in loading.options_of(options['name']):
    return None
  return lambda split: load({**options, 'split': split, 'held_out': 0}).dataset


def _beside(options):
  """What is held out where the options ask for no share."""
  own = ('name', 'flip', 'held_out')
  return held_out_lib.beside(
    options['name'], {k: v for k, v in options.items() if k not in own}
  )


# ------------------------------------------------- described, not yet loaded


def described(known: Dataset, options: dict, *, has_splits: bool) -> Examples:
  """A run's data by their description; loaded when an example is asked for.

  Args:
    told: the data set, without `read`.
    options: group `data` of the run's config.
    has_splits: whether the data set has any.

  Returns:
    The examples. To read one raises UserError where the data are not there any
    more, or are not the same.
  """
  find = functools.cache(lambda: _found(known, options))
  memory_mb = options.get('memory_mb', MEMORY_MB)
  return Examples(
    known._replace(
      read=lambda rows: find().dataset.read(rows),
      read_labels=lambda rows: conditions.of(find().dataset, rows),
      modes=_modes(known.modes, lambda: find().dataset.modes),
    ),
    lambda: find().held_out(),
    (lambda split: _split(options, split)) if has_splits else None,
    options.get('flip', False),
    known.nbytes <= _bytes(memory_mb),
  )


def _modes(known, find):
  """Known modes; data sets among them are read where they are found."""
  if not isinstance(known, dict):
    return known
  later = lambda k: lambda rows: find()[k].read(rows)
  return {
    k: v._replace(read=later(k)) if isinstance(v, Dataset) else v
    for k, v in known.items()
  }


def _split(options, split):
  return _needed(options, lambda: _opener(options)(split))


def _found(known, options):
  """The data, if they are those of the description."""
  loaded = _needed(options, lambda: load(options))
  then, now = known.fingerprint, loaded.dataset.fingerprint
  if (then != now and then and now) or loaded.dataset.shape != known.shape:
    raise UserError(
      f'data.name={options.get("name")!r}: not the data of this run; they had'
      f' the fingerprint {then[:12]}, these have {now[:12]}.{_hint(options)}'
    )
  return loaded


def places_given(options: dict) -> dict:
  """The options of --data beside --workdir, which say where data are now.

  Raises:
    UserError: there is a --data itself.
  """
  if '' in options:
    raise UserError(
      '--data does not go with --workdir; where the data of a run are now, say'
      ' --data.dir and --data.path.'
    )
  return options


def _needed(options, get):
  """What get() gives; an error says that, and where, the data are missed."""
  try:
    return get()
  except UserError as e:
    raise UserError(f'{e}{_hint(options)}') from e
  except Exception as e:  # a data set of one's own raises anything
    raise UserError(
      f'data.name={options.get("name")!r}: {type(e).__name__}: {e}.'
      f'{_hint(options)}'
    ) from e


def _hint(options):
  """How to say where the data are, if they lie anywhere."""
  flags = ' or '.join(f'--data.{name}=...' for name in places_of(options))
  return f' Have they moved? {flags} says where they are now.' if flags else ''
