"""A config resolved without its data: of these only the description is asked.

Whoever has the data of a run gets its setup by run.setup.build.
"""

from gan_jax.components import options as options_lib
from gan_jax.data import batching, loading
from gan_jax.datasets import npz
from gan_jax.run import examples as examples_lib
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import stand_in
from gan_jax.types import Dataset, UserError

# Options of examples.load, which a data set does not know.
OURS = ('name', 'flip', 'held_out')


def setup(
  config: dict, *, num_classes: int = 0, shape: tuple[int, ...] = ()
) -> setup_lib.Setup:
  """The setup of a config, of which no example can be read.

  It has no probe: what looks at the game every so many steps is no part of
  what a step costs.

  Args:
    config: all keys of run.config.keys.TABLE.
    num_classes: of a data set that cannot know without its files, such as a
      folder; 0: what it says itself.
    shape: of a sample, of data that only their files know, such as those of an
      .npz: [H, W, C] of a picture, [T, C] of a series, [D] of a point; (): what
      the data set says itself.

  Raises:
    UserError: whatever is wrong with the config, or only the files know the
      shape of a sample.
  """
  examples = _examples(config, num_classes, shape)
  config = {**config, 'health_every': 0}
  return setup_lib.build(config, opened=lambda _: examples, here=False)


def rehearsed(
  config: dict, *, num_classes: int = 0, shape: tuple[int, ...] = ()
) -> setup_lib.Setup:
  """The same with its probe, and with random examples where none can be read.

  Args and errors as of setup.
  """
  made = _examples(config, num_classes, shape)
  given = {'flip': made.flip, 'resident': made.resident}
  examples = stand_in.examples(made.dataset, config['data'], **given)
  return setup_lib.build(config, opened=lambda _: examples, here=False)


def _examples(config, num_classes, shape) -> examples_lib.Examples:
  """The data of a config, of which no example can be read."""
  options = {'memory_mb': examples_lib.MEMORY_MB, **config['data']}
  dataset = _of_shape(options, shape) if shape else dataset_of(options)
  if num_classes:
    names = tuple(map(str, range(num_classes)))
    dataset = dataset._replace(class_names=names, attributes=())
  if config['conditional'] and not (dataset.class_names or dataset.attributes):
    raise UserError(
      f'--num_classes is missing: {dataset.name} knows its classes only from'
      ' its files.'
    )
  flip = options.get('flip', False)
  batching.check_flip(dataset, flip=flip)
  # Data of unknown size stream.
  most = options['memory_mb'] * 2**20
  resident = bool(dataset.size) and dataset.nbytes <= most
  return examples_lib.Examples(dataset, dict, None, flip, resident)


def dataset_of(options: dict) -> Dataset:
  """The description of what a config's group `data` names.

  Raises:
    UserError: an unknown name or option, or only the files know.
  """
  own = {k: v for k, v in options.items() if k not in OURS}
  name = options.get('name', '')
  describe = lambda **kwargs: loading.describe(name, **kwargs)
  try:
    return options_lib.call('data', describe, own)
  except UserError as e:
    if 'path' not in own:
      raise
    raise UserError(f'{e} Without the file: --shape=H,W,C of a sample.') from e


def _of_shape(options, shape):
  return npz.described(options.get('name', ''), shape, flag='--shape')
