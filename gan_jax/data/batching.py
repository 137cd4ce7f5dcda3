"""The batches of a step, of data in memory or read ahead from disk.

Which examples a step sees is a pure function of the seed and the step, see
shuffling.py; there is no iterator whose state could be lost.
"""

import concurrent.futures
import functools
from collections import deque
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.data import kinds, shuffling
from gan_jax.types import Dataset, UserError

# Rows of a streamed run's order that are computed at a time, and steps at most.
PLANNED, MOST_PLANNED = 2**14, 64
AHEAD = 2  # steps, or blocks of steps, that are read before they are asked for


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
    arrays: {'x': [N, *shape], 'label': [N] if any}, see loading.arrays.
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
  block: int = 0,
) -> Iterator[dict[str, np.ndarray]]:
  """The same examples as `draw`, read in a thread ahead of their use.

  Args:
    dataset: one that does not fit into memory.
    key: root key [], or keys [S] of several seeds.
    index: [b] int, the examples of the global batch that this process draws.
    step: the first to yield.
    batches: drawn in each step.
    batch_size: global.
    flip: mirror every other example.
    block: steps that are yielded together, whose first is a multiple of it; 0:
      each by itself.

  Yields:
    for the steps step, step + 1, ...: {'x': [(S,) batches, b, *shape] uint8 or
    float32, 'label': [(S,) batches, b]} on the host; of blocks, from the one
    with `step` on: [(S,) block, batches, b, ...]. `kinds.in_model_range` inside
    the compiled step makes them equal to `draw`'s, bit for bit.

  Raises:
    UserError: flip of what cannot be mirrored, or what the data set raises.
  """
  check_flip(dataset, flip=flip)
  static = {'size': dataset.size, 'batches': batches, 'batch_size': batch_size}
  make_plan = _host_plan(key, index, **static)
  if block:
    step, make_plan = step // block, _in_blocks(make_plan, block, key.ndim)
  fetch = lambda s: _fetch(dataset, *make_plan(s), flip=flip)
  return _ahead(fetch, step)


def of_step(
  dataset: Dataset,
  key: jax.Array,
  index: np.ndarray,
  step: int,
  *,
  flip: bool = False,
  **static,
) -> dict[str, np.ndarray]:
  """What `stream` yields for a single step; arguments as there."""
  rows, mirrored = _host_plan(key, index, size=dataset.size, **static)(step)
  return _fetch(dataset, rows, mirrored, flip=flip)


def _in_blocks(make_plan, block, axis):
  """Plans of `block` steps at a time, by the number of the block."""

  def make(number):
    plans = [make_plan(number * block + i) for i in range(block)]
    return [np.stack(part, axis) for part in zip(*plans, strict=True)]

  return make


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


def _ahead(fetch, step):
  pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix='data')
  try:
    waiting = deque(pool.submit(fetch, step + i) for i in range(AHEAD))
    while True:
      batch = waiting.popleft().result()
      step += 1
      waiting.append(pool.submit(fetch, step + AHEAD - 1))
      yield batch
  finally:  # also when the consumer stops or is collected
    pool.shutdown(cancel_futures=True)
