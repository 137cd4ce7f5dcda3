"""Samples of text as the metrics read them: numbers, lengths, strings."""

import dataclasses

import numpy as np

from gan_jax.types import UserError

END = '\n'


@dataclasses.dataclass(frozen=True)
class Texts:
  """N texts over one alphabet."""

  ids: np.ndarray  # [N, T] int64, numbers of characters
  lengths: np.ndarray  # [N], how many of them count
  letters: str  # number k is letters[k]
  whole: bool  # whether they are lines: windows begin and end within words

  def __len__(self):
    return len(self.ids)

  def part(self, start: int, stop: int) -> 'Texts':
    """Some of them."""
    rows = slice(start, stop)
    own = {'ids': self.ids[rows], 'lengths': self.lengths[rows]}
    return dataclasses.replace(self, **own)

  def strings(self) -> list[str]:
    """Each as a string, a line without its end."""
    codes = np.array([ord(c) for c in self.letters], np.uint32)[self.ids]
    size = codes.shape[1] * 4
    raw = codes.astype('<u4').tobytes()
    made = [
      raw[k * size : k * size + 4 * n].decode('utf-32-le', 'replace')
      for k, n in enumerate(self.lengths.tolist())
    ]
    return [s.removesuffix(END) for s in made] if self.whole else made


def read(samples: np.ndarray, about: dict) -> Texts:
  """Samples [N, T, V] in model range: the most probable character counts.

  A line counts with its first end and without what follows.

  Args:
    samples: float32.
    about: what the data set tells of itself: `alphabet`, `lines`.

  Raises:
    UserError: there is no alphabet of V characters.
  """
  letters = (about or {}).get('alphabet', '')
  if samples.ndim != 3 or samples.shape[-1] != len(letters):
    raise UserError(
      f'scores of characters: expected [N, T, {len(letters)}], a place for each'
      f' character of the alphabet, got {list(samples.shape)}.'
    )
  ids = samples.argmax(axis=-1).astype(np.int64)
  count, length = ids.shape
  lengths = np.full(count, length)
  whole = bool(about.get('lines'))
  if whole:
    ends = ids == letters.index(END)
    lengths = np.where(ends.any(1), ends.argmax(1) + 1, length)
  return Texts(ids, lengths, letters, whole)
