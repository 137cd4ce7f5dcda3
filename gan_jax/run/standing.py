"""Standing statistics: what batch norms of G use in place of running averages.

Brock et al. 2019 (https://arxiv.org/abs/1809.11096), section 3.1 and appendix
B: running averages lag behind the weights and, of a moving average of G, belong
to other weights; so the means and variances are taken anew, over many forward
passes of the very G that makes the samples. They are averaged over the passes.
"""

import jax
import numpy as np

from gan_jax.game import keys as keys_lib
from gan_jax.run import labels as labels_lib
from gan_jax.run.sampling import BATCH, take_seed
from gan_jax.types import G, UserError

STATISTICS = 'batch_stats'  # the collection of flax.linen's batch norms
RUNNING = 'running'


def name_of(batches: int) -> str:
  """What a record calls the statistics of so many passes, 0 of none."""
  return f'standing, {batches} x {BATCH} samples' if batches else RUNNING


def check(setup, batches: int, *, flag: str = 'standing_stats'):
  """Refuses them where G has no batch norm.

  Args:
    setup: setup.Setup.
    batches: how many passes; 0 asks for none.
    flag: how the user names them, for error messages.

  Raises:
    UserError: there is none, or the number is negative.
  """
  if batches < 0:
    raise UserError(f'{flag}={batches}: expected at least 0.')
  if not batches:
    return
  own = jax.eval_shape(setup.init).ema[G]['vars']
  if not jax.tree.leaves(own.get(STATISTICS, {})):
    raise UserError(
      f'{flag}={batches}: the generator has no batch norm, whose statistics'
      ' these would be.'
    )


def settled(setup, averages, key: jax.Array, batches: int, how: str) -> dict:
  """State.ema of one seed, G's batch norms by their standing statistics.

  Args:
    setup: setup.Setup.
    averages: State.ema of one seed, which stays as it is.
    key: root key [] of the seed.
    batches: passes, of sampling.BATCH samples each; 0 changes nothing.
    how: of which classes, see run.labels.
  """
  if not batches:
    return averages
  key = keys_lib.stream(key, keys_lib.STANDING)
  labels = labels_lib.of_draw(setup, how, key, batches * BATCH)
  total = None
  for first in range(0, batches * BATCH, BATCH):
    index = np.arange(first, first + BATCH, dtype=np.int32)
    label = None if labels is None else labels[index]
    one = jax.device_get(setup.statistics(averages, key, index, label))
    one = jax.tree.map(np.float64, one)
    total = one if total is None else jax.tree.map(np.add, total, one)
  mean = jax.tree.map(lambda x: np.float32(x / batches), total)
  own = averages[G]
  return {**averages, G: {**own, 'vars': {**own['vars'], STATISTICS: mean}}}


def settled_seeds(setup, averages, batches: int, how: str) -> dict:
  """The same of all seeds: State.ema [S, ...]."""
  if not batches:
    return averages
  each = [
    settled(setup, take_seed(averages, s), key, batches, how)
    for s, key in enumerate(setup.keys)
  ]
  return jax.tree.map(lambda *leaves: np.stack(leaves), *each)
