"""Sine waves of random frequency, height and phase: the digits of series.

C. Esteban et al., Real-valued (medical) time series generation with recurrent
conditional GANs (2017), https://arxiv.org/abs/1706.02633, section 5.1, with
the constants of the code published with it: 30 moments, 1 to 5 periods, height
.1 to .9.
"""

import numpy as np

from gan_jax import types
from gan_jax.data import memory
from gan_jax.types import Dataset, UserError

SPLITS = {'train': 0, 'test': 1}
TEST = 5  # the test split is a fifth as large


def load(
  *,
  split: str = 'train',
  size: int = 14_000,
  length: int = 30,
  channels: int = 1,
  data_seed: int = 0,
) -> Dataset:
  """Draws the waves: height * sin(2 pi periods t / length + phase).

  Every channel is a wave of its own. Both splits are drawn alike, independent
  of each other.

  Args:
    split: 'train', or 'test', of a fifth of the size.
    size: number of series of the train split.
    length: moments of each.
    channels: waves of each.
    data_seed: of the draw, apart from the seed of the training.

  Returns:
    Series [length, channels], float32; the networks see them over .9.

  Raises:
    UserError: an option out of range.
  """
  _check(split, size, length, channels, data_seed)
  size = size if split == 'train' else -(-size // TEST)
  rng = np.random.Generator(np.random.PCG64([data_seed, SPLITS[split]]))
  draw = lambda low, high: rng.uniform(low, high, (size, 1, channels))
  periods, height = draw(1.0, 5.0), draw(0.1, 0.9)
  phase = draw(-np.pi, np.pi)
  t = np.arange(1, length + 1)[:, None]  # [T, 1]
  x = height * np.sin(2 * np.pi * periods * t / length + phase)
  limits = {'low': [-0.9] * channels, 'high': [0.9] * channels}
  names = [f'wave {c + 1}' for c in range(channels)]
  return memory.from_arrays(
    'sines',
    'series',
    x.astype(np.float32),
    about={'columns': names} | limits,
  )


def _check(split, size, length, channels, data_seed):
  if split not in SPLITS:
    raise UserError(f'data.split={split!r}: there are {", ".join(SPLITS)}.')
  ranges = {
    'size': (size, 1, types.MAX_SIZE - 1),
    'length': (length, 2, 2**16),
    'channels': (channels, 1, 2**10),
    'data_seed': (data_seed, 0, 2**63),
  }
  for name, (value, least, most) in ranges.items():
    if not least <= value <= most:
      raise UserError(f'data.{name}={value}: expected {least} to {most}.')
