"""Tones of known pitch: sounds whose truth is known, without a download.

Each is a wave with three overtones that fades away. The ten classes are the
notes of the pentatonic scale over two octaves, from C4 to A5, in equal
temperament (A4 = 440 Hz): two or three semitones apart, so that half a
semitone decides.
"""

import numpy as np

from gan_jax import types
from gan_jax.data import memory
from gan_jax.kinds.hearing import wav
from gan_jax.types import Dataset, UserError

SPLITS = {'train': 0, 'test': 1}
TEST = 5  # the test split is a fifth as large
NOTES = {
  f'{name}{octave}': 440 * 2 ** ((semitones + 12 * octave - 57) / 12)
  for octave in (4, 5)
  for name, semitones in {'C': 0, 'D': 2, 'E': 4, 'G': 7, 'A': 9}.items()
}
PARTIALS = 4
EDGE = 0.01  # seconds, of its beginning and of its end
CHUNK = 512  # sounds at a time


def load(
  *,
  split: str = 'train',
  size: int = 5000,
  length: int = 1024,
  sample_rate: int = 4000,
  data_seed: int = 0,
) -> Dataset:
  """Draws the tones: their loudness, phases, overtones and how fast they fade.

  Pitches are exact, and known as `about['pitches']`. Both splits are drawn
  alike, independent of each other.

  Args:
    split: 'train', or 'test', of a fifth of the size.
    size: number of sounds of the train split; the classes take turns.
    length: samples of each.
    sample_rate: samples a second; overtones above half of it are left out.
    data_seed: of the draw, apart from the seed of the training.

  Returns:
    Sounds [length, 1], int16.

  Raises:
    UserError: an option out of range.
  """
  _check(split, size, length, sample_rate, data_seed)
  size = size if split == 'train' else -(-size // TEST)
  rng = np.random.Generator(np.random.PCG64([data_seed, SPLITS[split]]))
  label = np.arange(size) % len(NOTES)
  pitches = np.array(list(NOTES.values()))
  x = np.concatenate(
    [
      _drawn(rng, pitches[label[start : start + CHUNK]], length, sample_rate)
      for start in range(0, size, CHUNK)
    ]
  )
  return memory.from_arrays(
    'tones',
    'audio',
    wav.levels(x)[..., None],
    label,
    class_names=tuple(NOTES),
    about={
      'sample_rate': sample_rate,
      'pitches': [round(p, 3) for p in NOTES.values()],
    },
  )


def _drawn(rng, pitch, length, rate):
  """Sounds [n, T] float32 of fundamentals [n] in Hz."""
  n = len(pitch)
  draw = lambda low, high, *more: rng.uniform(low, high, (n, *more, 1))
  t = (np.arange(length) / rate).astype(np.float32)
  loud, fade, fall = draw(0.4, 0.9), draw(1.0, 6.0), draw(1.0, 2.5)
  edges = np.minimum(np.minimum(t, t[::-1]) / EDGE, 1)  # no clicks
  envelope = np.exp(-fade.astype(np.float32) * t) * edges
  wave = np.zeros((n, length), np.float32)
  weights = 0
  for h in range(1, PARTIALS + 1):
    own = h**-fall * (h * pitch < rate / 2)[:, None]  # [n, 1]
    phase = draw(-np.pi, np.pi)
    turns = (h * pitch[:, None] / rate) * np.arange(length) % 1
    wave += (own * np.sin(2 * np.pi * turns + phase)).astype(np.float32)
    weights = weights + own
  return (loud / weights).astype(np.float32) * envelope * wave


def _check(split, size, length, sample_rate, data_seed):
  if split not in SPLITS:
    raise UserError(f'data.split={split!r}: there are {", ".join(SPLITS)}.')
  ranges = {
    'size': (size, 1, types.MAX_SIZE - 1),
    'length': (length, 16, 2**20),
    'sample_rate': (sample_rate, 2000, 192_000),
    'data_seed': (data_seed, 0, 2**63),
  }
  for name, (value, least, most) in ranges.items():
    if not least <= value <= most:
      raise UserError(f'data.{name}={value}: expected {least} to {most}.')
