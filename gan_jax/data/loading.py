"""Every data set behind one interface, in memory or streaming.

Which examples a step sees is a pure function of the seed and the step, see
shuffling.py; there is no iterator whose state could be lost.
"""

import concurrent.futures
import functools
import importlib
import inspect
from collections import deque
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax import select, types
from gan_jax.components import modules
from gan_jax.components import options as options_lib
from gan_jax.data import conditions, kinds, ranges, shuffling
from gan_jax.types import Dataset, UserError

LOOKED = 64  # images of a data set of one's own, whose range is looked at
# Rows of a streamed run's order that are computed at a time, and steps at most.
PLANNED, MOST_PLANNED = 2**14, 64

# ---------------------------------------------------------------- by name


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


# ------------------------------------------------------------- the batches


def draw(
  dataset: Dataset,
  arrays: dict[str, jax.Array],
  key: jax.Array,
  step: jax.Array,
  index: jax.Array,
  *,
  batches: int,
  batch_size: int,
  flip: bool = False,
) -> dict[str, jax.Array]:
  """A step's examples from arrays in memory; to be traced.

  Args:
    dataset: whose examples they are.
    arrays: {'x': [N, *shape], 'label': [N] if any}, see `arrays`.
    key: the root key [] of the seed.
    step: [] int.
    index: [b] int, the examples of the global batch that this device draws.
    batches: drawn in each step.
    batch_size: global.
    flip: mirror every other example, drawn anew in each epoch.

  Returns:
    {'x': [batches, b, *shape] float32 in model range, 'label': [batches, b]}.

  Raises:
    UserError: flip of what cannot be mirrored.
  """
  check_flip(dataset, flip=flip)
  size = len(arrays['x'])
  rows, mirrored = shuffling.plan(
    key, step, index, size=size, batches=batches, batch_size=batch_size
  )
  batch = {k: v[rows] for k, v in arrays.items()}
  if flip:
    batch['x'] = _mirror(dataset, batch['x'], mirrored)
  return {**batch, 'x': kinds.in_model_range(dataset, batch['x'])}


def stream(
  dataset: Dataset,
  key: jax.Array,
  index: np.ndarray,
  *,
  step: int = 0,
  batches: int,
  batch_size: int,
  flip: bool = False,
  depth: int = 2,
) -> Iterator[dict[str, np.ndarray]]:
  """The same examples as `draw`, read from disk ahead of their use.

  Args:
    dataset: one that does not fit into memory.
    key: root key [], or keys [S] of several seeds.
    index: [b] int, the examples of the global batch that this process draws.
    step: the first to yield.
    batches: drawn in each step.
    batch_size: global.
    flip: mirror every other example.
    depth: batches read ahead, in a thread.

  Yields:
    for the steps step, step + 1, ...: {'x': [(S,) batches, b, *shape] uint8 or
    float32, 'label': [(S,) batches, b]} on the host. `kinds.in_model_range`
    inside the compiled step makes them equal to `draw`'s, bit for bit.

  Raises:
    UserError: flip of what cannot be mirrored, or what the data set raises.
  """
  check_flip(dataset, flip=flip)
  static = {'size': dataset.size, 'batches': batches, 'batch_size': batch_size}
  make_plan = _host_plan(key, index, **static)
  fetch = lambda s: _fetch(dataset, *make_plan(s), flip=flip)
  return _ahead(fetch, step, depth)


def check_flip(dataset: Dataset, *, flip: bool):
  """Raises UserError where examples are to be flipped that have no mirror."""
  if flip and kinds.of(dataset).mirror is None:
    raise UserError(f'data.flip: expected images, {dataset.name} has none.')


def _mirror(dataset, x, mirrored):
  """x [..., *sample], mirrored where `mirrored` [...] says so."""
  chosen = mirrored.reshape(mirrored.shape + (1,) * (x.ndim - mirrored.ndim))
  xp = np if isinstance(x, np.ndarray) else jnp
  return xp.where(chosen, kinds.of(dataset).mirror(x), x)


def _host_plan(key, index, **static):
  """`plan` for any step, as NumPy arrays, computed on the CPU.

  Of many steps at a time: a call takes longer than what it computes.
  """
  try:
    cpu = jax.local_devices(backend='cpu')[0]
  except RuntimeError:  # the backends were restricted to an accelerator
    cpu = jax.local_devices()[0]
  rows = key.size * static['batches'] * len(index)
  count = int(np.clip(PLANNED // rows, 1, MOST_PLANNED))
  key, index = jax.device_put((key, np.asarray(index, np.int32)), cpu)
  one = functools.partial(shuffling.plan, **static)
  every = jax.vmap(one, (0, None, None)) if key.ndim else one
  compiled = jax.jit(jax.vmap(every, (None, 0, None)))

  @functools.lru_cache(2)
  def block(number):
    # device_put rather than a plain argument: steps must be on the CPU too.
    steps = np.arange(count, dtype=np.int32) + np.int32(number * count)
    return jax.device_get(compiled(key, jax.device_put(steps, cpu), index))

  return lambda s: tuple(x[s % count] for x in block(s // count))


def _fetch(dataset, rows, mirrored, *, flip):
  batch = dataset.read(rows.reshape(-1))
  batch = {k: v.reshape(*rows.shape, *v.shape[1:]) for k, v in batch.items()}
  if flip:
    batch['x'] = _mirror(dataset, batch['x'], mirrored)
  return batch


def _ahead(fetch, step, depth):
  pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix='data')
  try:
    waiting = deque(pool.submit(fetch, step + i) for i in range(depth))
    while True:
      batch = waiting.popleft().result()
      step += 1
      waiting.append(pool.submit(fetch, step + depth - 1))
      yield batch
  finally:  # also when the consumer stops or is collected
    pool.shutdown(cancel_futures=True)
