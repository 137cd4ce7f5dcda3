"""Words of texts, and whether the corpus has them too."""

import re
from collections.abc import Iterable

import numpy as np

from gan_jax.metrics.text.characters import Texts

# Letters, and an apostrophe or hyphen between them; no digits.
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def words(text: str, *, whole: bool) -> list[str]:
  """The words of a text, in small letters.

  Args:
    text: a line, or a piece of text.
    whole: whether what touches its ends counts; of a piece it may be cut.
  """
  seen = list(WORD.finditer(text))
  if not whole:
    seen = [w for w in seen if w.start() > 0 and w.end() < len(text)]
  return [w[0].lower() for w in seen]


def vocabulary(texts: Texts) -> frozenset[str]:
  """All words of texts."""
  rows = texts.strings()
  return frozenset(w for row in rows for w in words(row, whole=texts.whole))


def known(texts: Texts, vocabulary: Iterable[str]) -> np.ndarray:
  """[N, 2]: how many words each text has, and how many are in a vocabulary."""
  there = frozenset(vocabulary)
  counts = []
  for row in texts.strings():
    own = words(row, whole=texts.whole)
    counts.append((len(own), sum(w in there for w in own)))
  return np.array(counts, np.int64).reshape(len(counts), 2)


def share(counts: np.ndarray) -> float:
  """The share of known words of counts [N, 2]; 0 without any word."""
  total, there = np.sum(counts, axis=0)
  return float(there / total) if total else 0.0
