"""Lines by a small grammar, so that a score of text has a truth.

  line   subject verb . | subject verb object .     130,320 of them
  noun   the old cat, my hen | the cats, two wet pigs

The verb agrees with its subject: 'the cat sees two pigs.', 'the cats see my
pig.' `about['grammar']` is the grammar as a regular expression.
"""

import numpy as np

from gan_jax import types
from gan_jax.data import alphabet, memory, texts
from gan_jax.types import Dataset, UserError

ONE = {
  'start': ('the', 'my', 'one'),
  'noun': ('cat', 'dog', 'hen', 'pig', 'cow', 'owl'),
  'alone': ('runs', 'naps', 'sings', 'eats'),
  'with': ('sees', 'bites', 'likes', 'hears'),
}
MANY = {
  'start': ('the', 'two', 'all'),
  'noun': ('cats', 'dogs', 'hens', 'pigs', 'cows', 'owls'),
  'alone': ('run', 'nap', 'sing', 'eat'),
  'with': ('see', 'bite', 'like', 'hear'),
}
LIKE = ('', 'old ', 'red ', 'big ', 'wet ')
SPLITS = {'train': 0, 'test': 1}
TEST = 5  # the test split is a fifth as large
LENGTH = 32  # the longest line has 31 characters


def _phrase(number):
  any_of = lambda words: f'(?:{"|".join(words)})'
  return f'{any_of(number["start"])} {any_of(LIKE)}{any_of(number["noun"])}'


def _pattern():
  either = f'(?:{_phrase(ONE)}|{_phrase(MANY)})'
  of = lambda n: (
    f'{_phrase(n)} (?:(?:{"|".join(n["alone"])})|(?:{"|".join(n["with"])})'
    f' {either})'
  )
  return rf'(?:{of(ONE)}|{of(MANY)})\.'


PATTERN = _pattern()


def load(
  *, split: str = 'train', size: int = 20_000, data_seed: int = 0
) -> Dataset:
  """Draws the lines.

  Both splits are drawn alike, independent of each other; a line may be in both.

  Args:
    split: 'train', or 'test', of a fifth of the size.
    size: number of lines of the train split.
    data_seed: of the draw, apart from the seed of the training.

  Returns:
    lines of at most 31 characters, filled up to 32 by their end.

  Raises:
    UserError: an option out of range.
  """
  if split not in SPLITS:
    raise UserError(f'data.split={split!r}: there are {", ".join(SPLITS)}.')
  most = {'size': types.MAX_SIZE - 1, 'data_seed': 2**63}
  for name, value in (('size', size), ('data_seed', data_seed)):
    least = int(name == 'size')
    if not least <= value <= most[name]:
      raise UserError(f'data.{name}={value}: expected {least} to {most[name]}.')
  size = size if split == 'train' else -(-size // TEST)
  rng = np.random.Generator(np.random.PCG64([data_seed, SPLITS[split]]))
  rows = ''.join(_lines(rng, size))
  letters = alphabet.fit(''.join(_words()) + ' .' + texts.END)
  x = alphabet.encode(rows, letters, source='grammar')
  x = x.reshape(size, LENGTH)
  fields = texts.fields(x, letters, lines=True, grammar=PATTERN)
  return memory.from_arrays('grammar', 'text', x, **fields)


def _words():
  """All of them."""
  return [w for n in (ONE, MANY) for own in n.values() for w in own] + [*LIKE]


def _lines(rng, size):
  """Lines, each filled up: all choices are drawn at once."""
  draws = rng.random((size, 10))
  for u in draws:
    pick = lambda k, words, u=u: words[int(u[k] * len(words))]
    subject, other = (pick(k, (ONE, MANY)) for k in (0, 1))
    phrase = lambda n, k, pick=pick: (
      f'{pick(k, n["start"])} {pick(k + 1, LIKE)}{pick(k + 2, n["noun"])}'
    )
    verb = pick(8, subject['alone'])
    if u[9] < 0.75:
      verb = f'{pick(8, subject["with"])} {phrase(other, 5)}'
    yield f'{phrase(subject, 2)} {verb}.'.ljust(LENGTH, texts.END)
