"""The longest run of each text that stands in a corpus."""

import numpy as np

from gan_jax.metrics.text.characters import Texts


def longest(texts: Texts, corpus: Texts) -> np.ndarray:
  """How long the longest run is that stands in some text of a corpus.

  Runs go by hashes of 64 bits: a chance in 2^64 for each pair of runs.

  Args:
    texts: over the same alphabet.
    corpus: at least one text.

  Returns:
    [N] int, at most T.
  """
  hashes = [_Hashes(t) for t in (texts, corpus)]
  best = np.zeros(len(texts), np.int64)
  alive = np.ones(len(texts), bool)
  for n in range(1, min(t.ids.shape[1] for t in (texts, corpus)) + 1):
    (own, inside), (theirs, there) = (h.next() for h in hashes)
    known = np.unique(theirs[there])
    # A text without a copied run of n has none of n + 1.
    rows = np.flatnonzero(alive)
    copied = (_among(own[rows], known) & inside[rows]).any(1)
    alive[rows] = copied
    best[rows[copied]] = n
    if not copied.any():
      break
  return best


def _among(x, ascending):
  if not len(ascending):
    return np.zeros(x.shape, bool)
  place = np.searchsorted(ascending, x)
  return ascending[np.minimum(place, len(ascending) - 1)] == x


class _Hashes:
  """Hashes of all runs of 1, 2, ... characters, one length after the other."""

  def __init__(self, texts):
    """Begins with runs of none."""
    rng = np.random.default_rng(0)
    codes = rng.integers(2**63, size=len(texts.letters), dtype=np.uint64)
    self._codes = codes[texts.ids]  # [N, T]
    self._lengths, self._n = texts.lengths, 0
    self._made = np.zeros((1, 1), np.uint64)

  def next(self):
    """(hashes [N, places], which of them lie in their text)."""
    places = self._codes.shape[1] - self._n
    many = np.uint64(0x9E3779B97F4A7C15)
    made = _mixed(self._made[:, :places] * many)
    self._made = made + self._codes[:, self._n :]
    self._n += 1
    inside = np.arange(places)[None, :] <= (self._lengths - self._n)[:, None]
    return self._made, inside


def _mixed(z):
  z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  return z ^ (z >> np.uint64(27))
